"""Life events of a company, each chosen by dice, and what a run has to show of them."""

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

    Deed = Callable[[Calendly, random.Random], object]
    Due = Callable[[datetime, datetime], bool]

RESULT = {"type": "external_url", "value": "https://example.com/thanks"}


def book(calendly: Calendly, dice: random.Random) -> object:
    return calendly.book(
        event_type=dice.choice([uri for uri, row in calendly.event_types.items() if row["active"]]),
        start=_some_time(calendly, dice),
        **_somebody(dice),
    )


def book_in_the_past(calendly: Calendly, dice: random.Random) -> object:
    return calendly.book(
        event_type=dice.choice(list(calendly.event_types)),
        start=calendly.clock.now() - timedelta(days=dice.uniform(0, 90)),
        **_somebody(dice),
    )


def join(calendly: Calendly, dice: random.Random) -> object:
    return calendly.join(event=_event(calendly, dice), **_somebody(dice))


def leave(calendly: Calendly, dice: random.Random) -> object:
    return calendly.leave(invitee=_invitee(calendly, dice))


def cancel_event(calendly: Calendly, dice: random.Random) -> object:
    return calendly.cancel(event=_event(calendly, dice), by="host", reason="Ill")


def cancel_invitee(calendly: Calendly, dice: random.Random) -> object:
    return calendly.cancel(invitee=_invitee(calendly, dice), by="invitee")


def reschedule(calendly: Calendly, dice: random.Random) -> object:
    return calendly.reschedule(invitee=_invitee(calendly, dice), start=_some_time(calendly, dice))


def mark_no_show(calendly: Calendly, dice: random.Random) -> object:
    """Mark somebody who did not come: not before the meeting, as in Calendly."""
    now = calendly.clock.now()
    held = [
        invitee["uri"]
        for event in calendly.events.values()
        if parse(event["start_time"]) <= now
        for invitee in calendly.invitees[event["uri"]]
    ]
    return calendly.mark_no_show(invitee=dice.choice(held))


def unmark_no_show(calendly: Calendly, dice: random.Random) -> object:
    marked = [mark["invitee"] for mark in calendly.no_shows.values()]
    return calendly.unmark_no_show(invitee=dice.choice(marked))


def push_conference_link(calendly: Calendly, dice: random.Random) -> object:
    return calendly.push_conference_link(event=_event(calendly, dice))


def drop_conference_details(calendly: Calendly, dice: random.Random) -> object:
    return calendly.drop_conference_details(event=_event(calendly, dice))


def edit_notes(calendly: Calendly, dice: random.Random) -> object:
    return calendly.edit_notes(
        event=_event(calendly, dice),
        plain=f"Note {dice.random()}",
        moves_updated_at=dice.choice([True, False]),
    )


def reconfirm(calendly: Calendly, dice: random.Random) -> object:
    return calendly.reconfirm(
        invitee=_invitee(calendly, dice),
        confirmed=dice.choice([True, False]),
        moves_updated_at=dice.choice([True, False]),
    )


def pay(calendly: Calendly, dice: random.Random) -> object:
    return calendly.pay(
        invitee=_invitee(calendly, dice), amount=dice.choice((10.0, 9.5)), currency="EUR"
    )


def scrub(calendly: Calendly, dice: random.Random) -> object:
    everybody = [row["email"] for rows in calendly.invitees.values() for row in rows]
    return calendly.scrub_invitee(email=dice.choice(everybody))


def edit_event_type(calendly: Calendly, dice: random.Random) -> object:
    return calendly.edit_event_type(
        uri=dice.choice(list(calendly.event_types)), name=f"Name {dice.random()}"
    )


def delete_event_data(calendly: Calendly, dice: random.Random) -> object:
    return calendly.delete_event_data(event=_event(calendly, dice))


def delete_event_type(calendly: Calendly, dice: random.Random) -> object:
    return calendly.delete_event_type(uri=dice.choice(list(calendly.event_types)))


def add_event_type(calendly: Calendly, dice: random.Random) -> object:
    return calendly.add_event_type(
        owner=dice.choice([row["user"]["uri"] for row in calendly.memberships.values()]),
        name=f"Type {dice.random()}",
        duration=30,
        kind=dice.choice(["solo", "group"]),
    )


def add_member(calendly: Calendly, dice: random.Random) -> object:
    return calendly.add_member(**_somebody(dice))


def remove_member(calendly: Calendly, dice: random.Random) -> object:
    return calendly.remove_member(user=_member(calendly, dice))


def delete_user(calendly: Calendly, dice: random.Random) -> object:
    return calendly.delete_user(user=_member(calendly, dice))


def add_routing_form(calendly: Calendly, dice: random.Random) -> object:
    return calendly.add_routing_form(name=f"Form {dice.random()}", questions=[])


def submit_form(calendly: Calendly, dice: random.Random) -> object:
    return calendly.submit_form(
        form=dice.choice(list(calendly.routing_forms)), answers={}, result=RESULT
    )


