"""What keeps happening at the demo company: one thing after the other, at random."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sandbox.demo import cast
from sandbox.demo.scenes import DAY, HOUR
from sandbox.demo.watch import Change, meeting_in
from sandbox.organization.timestamps import from_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record

MARKED_WITHIN = timedelta(days=7)
"""How long after a meeting somebody may be marked as a no-show."""

LEADS = (HOUR, 3 * HOUR, DAY, 2 * DAY, 7 * DAY, 21 * DAY)
HALF_HOUR = timedelta(minutes=30)
TIME = "%a %d %b %H:%M"


class Told(NamedTuple):
    """What happened: a sentence, and the URIs of the meetings that changed."""

    what: str
    meetings: tuple[str, ...]


def happen(calendly: Calendly, dice: Random) -> Change:
    """Let something happen."""
    with calendly.lock:
        told = None
        while told is None:
            told = dice.choice(LIFE)(calendly, dice)
        meetings = {uri: meeting_in(calendly, uri) for uri in told.meetings}
        return Change(calendly.clock.now(), told.what, meetings)


def book(calendly: Calendly, dice: Random) -> Told:
    """Let somebody book."""
    offered = [
        one
        for one in calendly.event_types.values()
        if one["active"] and one["name"] in cast.TYPES and one["kind"] == "solo"
    ]
    return _book(calendly, dice, dice.choice(offered))


def cancel(calendly: Calendly, dice: Random) -> Told | None:
    """Let a visitor or a host cancel."""
    if (found := _upcoming(calendly, dice)) is None:
        return None
    event, invitee = found
    reason = dice.choice(cast.REASONS)
    if dice.random() < 0.5:  # noqa: PLR2004 - either is as likely
        calendly.cancel(event=event["uri"], by="host", reason=reason)
        host = event["event_memberships"][0]["user_name"]
        return Told(f"{host} canceled {_named(event)} with {invitee['name']}", (event["uri"],))
    calendly.cancel(invitee=invitee["uri"], by="invitee", reason=reason)
    return Told(f"{invitee['name']} canceled {_named(event)}", (event["uri"],))


def reschedule(calendly: Calendly, dice: Random) -> Told | None:
    """Let a visitor choose another time."""
    if (found := _upcoming(calendly, dice)) is None:
        return None
    event, invitee = found
    start = _start(calendly, dice)
    new, _ = calendly.reschedule(invitee=invitee["uri"], start=start)
    return Told(f"{invitee['name']} moved {_named(event)} to {start:{TIME}}", (event["uri"], new))


def take_seat(calendly: Calendly, dice: Random) -> Told:
    """Let somebody join the next webinar, or book one if none is planned."""
    for event in _planned(calendly):
        if event["invitees_counter"]["active"] < event["invitees_counter"]["limit"] > 1:
            person = cast.visitor(dice)
            calendly.join(event=event["uri"], name=person.name, email=person.email)
            return Told(f"{person.name} took a seat in {_named(event)}", (event["uri"],))
    webinar = next(one for one in calendly.event_types.values() if one["kind"] == "group")
    return _book(calendly, dice, webinar)


def give_up_seat(calendly: Calendly, dice: Random) -> Told | None:
    """Let somebody leave a webinar in which others stay."""
    for event in _planned(calendly):
        if event["invitees_counter"]["active"] > 1:
            invitee = dice.choice(_active(calendly, event))
            calendly.leave(invitee=invitee["uri"])
            return Told(f"{invitee['name']} gave up a seat in {_named(event)}", (event["uri"],))
    return None


def mark_no_show(calendly: Calendly, dice: Random) -> Told | None:
    """Let a host mark a visitor who did not come."""
    present = [
        (event, one)
        for event in _held(calendly)
        for one in _active(calendly, event)
        if one["no_show"] is None
    ]
    if not present:
        return None
    event, invitee = dice.choice(present)
    calendly.mark_no_show(invitee=invitee["uri"])
    return Told(f"{invitee['name']} is a no-show at {_named(event)}", (event["uri"],))


def unmark_no_show(calendly: Calendly, dice: Random) -> Told | None:
    """Let a host take a mark back."""
    absent = [
        (event, one)
        for event in _held(calendly)
        for one in _active(calendly, event)
        if one["no_show"] is not None
    ]
    if not absent:
        return None
    event, invitee = dice.choice(absent)
    calendly.unmark_no_show(invitee=invitee["uri"])
    return Told(f"{invitee['name']} is no longer a no-show at {_named(event)}", (event["uri"],))


LIFE: tuple[Callable[[Calendly, Random], Told | None], ...] = (
    *(book, book, book, book, book),
    *(cancel, cancel, reschedule, reschedule),
    *(take_seat, take_seat, give_up_seat),
    *(mark_no_show, mark_no_show, unmark_no_show),
)
"""What can happen, the likely several times; None comes of what cannot happen just now."""


def _book(calendly: Calendly, dice: Random, offered: Record) -> Told:
    person, start = cast.visitor(dice), _start(calendly, dice)
    event, _ = calendly.book(
        event_type=offered["uri"], start=start, name=person.name, email=person.email
    )
    return Told(f"{person.name} booked {offered['name']}, {start:{TIME}}", (event,))


def _start(calendly: Calendly, dice: Random) -> datetime:
    """Return a half hour in the hours or weeks to come."""
    soon = calendly.clock.now() + dice.choice(LEADS) * dice.uniform(0.5, 1.5)
    return soon.replace(minute=0, second=0, microsecond=0) + dice.randint(1, 4) * HALF_HOUR


def _upcoming(calendly: Calendly, dice: Random) -> tuple[Record, Record] | None:
    """Choose a planned meeting of one visitor, and return it with them."""
    solo = [event for event in _planned(calendly) if event["invitees_counter"]["limit"] == 1]
    if not solo:
        return None
    event = dice.choice(solo)
    return event, _active(calendly, event)[0]


def _planned(calendly: Calendly) -> list[Record]:
    now = calendly.clock.now()
    return [
        event
        for event in calendly.events.values()
        if event["status"] == "active" and from_timestamp(event["start_time"]) > now
    ]


def _held(calendly: Calendly) -> list[Record]:
    """Return the meetings that took place lately."""
    now = calendly.clock.now()
    return [
        event
        for event in calendly.events.values()
        if event["status"] == "active"
        and now - MARKED_WITHIN < from_timestamp(event["end_time"]) < now
    ]


def _active(calendly: Calendly, event: Record) -> list[Record]:
    return [one for one in calendly.invitees[event["uri"]] if one["status"] == "active"]


def _named(event: Record) -> str:
    return event["name"] or "a meeting"
