"""The command `calendly-webhooks`, and its commands."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
from datetime import datetime, timezone
from typing import Any

import click

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.run import Run
from tap_calendly.settings import Settings, resource_uri
from tap_calendly.singer import configuration
from tap_calendly.tap import TapCalendly
from tap_calendly.webhooks import serve as server
from tap_calendly.webhooks import status as states
from tap_calendly.webhooks import subscribe as subscribing
from tap_calendly.webhooks.api import WebhooksApi
from tap_calendly.webhooks.subscription import (
    Wanted,
    check_url,
    events_of,
    missing_for_trust,
    secrets_in,
)

NAME = "calendly-webhooks"
LOGGER = logging.getLogger(NAME)

LOG_FORMAT = "{asctime} | {levelname:8} | {name} | {message}"

MISSING = {"inbox_url": messages.INBOX_URL_MISSING, "signing_keys": messages.SIGNING_KEY_MISSING}
"""What to say if these of the settings are missing where a command needs them."""


def main() -> None:
    """Run the command."""
    level = configuration.log_level(os.environ)
    logging.basicConfig(level=level, format=LOG_FORMAT, style="{")
    calendly_webhooks.main(prog_name=NAME)


@click.group(context_settings={"max_content_width": 100})
@click.version_option(package_name=TapCalendly.package_name, prog_name=NAME)
@click.option(
    "--config",
    "given",
    metavar="PATH",
    multiple=True,
    callback=TapCalendly.cb_config,
    help="File of the tap's settings, or ENV for variables such as TAP_CALENDLY_INBOX_URL. Can be "
    "given several times; later ones win.",
)
@click.pass_context
def calendly_webhooks(context: click.Context, given: object) -> None:
    """Let Calendly's webhooks tell the tap at once which meetings changed.

    `subscribe` has Calendly post what happens to a URL, `serve` receives it there and keeps it in
    the inbox, and the tap reads it from there.
    """
    context.obj = given


@calendly_webhooks.command()
@click.option(
    "--callback-url",
    metavar="URL",
    required=True,
    help="Where Calendly is to post: the public https:// address of `serve`.",
)
@click.option(
    "--events",
    metavar="NAMES",
    help="Events to subscribe to, separated by commas. Defaults to all that the scope has.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Replace the subscription even if it fits, as for a new key, and any other with this URL.",
)
@click.pass_context
def subscribe(
    context: click.Context, callback_url: str, events: str | None, *, replace: bool
) -> None:
    """Give the inbox the subscription that it needs.

    Does nothing if the one it has is active and has all the events.
    """
    check_url(callback_url)
    redaction.remember(*secrets_in(callback_url))
    run = _run(context, "inbox_url", "signing_keys")
    wanted_events = events_of(run.settings.scope, events)
    if missing := missing_for_trust(wanted_events):
        LOGGER.warning(messages.EVENTS_MISSING, ", ".join(missing))
    api = WebhooksApi(run)
    wanted = Wanted(callback_url, wanted_events, api.whose(), replace)
    subscribing.subscribe(run.settings, api, wanted, _say)


@calendly_webhooks.command(name="list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List the subscriptions in the scope of the settings."""
    run = _run(context)
    own, found = _own(run.settings), WebhooksApi(run).all()
    for one in found:
        mark = " (the inbox's own)" if one.uri == own else ""
        _say(f"{one.uri}{mark}: {one.state}, posts to {one.host}: {', '.join(one.events)}")
    if not found:
        _say(f"There are no subscriptions with the scope {run.settings.scope}.")


@calendly_webhooks.command()
@click.argument("uris", metavar="URI…", nargs=-1, required=True)
@click.pass_context
def delete(context: click.Context, uris: tuple[str, ...]) -> None:
    """Delete subscriptions, given their URIs or IDs."""
    run = _run(context)
    whole = [resource_uri("webhook_subscriptions", given) for given in uris]
    for given, uri in zip(uris, whole, strict=True):
        if not re.fullmatch(r".+/[\w-]+", uri, re.ASCII):
            raise errors.CalendlyError(messages.NOT_A_SUBSCRIPTION, given=given)
    own, api = _own(run.settings), WebhooksApi(run)
    for uri in whole:
        mark = ", the inbox's own" if uri == own else ""
        _say(f"Deleted {uri}{mark}." if api.delete(uri) else f"{uri}{mark} was gone already.")


@calendly_webhooks.command()
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def status(context: click.Context, *, wants_json: bool) -> None:
    """Show how inbox, subscription, and receiver are.

    The exit status is 1 if something needs a person.
    """
    run = _run(context, "inbox_url")
    found = states.status(str(run.settings.inbox_url), WebhooksApi(run), _now())
    if wants_json:
        _say(json.dumps(states.as_json(found)))
    else:
        for line in states.as_text(found):
            _say(line)
    context.exit(1 if any(states.problems(found)) else 0)


@calendly_webhooks.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="Port to listen on; 0 for any that is free.",
)
@click.option("--path", default="/", show_default=True, help="Path of the callback URL.")
@click.option(
    "--tolerance",
    metavar="SECONDS",
    type=click.IntRange(1, 86_400),
    default=180,
    show_default=True,
    help="How much older or newer a signature may be than this machine's clock.",
)
@click.option(
    "--keep-days",
    metavar="DAYS",
    type=click.IntRange(0, 36_500),
    default=90,
    show_default=True,
    help="Remove deliveries after so many days; 0 for never.",
)
@click.pass_context
def serve(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - see ServeOptions
    """Receive deliveries into the inbox.

    Needs no token. It stops at SIGTERM and Ctrl-C, once the requests in flight are answered.
    """
    run = _run(context, "inbox_url", "signing_keys", needs_token=False)
    server.serve(run.settings, server.ServeOptions(**options), LOGGER)


@calendly_webhooks.command()
@click.argument("email")
@click.pass_context
def forget(context: click.Context, email: str) -> None:
    """Remove deliveries about whoever has an email address.

    Needs no token.
    """
    run = _run(context, "inbox_url", needs_token=False)
    if "@" not in email:
        message = "must be an email address."
        raise click.BadParameter(message, param_hint="EMAIL")
    url = str(run.settings.inbox_url)
    InboxReader(url)  # fails if there is none, which the store would create
    _say(f"Removed {Store(url).forget(email):,} deliveries.")


@calendly_webhooks.command()
def new_key() -> None:
    """Print a new key for `webhook_signing_key`."""
    click.echo(secrets.token_urlsafe(32))


def _run(context: click.Context, *needed: str, needs_token: bool = True) -> Run:
    """Return what a command has, with the settings that it needs."""
    run = TapCalendly.run_of(context.obj, LOGGER, needs_token=needs_token)
    if missing := [MISSING[name] for name in needed if not getattr(run.settings, name)]:
        raise errors.SettingsError(missing)
    return run


def _own(settings: Settings) -> str | None:
    """Return the URI of the inbox's own subscription, if it can be told."""
    if settings.inbox_url is None:
        return None
    try:
        noted = InboxReader(settings.inbox_url).subscription
    except errors.CalendlyError as error:
        LOGGER.warning("%s", error)
        return None
    return None if noted is None else noted.uri


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _say(text: str) -> None:
    click.echo(redaction.line(text))
