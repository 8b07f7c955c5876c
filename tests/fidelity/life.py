"""Random life events of a company."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from tap_calendly.timestamps import parse

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from sandbox.organization.calendly import Calendly

    LifeEvent = Callable[[Calendly, random.Random], object]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RESULT = {"type": "external_url", "value": "https://example.com/thanks"}


def book(calendly: Calendly, rng: random.Random) -> object:
    return calendly.book(
        event_type=rng.choice([uri for uri, row in calendly.event_types.items() if row["active"]]),
        start=_start_time(calendly, rng),
        **_person(rng),
    )


def book_in_the_past(calendly: Calendly, rng: random.Random) -> object:
    return calendly.book(
        event_type=rng.choice(list(calendly.event_types)),
        start=calendly.clock.now() - rng.random() * rng.choice((HOUR, DAY, 90 * DAY)),
        **_person(rng),
    )


def join(calendly: Calendly, rng: random.Random) -> object:
    return calendly.join(event=_event(calendly, rng), **_person(rng))


def leave(calendly: Calendly, rng: random.Random) -> object:
    return calendly.leave(invitee=_invitee(calendly, rng))


def cancel_event(calendly: Calendly, rng: random.Random) -> object:
    return calendly.cancel(event=_event(calendly, rng), by="host", reason="Ill")


def cancel_invitee(calendly: Calendly, rng: random.Random) -> object:
    return calendly.cancel(invitee=_invitee(calendly, rng), by="invitee")


def reschedule(calendly: Calendly, rng: random.Random) -> object:
    return calendly.reschedule(invitee=_invitee(calendly, rng), start=_start_time(calendly, rng))


def mark_no_show(calendly: Calendly, rng: random.Random) -> object:
    """Mark a no-show: not before the meeting, as in Calendly."""
    now = calendly.clock.now()
    held = [uri for uri, event in calendly.events.items() if parse(event["start_time"]) <= now]
    return calendly.mark_no_show(invitee=_invitee(calendly, rng, held))


def unmark_no_show(calendly: Calendly, rng: random.Random) -> object:
    marked = [mark["invitee"] for mark in calendly.no_shows.values()]
    return calendly.unmark_no_show(invitee=rng.choice(marked))


def push_conference_link(calendly: Calendly, rng: random.Random) -> object:
    return calendly.push_conference_link(event=_event(calendly, rng))


def drop_conference_details(calendly: Calendly, rng: random.Random) -> object:
    return calendly.drop_conference_details(event=_event(calendly, rng))


def edit_notes(calendly: Calendly, rng: random.Random) -> object:
    return calendly.edit_notes(
        event=_event(calendly, rng),
        plain=f"Note {rng.random()}",
        moves_updated_at=rng.choice([True, False]),
    )


def reconfirm(calendly: Calendly, rng: random.Random) -> object:
    return calendly.reconfirm(
        invitee=_invitee(calendly, rng),
        confirmed=rng.choice([True, False]),
        moves_updated_at=rng.choice([True, False]),
    )


def pay(calendly: Calendly, rng: random.Random) -> object:
    return calendly.pay(
        invitee=_invitee(calendly, rng), amount=rng.choice((10.0, 9.5)), currency="EUR"
    )


def scrub(calendly: Calendly, rng: random.Random) -> object:
    return _scrub(calendly, _invitee(calendly, rng))


def scrub_from_canceled(calendly: Calendly, rng: random.Random) -> object:
    canceled = [uri for uri, row in calendly.events.items() if row["status"] == "canceled"]
    return _scrub(calendly, _invitee(calendly, rng, canceled))


def edit_event_type(calendly: Calendly, rng: random.Random) -> object:
    return calendly.edit_event_type(
        uri=rng.choice(list(calendly.event_types)), name=f"Name {rng.random()}"
    )


def delete_event_data(calendly: Calendly, rng: random.Random) -> object:
    return calendly.delete_event_data(event=_event(calendly, rng))


def delete_event_type(calendly: Calendly, rng: random.Random) -> object:
    return calendly.delete_event_type(uri=rng.choice(list(calendly.event_types)))


def add_event_type(calendly: Calendly, rng: random.Random) -> object:
    return calendly.add_event_type(
        owner=rng.choice([row["user"]["uri"] for row in calendly.memberships.values()]),
        name=f"Type {rng.random()}",
        duration=30,
        kind=rng.choice(["solo", "group"]),
    )


def add_member(calendly: Calendly, rng: random.Random) -> object:
    return calendly.add_member(**_person(rng))


def remove_member(calendly: Calendly, rng: random.Random) -> object:
    return calendly.remove_member(user=_member(calendly, rng))


def delete_user(calendly: Calendly, rng: random.Random) -> object:
    return calendly.delete_user(user=_member(calendly, rng))


def add_routing_form(calendly: Calendly, rng: random.Random) -> object:
    return calendly.add_routing_form(name=f"Form {rng.random()}", questions=[])


def submit_form(calendly: Calendly, rng: random.Random) -> object:
    return calendly.submit_form(
        form=rng.choice(list(calendly.routing_forms)), answers={}, result=RESULT
    )


def book_from_submission(calendly: Calendly, rng: random.Random) -> object:
    unbooked = [
        row["uri"]
        for rows in calendly.submissions.values()
        for row in rows
        if row["submitter"] is None
    ]
    return calendly.book_from_submission(
        submission=rng.choice(unbooked),
        event_type=rng.choice(list(calendly.event_types)),
        start=_start_time(calendly, rng),
        name="Lead",
        email=f"lead-{rng.random()}@example.com",
    )


LIFE_EVENTS: tuple[LifeEvent, ...] = (
    *(book, book, book, join, mark_no_show, mark_no_show, reschedule),  # the most frequent ones
    *(book_in_the_past, leave, cancel_event, cancel_invitee, unmark_no_show, edit_notes),
    *(push_conference_link, drop_conference_details, reconfirm, pay, scrub, scrub_from_canceled),
    *(edit_event_type, delete_event_type, add_event_type),
    delete_event_data,
    *(add_member, remove_member, delete_user),
    *(add_routing_form, submit_form, submit_form, book_from_submission),
)


OF_INVITEES_ALONE: tuple[LifeEvent, ...] = (
    *(mark_no_show, mark_no_show, mark_no_show, unmark_no_show, join, leave),
    *(pay, reconfirm, scrub, scrub_from_canceled, scrub_from_canceled),
)
"""What mostly leaves a meeting's timestamp alone."""


