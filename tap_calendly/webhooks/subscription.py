"""What there is to do so that an inbox has the subscription it needs; nothing here is I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec
import urllib3

from tap_calendly.inbox.delivery import HINTS
from tap_calendly.reporting import errors, messages
from tap_calendly.singer.configuration import LOOPBACK

_OF_ALL = (
    *("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"),
    *("event_type.created", "event_type.updated", "event_type.deleted"),
    *("contact.created", "contact.updated", "contact.deleted"),
)
EVENTS = {
    "organization": (*_OF_ALL, "routing_form_submission.created"),
    "user": (*_OF_ALL, *(f"meeting_recap.{what}" for what in ("created", "updated", "deleted"))),
    "group": _OF_ALL,
}
"""The events that Calendly tells, by the subscription's scope (API docs, webhook subscriptions)."""

ACTIVE = "active"


class Webhook(msgspec.Struct, frozen=True):
    """A webhook subscription, as far as anything here looks into it."""

    uri: str
    callback_url: str
    state: str
    events: list[str]
    scope: str
    organization: str | None = None
    user: str | None = None
    group: str | None = None
    retry_started_at: str | None = None

    @property
    def host(self) -> str:
        """Where it posts to; the rest of its URL may be a secret."""
        parts = _split(self.callback_url)
        return (parts.hostname if parts else None) or "no host"

    @property
    def whose(self) -> dict[str, str | None]:
        """Whose events it tells, as `Scope.parameters` says it."""
        found = {"organization": self.organization, "scope": self.scope}
        if self.scope in {"user", "group"}:
            found[self.scope] = self.user if self.scope == "user" else self.group
        return found


class Wanted(NamedTuple):
    """The subscription that an inbox is to have.

    Attributes:
        whose: Whose events, as query parameters: see `Scope.parameters`.
        replace: Whether one that fits is replaced, too.
    """

    callback_url: str
    events: Sequence[str]
    whose: dict[str, str]
    replace: bool = False


class Plan(NamedTuple):
    """What to do, and why; if anything, a subscription is created between the deletions."""

    why: str
    create: bool = True
    delete_before: tuple[str, ...] = ()
    delete_after: tuple[str, ...] = ()


def plan(own: Webhook | None, noted: str | None, listed: list[Webhook], wanted: Wanted) -> Plan:
    """Decide what to do.

    Args:
        own: The subscription whose deliveries the inbox holds; None if it is gone, or never was.
        noted: Its URI; None if there never was one.
        listed: All subscriptions in the scope.
        wanted: What is wanted.

    Raises:
        CalendlyError: Another subscription has the URL.
    """
    if own is not None and (misfit := _misfit(own, wanted)) is None:
        return Plan("it fits", create=False)
    others = tuple(
        one.uri for one in listed if has_url(one, wanted.callback_url) and one.uri != noted
    )
    if others and not wanted.replace:
        raise errors.CalendlyError(messages.URL_TAKEN, uri=others[0])
    if own is None:
        why = "the inbox had none" if noted is None else f"the inbox's own, {noted}, is gone"
        return Plan(why, delete_before=others)
    why = f"the inbox's own, {own.uri}, {misfit}"
    if has_url(own, wanted.callback_url):  # Calendly refuses the same URL twice
        return Plan(why, delete_before=(own.uri, *others))
    return Plan(why, delete_before=others, delete_after=(own.uri,))


def _misfit(own: Webhook, wanted: Wanted) -> str | None:
    """Say why a subscription does not fit; None if it does."""
    if own.state != ACTIVE:
        return f"was {own.state}"
    if own.whose != wanted.whose:
        return "was for another scope"
    if lacking := [event for event in wanted.events if event not in own.events]:
        return f"lacked {', '.join(lacking)}"
    if not has_url(own, wanted.callback_url):
        return "had another URL"
    return "was to be replaced" if wanted.replace else None


def events_of(scope: str, named: str | None) -> list[str]:
    """Return the events to subscribe to: those named, separated by commas, or all of the scope.

    Raises:
        CalendlyError: Some are unknown, or none is named.
    """
    known = EVENTS[scope]
    if named is None:
        return list(known)
    events = list(dict.fromkeys(event.strip() for event in named.split(",") if event.strip()))
    if not events:
        raise errors.CalendlyError(messages.NO_EVENTS, known=", ".join(known))
    if unknown := [event for event in events if event not in known]:
        raise errors.CalendlyError(
            messages.UNKNOWN_EVENTS,
            unknown=", ".join(unknown),
            scope=scope,
            known=", ".join(known),
        )
    return events


def missing_for_trust(events: Sequence[str]) -> list[str]:
    """Return the events without which the tap does not trust an inbox."""
    return sorted(HINTS.difference(events))


def check_url(url: str) -> None:
    """Check the URL that deliveries are to be posted to.

    Raises:
        CalendlyError: It is none, or not encrypted on its way to another computer.
    """
    parts = _split(url)
    encrypted = parts is not None and parts.scheme == "https"
    local = parts is not None and parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts is None or not parts.hostname or re.search(r"[\s\\]", url) or parts.fragment:
        raise errors.CalendlyError(messages.CALLBACK_URL_UNUSABLE)
    if not encrypted and not local:
        raise errors.CalendlyError(messages.CALLBACK_URL_UNUSABLE)


def secrets_in(url: str) -> list[str]:
    """Return what may be a secret in a URL: words beside the host that are no plain words."""
    parts = urlsplit(url)
    words = re.split(r"[/?&=:]", f"{parts.netloc.rpartition('@')[0]}/{parts.path}?{parts.query}")
    return [word for word in words if re.search(r"[A-Z0-9]", word)]


def has_url(one: Webhook, url: str) -> bool:
    """Whether a subscription posts to a URL, however it is written."""
    return _normal(one.callback_url) == _normal(url)


def _normal(url: str) -> str:
    try:
        parts = urllib3.util.parse_url(url)
    except ValueError:
        return url
    return parts._replace(path=parts.path or "/").url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
