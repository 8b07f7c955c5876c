"""Which meetings deliveries name, and what the API's answers have to show of them.

Deliveries are hints, never data: what a meeting is now, the API says. But its answer may be behind
a delivery, and must not be taken for the last word then. Everything here is pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tap_calendly.api.page import Record
from tap_calendly.inbox.delivery import (
    INVITEE_CANCELED,
    NO_SHOW_CREATED,
    NO_SHOW_DELETED,
    Delivery,
    Received,
)


class Expected(NamedTuple):
    """What an invitee's deliveries say; None where they say nothing."""

    canceled: bool | None
    no_show: bool | None


class Hint(NamedTuple):
    """A meeting that deliveries name.

    Attributes:
        uri: The meeting's.
        position: The first position at which it is named.
        latest: The last delivery that names it.
        canceled: Whether one of them says that all of it is canceled.
        invitees: The invitees that are named.
        seats: How many were taken and given up, as far as deliveries say.
    """

    uri: str
    position: int
    latest: Received
    canceled: bool
    invitees: frozenset[str]
    seats: tuple[int, int]


def gather(received: Iterable[Received]) -> list[Hint]:
    """Return the meetings that deliveries name, in the order in which they are first named."""
    by_meeting: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        if one.delivery.scheduled_event_uri is not None:
            by_meeting[one.delivery.scheduled_event_uri].append(one)
    return [_hint(uri, named) for uri, named in by_meeting.items()]


def _hint(uri: str, named: Sequence[Received]) -> Hint:
    deliveries = [one.delivery for one in named]
    invitees = frozenset(one.invitee_uri for one in deliveries if one.invitee_uri is not None)
    meetings = [_meeting_in(one) for one in deliveries]
    canceled = any(one.get("status") == "canceled" for one in meetings)
    taken, given_up = zip(*map(_seats, meetings), strict=True)
    seats = (max(taken), max(given_up))
    return Hint(uri, named[0].position, named[-1], canceled, invitees, seats)


def expected(received: Iterable[Received]) -> dict[str, Expected]:
    """Return what the latest deliveries about invitees say, by the invitee's URI.

    Calendly promises no order, so that the latest one is that with the latest `created_at`.
    """
    by_invitee: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        if one.delivery.invitee_uri is not None:
            by_invitee[one.delivery.invitee_uri].append(one)
    return {uri: _expected(found) for uri, found in by_invitee.items()}


def _expected(found: Iterable[Received]) -> Expected:
    canceled, no_show = None, None
    for one in sorted(found, key=lambda one: (one.delivery.created_at or "", one.position)):
        event = one.delivery.event
        canceled = canceled or event == INVITEE_CANCELED or None
        if event in {NO_SHOW_CREATED, NO_SHOW_DELETED}:
            no_show = event == NO_SHOW_CREATED
    return Expected(canceled, no_show)


def shows(
    hint: Hint,
    said: Mapping[str, Expected],
    meeting: Record | None,
    invitees: Sequence[Record] | None,
) -> bool:
    """Whether the API's answers show what the deliveries say; `invitees` is None if not read."""
    if meeting is None or (hint.canceled and meeting.get("status") != "canceled"):
        return False
    if invitees is None:  # only the meeting's counter tells of them
        return all(now >= then for now, then in zip(_seats(meeting), hint.seats, strict=True))
    rows = {row["uri"]: row for row in invitees}
    return all(_shows(said.get(uri, Expected(None, None)), rows.get(uri)) for uri in hint.invitees)


def _shows(said: Expected, invitee: Record | None) -> bool:
    if invitee is None or (said.canceled and invitee.get("status") != "canceled"):
        return False
    return said.no_show is None or said.no_show == (invitee.get("no_show") is not None)


def _meeting_in(delivery: Delivery) -> Record:
    meeting = delivery.payload.get("scheduled_event")
    return meeting if isinstance(meeting, dict) else {}


def _seats(meeting: Record) -> tuple[int, int]:
    """Return how many seats were taken, and how many of them given up; neither ever decreases."""
    counter = meeting.get("invitees_counter")
    found = counter if isinstance(counter, dict) else {}
    total, active = found.get("total"), found.get("active")
    if not isinstance(total, int) or not isinstance(active, int):
        return 0, 0
    return total, total - active
