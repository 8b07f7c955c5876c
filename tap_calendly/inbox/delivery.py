"""What a delivery says, as far as anything here looks into it.

Calendly posts `{event, created_at, created_by, payload}` (API docs, webhook payloads). For the
events of invitees and no-shows the payload is the invitee with its `scheduled_event`; a no-show's
can also be `{uri, invitee, created_at}`. There is no id, and no order is promised.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import msgspec

INVITEE_CREATED, INVITEE_CANCELED = "invitee.created", "invitee.canceled"
NO_SHOW_CREATED, NO_SHOW_DELETED = "invitee_no_show.created", "invitee_no_show.deleted"

HINTS = frozenset({INVITEE_CREATED, INVITEE_CANCELED, NO_SHOW_CREATED, NO_SHOW_DELETED})
"""The events that say which meetings changed."""

LAG = timedelta(hours=1)
"""For how long the API may be behind its deliveries."""

LONGEST = 500
"""Characters of a URI, or of an event's name: PostgreSQL indexes at most 2,700 bytes."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_CONTROL = frozenset("bfnrt")
"""What stands for an unprintable character after a backslash."""

_MEETING = re.compile(r".+/scheduled_events/[^/]+")
_INVITEE = re.compile(r"(.+/scheduled_events/[^/]+)/invitees/[^/]+")


class Delivery(msgspec.Struct, frozen=True):
    """A delivery; URIs and times are None where it has none.

    Attributes:
        id: The digest of its body: an identical delivery has the same.
        created_at: As Calendly writes it, in whole seconds (ISO 8601).
        scheduled_event_uri: The meeting that it is about.
        invitee_uri: The invitee that it is about.
        body: All of it, as text.
    """

    id: str
    event: str
    created_at: str | None
    scheduled_event_uri: str | None
    invitee_uri: str | None
    body: str

    @property
    def payload(self) -> Mapping[str, Any]:
        """What happened; empty if that is no JSON object."""
        found = json.loads(self.body).get("payload")
        return found if isinstance(found, dict) else {}

    def names(self, email: str) -> bool:
        """Whether it holds an email address anywhere, in any case, also escaped or in a link."""
        if "@" not in email:
            return False
        # Not as a part of a longer one, such as joan@example.com for an@example.com.
        address = rf"(?<![\w.+'-]){re.escape(email.strip().casefold())}(?![\w-]|\.\w)"
        text = _ESCAPE.sub(_unescaped, self.body).casefold()
        return any(re.search(address, form) for form in (text, unquote(text)))


class Received(msgspec.Struct, frozen=True):
    """A delivery in the inbox, with its position, and when it came (UTC, the inbox's clock)."""

    position: int
    received_at: datetime
    delivery: Delivery


def parse(body: bytes) -> Delivery:
    """Read a delivery.

    Raises:
        ValueError: It is no JSON object that names an event.
    """
    text = body.decode("utf-8")
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None
    event = _text(found.get("event")) if isinstance(found, dict) else None
    if event is None:
        message = "no event is named"
        raise ValueError(message)
    payload = found.get("payload")
    meeting, invitee = None, None
    if event in HINTS and isinstance(payload, dict):
        meeting, invitee = _about(payload)
    digest = hashlib.sha256(body).hexdigest()
    return Delivery(digest, event, _text(found.get("created_at")), meeting, invitee, text)


def _refuse(constant: str) -> None:
    """Refuse what Python takes for JSON, and nobody else."""
    raise ValueError(constant)


def _about(payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the URIs of the meeting and the invitee."""
    named = payload.get("invitee")  # of a no-show; null or absent elsewhere
    invitee = named if isinstance(named, dict) else payload
    uri = _text(named) or _text(invitee.get("uri"))
    found = _INVITEE.fullmatch(uri or "")
    meeting = invitee.get("scheduled_event")
    places = [invitee.get("event"), meeting.get("uri") if isinstance(meeting, dict) else None]
    uris = [place for place in map(_text, places) if place and _MEETING.fullmatch(place)]
    if found:
        uris.insert(0, found[1])
    return next(iter(uris), None), uri if found else None


def _unescaped(escape: re.Match[str]) -> str:
    """Return the character that an escape in JSON stands for; any control character is a space."""
    if escape[1]:
        return chr(int(escape[1], 16))
    return " " if escape[2] in _CONTROL else escape[2]


def _text(value: object) -> str | None:
    """Return a text; None for anything else, and for what no database stores or indexes."""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        return None
    return value