def happens(life_event: LifeEvent, calendly: Calendly, rng: random.Random) -> bool:
    """Let a life event happen, and return whether it could: no meeting is canceled twice."""
    try:
        life_event(calendly, rng)
    except (ValueError, IndexError):  # rejected by the sandbox, or nothing to choose from
        return False
    return True


class Person(TypedDict):
    """What the sandbox asks about a person."""

    name: str
    email: str


def _person(rng: random.Random) -> Person:
    number = rng.randrange(10**9)
    return {"name": f"Person {number}", "email": f"person-{number}@example.com"}


def _start_time(calendly: Calendly, rng: random.Random) -> datetime:
    """Return a start time in the next hours or weeks, often the same for several meetings."""
    if rng.random() < 0.4:
        return calendly.clock.now() + rng.choice((HOUR / 2, 2 * HOUR, 8 * HOUR, 26 * HOUR, 3 * DAY))
    day = calendly.clock.now().replace(hour=9, minute=0, second=0, microsecond=0)
    return day + timedelta(days=rng.randrange(1, 40), hours=rng.randrange(3))


def _event(calendly: Calendly, rng: random.Random, among: Iterable[str] | None = None) -> str:
    """Choose a meeting, often one of those that start about now."""
    now, events = calendly.clock.now(), calendly.events
    by_distance = sorted(
        events if among is None else among,
        key=lambda uri: abs(parse(events[uri]["start_time"]) - now),
    )
    return rng.choice(by_distance[: rng.choice((3, len(by_distance)))])


def _invitee(calendly: Calendly, rng: random.Random, among: Iterable[str] | None = None) -> str:
    return str(rng.choice(calendly.invitees[_event(calendly, rng, among)])["uri"])


def _scrub(calendly: Calendly, uri: str) -> object:
    emails = {row["uri"]: row["email"] for rows in calendly.invitees.values() for row in rows}
    return calendly.scrub_invitee(email=emails[uri])


def _member(calendly: Calendly, rng: random.Random) -> str:
    users = [row["user"]["uri"] for row in calendly.memberships.values()]
    return str(rng.choice([user for user in users if user != calendly.owner]))
