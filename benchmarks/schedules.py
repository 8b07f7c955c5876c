"""A month of an organization with 200 meetings a day: what each way of loading costs and loses.

`python -m benchmarks.schedules` plays the same month for daily and for hourly runs: bookings,
cancellations, reschedules, edits, no-show marks and erasures, at the times and rates of RATES. The
meetings are in memory, and requests are counted, not made; the tap's own plan decides for the tap.
The other ways are what connectors usually do. A row is wrong when the warehouse holds another
version than Calendly, or none.
"""

from __future__ import annotations

import random
import sys
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from tap_calendly.state import Captured
from tap_calendly.sweep import plan
from tap_calendly.sweep.plan import Meeting, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BEGIN = datetime(2026, 3, 2, tzinfo=timezone.utc)
HISTORY_DAYS, MONTH_DAYS, AHEAD_DAYS = 365, 30, 30
MEETINGS_A_DAY = 200
PAGE = 100
RATES = {
    "canceled": 0.12,
    "rescheduled": 0.08,
    "edited afterwards, within 3 days": 0.10,
    "no-show, marked within 5 days": 0.06,
    "no-show, marked within 30 days": 0.01,
    "erased, within 200 days": 0.005,
}
RULES = Rules(timedelta(days=7), timedelta(days=7), None)


@dataclass
class Event:
    """A meeting of the simulation, with the versions of its two rows."""

    start: datetime
    updated: datetime
    active: bool = True
    version: int = 1
    invitee_version: int = 1


@dataclass
class Warehouse:
    """What a way of loading has loaded, and the requests that it took."""

    requests: int = 0
    events: dict[int, int] = field(default_factory=dict)
    invitees: dict[int, int] = field(default_factory=dict)

    def load(self, world: World, indices: Iterable[int], read: Callable[[Event], bool]) -> None:
        """Load meetings, and those invitees that are read."""
        for index in indices:
            event = world.events[index]
            self.events[index] = event.version
            if read(event):
                self.requests += 1
                self.invitees[index] = event.invitee_version

    def wrong_rows(self, world: World) -> int:
        """Count the rows that differ from Calendly's."""
        return sum(
            (self.events.get(index) != event.version)
            + (self.invitees.get(index) != event.invitee_version)
            for index, event in enumerate(world.events)
        )


class World:
    """The organization: its meetings by now, and what will happen to them."""

    def __init__(self) -> None:
        """Plan everything from a fixed seed."""
        self._dice = random.Random(7)  # noqa: S311 - a simulation
        self._deeds: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self.events: list[Event] = []
        self._starts: list[tuple[datetime, int]] = []
        for day in range(-HISTORY_DAYS, MONTH_DAYS + AHEAD_DAYS):
            for _ in range(MEETINGS_A_DAY):
                start = BEGIN + timedelta(days=day, minutes=self._dice.randrange(480, 1080))
                self._plan_booking(start, start - self._within(days=30))

    def play(self, until: datetime) -> None:
        """Let everything happen up to a time."""
        while self._deeds and self._deeds[0][0] <= until:
            at, _, deed = heappop(self._deeds)
            deed(at)
        self._starts.sort()

    def between(self, start: datetime | None, end: datetime | None) -> list[int]:
        """Return the meetings that start between two times, in the order of start."""
        first = 0 if start is None else bisect_left(self._starts, (start, -1))
        last = len(self._starts)
        if end is not None:
            last = bisect_left(self._starts, (end, sys.maxsize))
        return [index for _, index in self._starts[first:last]]

    def _plan(self, at: datetime, deed: Callable[[datetime], None]) -> None:
        heappush(self._deeds, (at, self._dice.getrandbits(60), deed))

    def _within(self, *, days: float) -> timedelta:
        return timedelta(seconds=self._dice.uniform(0, days * 86_400))

    def _plan_booking(self, start: datetime, booked: datetime) -> None:
        self._plan(booked, lambda at: self._book(start, at))

    def _book(self, start: datetime, at: datetime) -> None:
        index = len(self.events)
        event = Event(start, at)
        self.events.append(event)
        self._starts.append((start, index))
        luck = self._dice.random
        if luck() < RATES["canceled"]:
            self._plan(at + (start - at) * luck(), lambda now: _cancel(event, now))
        elif luck() < RATES["rescheduled"]:
            moved = start + self._within(days=10)
            self._plan(at + (start - at) * luck(), lambda now: _cancel(event, now))
            self._plan_booking(moved, at + (start - at) * luck())
        elif luck() < RATES["no-show, marked within 5 days"]:
            self._plan(start + self._within(days=5), lambda _: _touch_invitee(event))
        elif luck() < RATES["no-show, marked within 30 days"]:
            self._plan(start + self._within(days=30), lambda _: _touch_invitee(event))
        if luck() < RATES["edited afterwards, within 3 days"]:
            self._plan(start + self._within(days=3), lambda now: _edit(event, now))
        if luck() < RATES["erased, within 200 days"]:
            self._plan(start + self._within(days=200), lambda _: _touch_invitee(event))