def book_from_submission(calendly: Calendly, dice: random.Random) -> object:
    open_ones = [
        row["uri"]
        for rows in calendly.submissions.values()
        for row in rows
        if row["submitter"] is None
    ]
    return calendly.book_from_submission(
        submission=dice.choice(open_ones),
        event_type=dice.choice(list(calendly.event_types)),
        start=_some_time(calendly, dice),
        name="Lead",
        email=f"lead-{dice.random()}@example.com",
    )


DEEDS: tuple[Deed, ...] = (
    *(book, book, book, join, mark_no_show, mark_no_show, reschedule),  # what happens most
    *(book_in_the_past, leave, cancel_event, cancel_invitee, unmark_no_show, edit_notes),
    *(push_conference_link, drop_conference_details, reconfirm, pay, scrub),
    *(edit_event_type, delete_event_type, add_event_type),
    delete_event_data,
    *(add_member, remove_member, delete_user),
    *(add_routing_form, submit_form, submit_form, book_from_submission),
)


def let_happen(deed: Deed, calendly: Calendly, dice: random.Random) -> bool:
    """Let a life event happen, if it can.

    Args:
        deed: The life event.
        calendly: Where it happens.
        dice: What chooses among the possible ones.

    Returns:
        Whether it happened; a meeting cannot be canceled twice, for example.
    """
    try:
        deed(calendly, dice)
    except (ValueError, IndexError):  # the sandbox's refusal, or nothing to choose from
        return False
    return True


@dataclass(frozen=True)
class Version:
    """A row since a change, and from when on a run has to show it.

    Attributes:
        row: The row; None since it vanished.
        is_due: Whether a run that begins afterwards has to show it, by the beginnings (UTC) of the
            run and of the last full scan.
    """

    row: Row | None
    is_due: Due


class Chronicle:
    """Every version of every row, as life goes on.

    Attributes:
        versions: By stream and key, in their order.
    """

    def __init__(self, lookback: timedelta) -> None:
        """Begin with nothing.

        Args:
            lookback: The setting `lookback_days`.
        """
        self.versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self._lookback = lookback
        self._tables: Tables = {}

    def observe(self, tables: Tables, now: datetime) -> None:
        """Write down what has changed.

        Args:
            tables: The tables as they are now.
            now: The present moment (UTC).
        """
        for stream, rows in tables.items():
            before = self._tables.get(stream, {})
            for uri in before.keys() | rows.keys():
                row = rows.get(uri)
                if row != before.get(uri):
                    is_due = self._due(stream, row, before.get(uri), tables, now)
                    self.versions[stream, uri].append(Version(row, is_due))
        self._tables = tables

    def _due(
        self, stream: str, row: Row | None, before: Row | None, tables: Tables, now: datetime
    ) -> Due:
        """Return the promise that docs/guarantees.md makes for a change."""
        if stream == "scheduled_events" and row is not None:
            return self._due_with_event(row, now)
        if stream == "event_invitees" and row is not None:
            event = tables["scheduled_events"][row["event"]]
            known = self._tables.get("scheduled_events", {}).get(row["event"])
            if known is None or known["updated_at"] != event["updated_at"]:
                return self._due_with_event(event, now)
            return self._due_alone(event, now)
        if row is None and stream in {"scheduled_events", "event_invitees", "event_types"}:
            return _never  # what is deleted there keeps its row
        if stream == "routing_form_submissions" and row is not None and before is not None:
            return _at_once if now - parse(row["created_at"]) <= self._lookback else _never
        return _at_once

    def _due_with_event(self, event: Row, now: datetime) -> Due:
        if parse(event["start_time"]) >= now - self._lookback:
            return _at_once
        return lambda _, full_scan: full_scan >= now

    def _due_alone(self, event: Row, now: datetime) -> Due:
        """Give the promise for a change of an invitee that leaves the event's timestamp alone."""
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
        if booked > start + self._lookback:  # long after its start: only a full scan comes upon it
            return lambda began, full_scan: began >= revisit and full_scan >= booked
        return lambda began, _: began >= revisit


def _at_once(_began: datetime, _full_scan: datetime) -> bool:
    return True


def _never(_began: datetime, _full_scan: datetime) -> bool:
    return False


class Person(TypedDict):
    """What the sandbox wants to know of somebody."""

    name: str
    email: str


def _somebody(dice: random.Random) -> Person:
    number = dice.randrange(10**9)
    return {"name": f"Person {number}", "email": f"person-{number}@example.com"}


def _some_time(calendly: Calendly, dice: random.Random) -> datetime:
    """Give a start in the next weeks; often the same for several meetings."""
    day = calendly.clock.now().replace(hour=9, minute=0, second=0, microsecond=0)
    return day + timedelta(days=dice.randrange(1, 40), hours=dice.randrange(3))


def _event(calendly: Calendly, dice: random.Random) -> str:
    return dice.choice(list(calendly.events))


def _invitee(calendly: Calendly, dice: random.Random) -> str:
    uris = [row["uri"] for rows in calendly.invitees.values() for row in rows]
    return str(dice.choice(uris))


def _member(calendly: Calendly, dice: random.Random) -> str:
    users = [row["user"]["uri"] for row in calendly.memberships.values()]
    return str(dice.choice([user for user in users if user != calendly.owner]))
