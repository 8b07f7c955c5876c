"""`calendly-webhooks subscribe`: gives an inbox the subscription it needs, and says what it did."""

from __future__ import annotations

from collections.abc import Callable

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.reporting import errors, messages
from tap_calendly.settings import Settings
from tap_calendly.webhooks.api import InDoubtError, WebhooksApi
from tap_calendly.webhooks.subscription import Plan, Wanted, plan


def subscribe(
    settings: Settings, api: WebhooksApi, wanted: Wanted, say: Callable[[str], None]
) -> None:
    """See to it that an inbox has the subscription that is wanted, and create the inbox first.

    Raises:
        CalendlyError: It has none, or not that; the line says what is left.
    """
    store = Store(str(settings.inbox_url))
    noted = InboxReader(str(settings.inbox_url)).subscription
    uri = None if noted is None else noted.uri
    listed = api.all()
    own = next((one for one in listed if one.uri == uri), None)
    if own is None and uri is not None:  # gone, or of another scope
        own = api.one(uri)
    todo = plan(own, uri, listed, wanted)
    if own is not None and not todo.create:
        number = len(own.events)
        say(f"Nothing to do: {own.uri} is active, and posts {number} events to {own.host}.")
        return
    created = _replace(settings, api, wanted, todo, [one.uri for one in listed])
    say(f"Created {created}, as {todo.why}.")
    try:
        store.note_subscription(created, wanted.whose)
    except errors.CalendlyError as error:
        raise errors.CalendlyError(messages.NOT_NOTED, uri=created, why=str(error)) from None
    for old in todo.delete_after:
        try:
            api.delete(old)
        except errors.CalendlyError as error:
            raise errors.CalendlyError(
                messages.OLD_ONE_LEFT, uri=created, old=old, why=str(error)
            ) from None
    if deleted := todo.delete_before + todo.delete_after:
        say(f"Deleted {', '.join(deleted)}.")


def _replace(
    settings: Settings, api: WebhooksApi, wanted: Wanted, todo: Plan, known: list[str]
) -> str:
    """Delete what is in the way, and create the new subscription; return its URI."""
    # An app signs with a key of its own.
    key = None if settings.oauth_credentials else settings.signing_keys[0]
    try:
        for old in todo.delete_before:
            api.delete(old)
        return api.create(wanted, key, known).uri
    except InDoubtError:
        raise
    except (errors.CalendlyError, KeyboardInterrupt) as error:
        if not todo.delete_before or todo.delete_after:
            raise
        why = str(error) if isinstance(error, errors.CalendlyError) else messages.INTERRUPTED
        deleted = ", ".join(todo.delete_before)
        raise errors.CalendlyError(messages.NOTHING_SUBSCRIBED, deleted=deleted, why=why) from None
