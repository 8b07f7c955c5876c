"""A simulated organization: what happens to its meetings, and which rows are wrong since when.

Records are as the API gives them, as far as anything looks at them, but with times already parsed.
Group meetings are taken to be as hard as the API allows: whoever joins or leaves moves no
timestamp of the meeting.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_calendly.api.page import Record

    Action = Callable[[datetime], None]
    OnChange = Callable[[str, int, datetime, "Kind"], None]

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
BOOKING_DAYS = 30
"""How many days before its start a meeting is booked, at most."""

SEATS = 10
"""How many can join a group meeting; any number of them do, one by one until the start."""

RATES = {
    "group meeting": 0.10,
    "seat given up": 0.10,
    "canceled": 0.12,
    "rescheduled": 0.08,
    "edited afterwards, within 3 days": 0.10,
    "no-show, marked within 5 days": 0.06,
    "no-show, marked within 30 days": 0.01,
    "paid, reconfirmed or erased before a one-to-one meeting": 0.02,
    "erased, within 200 days of the start": 0.005,
    "erased, within 200 days of the cancellation": 0.005,
}
"""The share of meetings, or of invitees, to which something happens."""

MEETING, FIRST_INVITEE = 0, 1
"""A meeting's rows by number: its own, then those of its invitees."""


class Kind(Enum):
    """What happens to a row; webhooks tell all but the last two."""

    BOOKED = "booked"
    LEFT = "seat given up"
    CANCELED = "canceled"
    NO_SHOW = "no-show"
    EDITED = "edited"
    UNTOLD = "paid, reconfirmed or erased"


class Size(NamedTuple):
    """How much is simulated."""

    meetings_a_day: int = 200
    history_days: int = 365
    month_days: int = 30


class Wrong(NamedTuple):
    """Since when a row has been wrong, and by what."""

    since: datetime
    kind: Kind


@dataclass
class Warehouse:
    """What a warehouse holds, as far as it differs from Calendly.

    Attributes:
        wrong: The rows that are wrong, by the meeting and the row's number in it.
        late: For how long rows that are right again were wrong, added up.
    """

    wrong: dict[str, dict[int, Wrong]] = field(default_factory=dict)
    late: dict[Kind, timedelta] = field(default_factory=lambda: dict.fromkeys(Kind, timedelta()))

    def note_change(self, uri: str, row: int, at: datetime, kind: Kind) -> None:
        """Note that a row of a meeting is wrong from now on, unless it was before."""
        self.wrong.setdefault(uri, {}).setdefault(row, Wrong(max(at, START), kind))

    def load(self, uri: str, now: datetime, *, invitees: bool) -> None:
        """Load a meeting, with or without its invitees."""
        rows = self.wrong.pop(uri, {})
        for row, wrong in rows.items():
            if invitees or row == MEETING:
                self.late[wrong.kind] += now - wrong.since
            else:
                self.wrong.setdefault(uri, {})[row] = wrong

    def wrong_rows(self) -> Counter[Kind]:
        """Count the rows that are wrong now, by what happened to them first."""
        return Counter(wrong.kind for rows in self.wrong.values() for wrong in rows.values())

    def row_hours(self, now: datetime) -> dict[Kind, float]:
        """Return the hours for which each row was wrong until now, added up likewise."""
        late = dict(self.late)
        for rows in self.wrong.values():
            for wrong in rows.values():
                late[wrong.kind] += now - wrong.since
        return {kind: time / timedelta(hours=1) for kind, time in late.items()}


