"""Random life events of a company, and when a run has to show them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from tap_calendly.timestamps import parse

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from sandbox.organization.calendly import Calendly
    from tests.singer import Row, Tables

    LifeEvent = Callable[[Calendly, random.Random], object]
    Due = Callable[[datetime, datetime], bool]

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
        start=calendly.clock.now() - timedelta(days=rng.uniform(0, 90)),
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
    held = [
        invitee["uri"]
        for event in calendly.events.values()
        if parse(event["start_time"]) <= now
        for invitee in calendly.invitees[event["uri"]]
    ]
    return calendly.mark_no_show(invitee=rng.choice(held))


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
    everybody = [row["email"] for rows in calendly.invitees.values() for row in rows]
    return calendly.scrub_invitee(email=rng.choice(everybody))


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
    *(push_conference_link, drop_conference_details, reconfirm, pay, scrub),
    *(edit_event_type, delete_event_type, add_event_type),
    delete_event_data,
    *(add_member, remove_member, delete_user),
    *(add_routing_form, submit_form, submit_form, book_from_submission),
)


def happens(life_event: LifeEvent, calendly: Calendly, rng: random.Random) -> bool:
    """Let a life event happen, and return whether it could: no meeting is canceled twice."""
    try:
        life_event(calendly, rng)
    except (ValueError, IndexError):  # rejected by the sandbox, or nothing to choose from
        return False
    return True


@dataclass(frozen=True)
class Version:
    """A row after a change, and from when on a run has to show it.

    Attributes:
        row: The row; None once it is deleted.
        is_due: Whether a later run has to show it, given the times (UTC) at which the run and the
            last full scan began.
    """

    row: Row | None
    is_due: Due


class Chronicle:
    """Every version of every row.

    Attributes:
        versions: By stream and key, oldest first.
    """

    def __init__(self, lookback: timedelta) -> None:
        """Start empty; `lookback` is the setting `lookback_days`."""
        self.versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self._lookback = lookback
        self._tables: Tables = {}

    def observe(self, tables: Tables, now: datetime) -> None:
        """Record what has changed in the tables, as they are now (UTC)."""
        for stream, rows in tables.items():
            before = self._tables.get(stream, {})
            for uri in before.keys() | rows.keys():
                row = rows.get(uri)
                if row != before.get(uri):
                    is_due = self._due(stream, row, before.get(uri), tables, now)
                    versions = self.versions[stream, uri]
                    if stream == "event_types" and row is not None and row["deleted_at"]:
                        is_due = _after_full_scan(now)
                        # No list has it any more, in any version.
                        versions[:] = [Version(version.row, is_due) for version in versions]
                    versions.append(Version(row, is_due))
        self._tables = tables

    def _due(
        self, stream: str, row: Row | None, before: Row | None, tables: Tables, now: datetime
    ) -> Due:
        """Return when a change is due by docs/guarantees.md."""
        if stream == "scheduled_events" and row is not None:
            return self._due_with_event(row, now)
        if stream == "event_invitees" and row is not None:
            event = tables["scheduled_events"][row["event"]]
            known = self._tables.get("scheduled_events", {}).get(row["event"])
            if known is None or known["updated_at"] != event["updated_at"]:
                return self._due_with_event(event, now)
            return self._due_alone(event, now)
        if row is None and stream in {"scheduled_events", "event_invitees", "event_types"}:
            return _never  # a deleted row stays in these tables
        if stream == "routing_form_submissions" and row is not None and before is not None:
            return _at_once if now - parse(row["created_at"]) <= self._lookback else _never
        return _at_once

    def _due_with_event(self, event: Row, now: datetime) -> Due:
        if parse(event["start_time"]) >= now - self._lookback:
            return _at_once
        return _after_full_scan(now)

    def _due_alone(self, event: Row, now: datetime) -> Due:
        """Return when an invitee's change that leaves the event's timestamp alone is due."""
        start = parse(event["start_time"])
        age = now - start
        active = event["status"] == "active"
        shared = event["invitees_counter"]["limit"] != 1
        if active and age <= self._lookback and (shared or age >= timedelta(0)):
            return _at_once
        if active and age < timedelta(0):
            return lambda began, _: began >= start
        revisit = start + 2 * max(age, self._lookback)
        booked = parse(event["created_at"])
        if booked > start + self._lookback:  # long after its start: only a full scan finds it
            return lambda began, full_scan: began >= revisit and full_scan >= booked
        return lambda began, _: began >= revisit


def _at_once(_began: datetime, _full_scan: datetime) -> bool:
    return True


def _after_full_scan(changed: datetime) -> Due:
    return lambda _, full_scan: full_scan >= changed


def _never(_began: datetime, _full_scan: datetime) -> bool:
    return False


class Person(TypedDict):
    """What the sandbox asks about a person."""

    name: str
    email: str


def _person(rng: random.Random) -> Person:
    number = rng.randrange(10**9)
    return {"name": f"Person {number}", "email": f"person-{number}@example.com"}


def _start_time(calendly: Calendly, rng: random.Random) -> datetime:
    """Return a start time in the next weeks, often the same for several meetings."""
    day = calendly.clock.now().replace(hour=9, minute=0, second=0, microsecond=0)
    return day + timedelta(days=rng.randrange(1, 40), hours=rng.randrange(3))


def _event(calendly: Calendly, rng: random.Random) -> str:
    return rng.choice(list(calendly.events))


def _invitee(calendly: Calendly, rng: random.Random) -> str:
    uris = [row["uri"] for rows in calendly.invitees.values() for row in rows]
    return str(rng.choice(uris))


def _member(calendly: Calendly, rng: random.Random) -> str:
    users = [row["user"]["uri"] for row in calendly.memberships.values()]
    return str(rng.choice([user for user in users if user != calendly.owner]))
