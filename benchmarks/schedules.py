"""A month in an organization with 200 meetings a day: what each approach costs and misses.

`make schedules` simulates the same month for daily and for hourly runs: bookings, cancellations,
reschedules, edits, no-show marks and erasures, at the rates in RATES. The meetings are in memory,
and requests are counted, not made; for tap-calendly, its own sweep plan decides what is read. The
other approaches are what connectors usually do. A row is wrong if the warehouse lacks it, or holds
another version than Calendly.
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

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
HISTORY_DAYS, MONTH_DAYS, BOOKING_DAYS = 365, 30, 30
MEETINGS_A_DAY = 200
PAGE_SIZE = 100
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
    """A simulated meeting, with the versions of its two rows."""

    start: datetime
    updated: datetime
    active: bool = True
    version: int = 1
    invitee_version: int = 1


@dataclass
class Warehouse:
    """What an approach has loaded, and the requests that it took."""

    requests: int = 0
    events: dict[int, int] = field(default_factory=dict)
    invitees: dict[int, int] = field(default_factory=dict)

    def load(self, world: World, indices: Iterable[int], is_due: Callable[[Event], bool]) -> None:
        """Load meetings, and the invitees of those that are due."""
        for index in indices:
            event = world.events[index]
            self.events[index] = event.version
            if is_due(event):
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
    """The organization: its meetings so far, and what will happen to them."""

    def __init__(self) -> None:
        """Schedule all bookings, with a fixed seed."""
        self._random = random.Random(7)  # noqa: S311 - a simulation
        self._actions: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self.events: list[Event] = []
        self._starts: list[tuple[datetime, int]] = []
        for day in range(-HISTORY_DAYS, MONTH_DAYS + BOOKING_DAYS):
            for _ in range(MEETINGS_A_DAY):
                start = START + timedelta(days=day, minutes=self._random.randrange(480, 1080))
                self._schedule_booking(start, start - self._within(days=30))

    def advance(self, until: datetime) -> None:
        """Carry out everything that is scheduled up to a time."""
        while self._actions and self._actions[0][0] <= until:
            at, _, action = heappop(self._actions)
            action(at)
        self._starts.sort()

    def between(self, start: datetime | None, end: datetime | None) -> list[int]:
        """Return the meetings that start between two times, in order of their start."""
        first = 0 if start is None else bisect_left(self._starts, (start, -1))
        last = len(self._starts)
        if end is not None:
            last = bisect_left(self._starts, (end, sys.maxsize))
        return [index for _, index in self._starts[first:last]]

    def _schedule(self, at: datetime, action: Callable[[datetime], None]) -> None:
        heappush(self._actions, (at, self._random.getrandbits(60), action))

    def _within(self, *, days: float) -> timedelta:
        return timedelta(seconds=self._random.uniform(0, days * 86_400))

    def _schedule_booking(self, start: datetime, booked: datetime) -> None:
        self._schedule(booked, lambda at: self._book(start, at))

    def _book(self, start: datetime, at: datetime) -> None:
        index = len(self.events)
        event = Event(start, at)
        self.events.append(event)
        self._starts.append((start, index))
        chance = self._random.random
        if chance() < RATES["canceled"]:
            self._schedule(at + (start - at) * chance(), lambda now: _cancel(event, now))
        elif chance() < RATES["rescheduled"]:
            new_start = start + self._within(days=10)
            self._schedule(at + (start - at) * chance(), lambda now: _cancel(event, now))
            self._schedule_booking(new_start, at + (start - at) * chance())
        elif chance() < RATES["no-show, marked within 5 days"]:
            self._schedule(start + self._within(days=5), lambda _: _change_invitee(event))
        elif chance() < RATES["no-show, marked within 30 days"]:
            self._schedule(start + self._within(days=30), lambda _: _change_invitee(event))
        if chance() < RATES["edited afterwards, within 3 days"]:
            self._schedule(start + self._within(days=3), lambda now: _edit(event, now))
        if chance() < RATES["erased, within 200 days"]:
            self._schedule(start + self._within(days=200), lambda _: _change_invitee(event))


def _cancel(event: Event, now: datetime) -> None:
    event.active = False
    event.updated = now
    event.version += 1
    event.invitee_version += 1


def _edit(event: Event, now: datetime) -> None:
    event.updated = now
    event.version += 1


def _change_invitee(event: Event) -> None:
    event.invitee_version += 1


def _page_count(count: int) -> int:
    return max(1, -(-count // PAGE_SIZE))


def tap(world: World, warehouse: Warehouse, now: datetime, captured: object) -> object:
    """Load what tap-calendly would."""
    known = captured if isinstance(captured, Captured) else None
    if known is None or plan.full_scan_is_due(known, now, RULES):
        warehouse.requests += known is not None  # the request that tells the time
        swept = plan.full_scan(now, RULES)
    else:
        swept = plan.incremental_scan([known], now, RULES)

    def is_due(event: Event) -> bool:
        meeting = Meeting(event.start, event.updated, event.active, event.active, shared=False)
        return plan.invitees_are_due(meeting, known, begun, RULES)

    begun = swept
    while swept.remaining:
        part = swept.remaining[0]
        found = world.between(part.start, part.end)
        warehouse.requests += _page_count(len(found))
        warehouse.load(world, found, is_due)
        swept = plan.reached(swept, world.events[found[0]].start if found else None, None)
    return plan.complete(known, swept)


def full_refresh(world: World, warehouse: Warehouse, _now: datetime, _known: object) -> object:
    """Read everything in every run."""
    found = world.between(None, None)
    warehouse.requests += _page_count(len(found))
    warehouse.load(world, found, lambda _: True)
    return None


def start_time_cursor(world: World, warehouse: Warehouse, _now: datetime, known: object) -> object:
    """Read the meetings that start after the last one seen."""
    found = world.between(known if isinstance(known, datetime) else None, None)
    warehouse.requests += _page_count(len(found))
    warehouse.load(world, found, lambda _: True)
    return world.events[found[-1]].start if found else known


def updated_at_cursor(world: World, warehouse: Warehouse, now: datetime, known: object) -> object:
    """List all meetings, and read the invitees of those updated after the bookmark."""
    found = world.between(None, None)
    warehouse.requests += _page_count(len(found))
    warehouse.load(
        world, found, lambda event: not isinstance(known, datetime) or event.updated > known
    )
    return now


APPROACHES: dict[str, Callable[[World, Warehouse, datetime, object], object]] = {
    "tap-calendly": tap,
    "full refresh each time": full_refresh,
    "cursor on `start_time`": start_time_cursor,
    "list all meetings, cursor on `updated_at`": updated_at_cursor,
}


def simulate(approach: str, interval: timedelta) -> tuple[int, int, int]:
    """Simulate a month of runs.

    Args:
        approach: One of APPROACHES.
        interval: The time between two runs.

    Returns:
        The requests of the first run, those of the following month, and the wrong rows at its end.
    """
    world, warehouse = World(), Warehouse()
    known: object = None
    first = 0
    now = START
    while now <= START + timedelta(days=MONTH_DAYS):
        world.advance(now)
        known = APPROACHES[approach](world, warehouse, now, known)
        first = first or warehouse.requests
        now += interval
    return first, warehouse.requests - first, warehouse.wrong_rows(world)


def main() -> None:
    """Print the table."""
    lines = [
        "| schedule | approach | first run | following month | wrong rows |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for schedule, hours in (("daily", 24), ("hourly", 1)):
        for approach in APPROACHES:
            first, following, wrong = simulate(approach, timedelta(hours=hours))
            lines.append(f"| {schedule} | {approach} | {first:,} | {following:,} | {wrong:,} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