def _cancel(event: Event, now: datetime) -> None:
    event.active = False
    event.updated = now
    event.version += 1
    event.invitee_version += 1


def _edit(event: Event, now: datetime) -> None:
    event.updated = now
    event.version += 1


def _touch_invitee(event: Event) -> None:
    event.invitee_version += 1


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE))


def tap(world: World, warehouse: Warehouse, now: datetime, captured: object) -> object:
    """Load as tap-calendly does."""
    known = captured if isinstance(captured, Captured) else None
    if known is None or plan.full_scan_is_due(known, now, RULES):
        warehouse.requests += known is not None  # the page from whose answer the time is known
        swept = plan.full_scan(now, RULES)
    else:
        swept = plan.partial([known], now, RULES)

    def is_due(event: Event) -> bool:
        meeting = Meeting(event.start, event.updated, event.active, event.active, shared=False)
        return plan.invitees_are_due(meeting, known, begun, RULES)

    begun = swept
    while swept.remaining:
        part = swept.remaining[0]
        found = world.between(part.start, part.end)
        warehouse.requests += _pages(len(found))
        warehouse.load(world, found, is_due)
        swept = plan.reached(swept, world.events[found[0]].start if found else None, None)
    return plan.complete(known, swept)


def full_refresh(world: World, warehouse: Warehouse, _now: datetime, _known: object) -> object:
    """Read everything in every run."""
    found = world.between(None, None)
    warehouse.requests += _pages(len(found))
    warehouse.load(world, found, lambda _: True)
    return None


def start_time_cursor(world: World, warehouse: Warehouse, _now: datetime, known: object) -> object:
    """Read the meetings that start after the last one seen."""
    found = world.between(known if isinstance(known, datetime) else None, None)
    warehouse.requests += _pages(len(found))
    warehouse.load(world, found, lambda _: True)
    return world.events[found[-1]].start if found else known


def updated_at_walk(world: World, warehouse: Warehouse, now: datetime, known: object) -> object:
    """List everything, and read the invitees of what has a newer timestamp than the bookmark."""
    found = world.between(None, None)
    warehouse.requests += _pages(len(found))
    warehouse.load(
        world, found, lambda event: not isinstance(known, datetime) or event.updated > known
    )
    return now


WAYS: dict[str, Callable[[World, Warehouse, datetime, object], object]] = {
    "tap-calendly": tap,
    "full refresh each time": full_refresh,
    "cursor on start_time": start_time_cursor,
    "whole walk, cursor on updated_at": updated_at_walk,
}


def month(way: str, every: timedelta) -> tuple[int, int, int]:
    """Play a month.

    Args:
        way: One of WAYS.
        every: The time from run to run.

    Returns:
        The requests of the first run, those of the month after it, and the rows that are wrong
        after its last run.
    """
    world, warehouse = World(), Warehouse()
    known: object = None
    first = 0
    now = BEGIN
    while now <= BEGIN + timedelta(days=MONTH_DAYS):
        world.play(now)
        known = WAYS[way](world, warehouse, now, known)
        first = first or warehouse.requests
        now += every
    return first, warehouse.requests - first, warehouse.wrong_rows(world)


def main() -> None:
    """Print the table."""
    lines = [
        "| schedule | way | first run | the month after it | rows wrong |",
        "| - | - | -: | -: | -: |",
    ]
    for schedule, hours in (("daily", 24), ("hourly", 1)):
        for way in WAYS:
            first, after, wrong = month(way, timedelta(hours=hours))
            lines.append(f"| {schedule} | {way} | {first:,} | {after:,} | {wrong:,} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