class Organization:
    """The organization: its meetings so far, and what will happen to them.

    Attributes:
        meetings: As the API lists them, in the order of their start.
        by_uri: The same, by their URI.
        invitees: The invitees of each meeting, by its URI, in the order of their numbers.
        updated: URIs of those whose `updated_at` has moved; whoever has read them empties it.
        on_change: Who is told each row that changes.
    """

    def __init__(self, size: Size, on_change: OnChange) -> None:
        """Schedule all bookings, with a fixed seed."""
        self.meetings: list[Record] = []
        self.by_uri: dict[str, Record] = {}
        self.invitees: dict[str, list[Record]] = {}
        self.updated: set[str] = set()
        self.on_change = [on_change]
        self._random = random.Random(7)  # noqa: S311 - a simulation
        self._actions: list[tuple[datetime, int, Action]] = []
        for day in range(-size.history_days, size.month_days + BOOKING_DAYS):
            for _ in range(size.meetings_a_day):
                start = START + timedelta(days=day, minutes=self._random.randrange(480, 1080))
                booked = start - self._within(days=BOOKING_DAYS)
                self._schedule(booked, partial(self._book, start))

    def advance(self, until: datetime) -> None:
        """Carry out everything that is scheduled up to a time."""
        while self._actions and self._actions[0][0] <= until:
            at, _, action = heappop(self._actions)
            action(at)

    def between(self, start: datetime | None, end: datetime | None) -> list[Record]:
        """Return the meetings that start between two times, both included."""
        first = 0 if start is None else bisect_left(self.meetings, start, key=_start)
        last = None if end is None else bisect_right(self.meetings, end, key=_start)
        return self.meetings[first:last]

    def _book(self, start: datetime, at: datetime) -> None:
        shared = self._happens("group meeting")
        uri = f"/scheduled_events/{len(self.meetings)}"
        meeting = {
            "uri": uri,
            "status": "active",
            "start_time": start,
            "invitees_counter": {"total": 0, "active": 0, "limit": SEATS if shared else 1},
        }
        insort(self.meetings, meeting, key=_start)
        self.by_uri[uri], self.invitees[uri] = meeting, []
        self._edit(meeting, at, Kind.BOOKED)
        self._join(meeting, at)
        if shared:
            for _ in range(self._random.randrange(SEATS)):
                self._schedule(self._between(at, start), partial(self._join, meeting))
        elif self._happens("paid, reconfirmed or erased before a one-to-one meeting"):
            change = partial(self._change, meeting, FIRST_INVITEE, kind=Kind.UNTOLD)
            self._schedule(self._between(at, start), change)
        given_up = self._between(at, start)
        if self._happens("canceled"):
            self._schedule(given_up, partial(self._cancel, meeting))
        elif self._happens("rescheduled"):
            self._schedule(given_up, partial(self._cancel, meeting))
            self._schedule(given_up, partial(self._book, start + self._within(days=10)))
        if self._happens("edited afterwards, within 3 days"):
            edit = partial(self._edit, meeting, kind=Kind.EDITED)
            self._schedule(start + self._within(days=3), edit)

    def _join(self, meeting: Record, at: datetime) -> None:
        if meeting["status"] == "canceled":
            return
        counter, start = meeting["invitees_counter"], meeting["start_time"]
        counter["total"] += 1
        counter["active"] += 1
        invitee = {"uri": f"{meeting['uri']}/invitees/{counter['total']}", "status": "active"}
        self.invitees[meeting["uri"]].append({**invitee, "no_show": None})
        self._change(meeting, MEETING, at, Kind.BOOKED)
        self._change(meeting, counter["total"], at, Kind.BOOKED)
        mark = partial(self._mark, meeting, counter["total"])
        if counter["limit"] > 1 and self._happens("seat given up"):
            leave = partial(self._leave, meeting, counter["total"])
            self._schedule(self._between(at, start), leave)
        elif self._happens("no-show, marked within 5 days"):
            self._schedule(start + self._within(days=5), mark)
        elif self._happens("no-show, marked within 30 days"):
            self._schedule(start + self._within(days=30), mark)
        if self._happens("erased, within 200 days of the start"):
            erase = partial(self._change, meeting, counter["total"], kind=Kind.UNTOLD)
            self._schedule(start + self._within(days=200), erase)

    def _leave(self, meeting: Record, row: int, at: datetime) -> None:
        if meeting["status"] == "active":
            meeting["invitees_counter"]["active"] -= 1
            self._invitee(meeting, row)["status"] = "canceled"
            self._change(meeting, MEETING, at, Kind.LEFT)
            self._change(meeting, row, at, Kind.LEFT)

    def _mark(self, meeting: Record, row: int, at: datetime) -> None:
        if meeting["status"] == "active":
            self._invitee(meeting, row)["no_show"] = {"created_at": at}
            self._change(meeting, row, at, Kind.NO_SHOW)

    def _cancel(self, meeting: Record, at: datetime) -> None:
        counter = meeting["invitees_counter"]
        meeting["status"], counter["active"] = "canceled", 0
        self._edit(meeting, at, Kind.CANCELED)
        for row in range(FIRST_INVITEE, counter["total"] + 1):
            self._invitee(meeting, row)["status"] = "canceled"
            self._change(meeting, row, at, Kind.CANCELED)
        if self._happens("erased, within 200 days of the cancellation"):
            erase = partial(self._change, meeting, FIRST_INVITEE, kind=Kind.UNTOLD)
            self._schedule(at + self._within(days=200), erase)

    def _edit(self, meeting: Record, at: datetime, kind: Kind) -> None:
        meeting["updated_at"] = at
        self.updated.add(meeting["uri"])
        self._change(meeting, MEETING, at, kind)

    def _change(self, meeting: Record, row: int, at: datetime, kind: Kind) -> None:
        for tell in self.on_change:
            tell(meeting["uri"], row, at, kind)

    def _invitee(self, meeting: Record, row: int) -> Record:
        return self.invitees[meeting["uri"]][row - FIRST_INVITEE]

    def _happens(self, what: str) -> bool:
        return self._random.random() < RATES[what]

    def _within(self, *, days: float) -> timedelta:
        return timedelta(days=self._random.uniform(0, days))

    def _between(self, first: datetime, last: datetime) -> datetime:
        return first + (last - first) * self._random.random()

    def _schedule(self, at: datetime, action: Action) -> None:
        heappush(self._actions, (at, self._random.getrandbits(60), action))


_start = itemgetter("start_time")
