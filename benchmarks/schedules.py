"""A month in an organization: what each approach to loading its meetings costs and misses.

`make schedules` simulates the same month of `benchmarks.organization` for daily and for hourly
runs. Requests are counted, not made: tap-calendly's own sweeps read meetings from memory. The other
approaches are what connectors usually do.

A row is wrong while the warehouse lacks it or holds another version than Calendly. Row-hours add up
for how long each row was wrong: from a change to the run that loads it, or to the end of the month.
What changed before the first run does not count.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, cast
from unittest import mock

from typing_extensions import override

from benchmarks.organization import START, Organization, Size, Warehouse
from tap_calendly import timestamps
from tap_calendly.api.page import Page
from tap_calendly.api.throttle import SystemClock
from tap_calendly.reading.endpoint import PAGE_SIZE
from tap_calendly.reading.outcome import Outcome
from tap_calendly.reading.reader import Declaration, Reader
from tap_calendly.reading.source import Row
from tap_calendly.settings import InviteeRechecks, Settings
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.state import Bookmark, Captured, StreamState
from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents
from tap_calendly.sweep.checkpoints import Swept
from tap_calendly.sweep.runner import SweepRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from tap_calendly.reading.parent import Context
    from tap_calendly.run import Run

SCHEDULES = {"daily": timedelta(days=1), "hourly": timedelta(hours=1)}
EVERY_RUN, DOUBLING = "tap-calendly, `every_run`", "tap-calendly, `doubling`"
LOGGER = logging.getLogger(__name__)


class Result(NamedTuple):
    """The requests of the first run and of the following month, and what is wrong."""

    first_run: int
    following_month: int
    wrong_rows: int
    row_hours: float


class Approach:
    """A way to load the meetings, run after run."""

    def __init__(self, organization: Organization, warehouse: Warehouse) -> None:
        """Start with nothing loaded."""
        self.organization = organization
        self.warehouse = warehouse

    def run(self, now: datetime) -> int:
        """Make a run, and return the requests that it takes."""
        raise NotImplementedError

    def load(self, now: datetime, uris: Iterable[str], due: Container[str]) -> None:
        """Load meetings, and invitees for those that are in `due`."""
        for uri in [*uris]:  # a copy, as they may be the wrong ones, which loading changes
            self.warehouse.load(uri, now, invitees=uri in due)


class FullRefresh(Approach):
    """Read everything in every run."""

    @override
    def run(self, now: datetime) -> int:
        wrong, meetings = self.warehouse.wrong, self.organization.meetings
        self.load(now, wrong, wrong)  # the other rows stay as they are
        return _pages(len(meetings)) + len(meetings)


class StartTimeCursor(Approach):
    """Read the meetings that start no earlier than the last one seen."""

    last: datetime | None = None

    @override
    def run(self, now: datetime) -> int:
        found = self.organization.between(self.last, None)
        uris = {meeting["uri"] for meeting in found}
        self.load(now, uris, uris)
        self.last = found[-1]["start_time"]
        return _pages(len(found)) + len(found)


class UpdatedAtCursor(Approach):
    """List all meetings, and read the invitees of those updated since the last run."""

    @override
    def run(self, now: datetime) -> int:
        updated, self.organization.updated = self.organization.updated, set()
        self.load(now, self.warehouse.wrong, updated)
        return _pages(len(self.organization.meetings)) + len(updated)


class Tap(Approach):
    """Carry out the sweeps of tap-calendly."""

    def __init__(
        self,
        organization: Organization,
        warehouse: Warehouse,
        invitee_rechecks: InviteeRechecks,
    ) -> None:
        """Start with nothing loaded; all other settings have their defaults."""
        super().__init__(organization, warehouse)
        known = SETTINGS.to_dict()["properties"].items()
        config = {name: setting["default"] for name, setting in known if "default" in setting}
        self._settings = Settings.parse(config | {"invitee_rechecks": invitee_rechecks}, "")
        self._states = [_State(one.name, {}, "", "") for one in (ScheduledEvents, EventInvitees)]

    @override
    def run(self, now: datetime) -> int:
        client = SimpleNamespace(now=now, throttle=SimpleNamespace(clock=SystemClock()))
        run = cast("Run", SimpleNamespace(settings=self._settings, client=client))
        meetings = _Meetings(self.organization, run)
        outcome = Outcome(EventInvitees.name, LOGGER)
        invitees = Reader(cast("Declaration", EventInvitees), run, outcome)
        streams = [
            Swept(reader.stream.name, state, reader.outcome)
            for reader, state in zip((meetings, invitees), self._states, strict=True)
        ]
        requests = 0
        # Parsing the times of every row would take most of the time.
        with mock.patch.object(timestamps, "of", dict.get):
            for batch in SweepRunner(meetings, [invitees], streams, None, _nothing).fresh():
                for row in batch.rows:
                    if not isinstance(row, Row):
                        continue
                    due = bool(row.contexts)
                    self.warehouse.load(row.record["uri"], now, invitees=due)
                    requests += due
                if batch.on_emitted is not None:
                    batch.on_emitted()
        return meetings.requests + requests


class _Meetings(Reader):
    """The list of meetings, in memory."""

    def __init__(self, organization: Organization, run: Run) -> None:
        stream = cast("Declaration", ScheduledEvents)
        super().__init__(stream, run, Outcome(stream.name, LOGGER))
        self.requests = 0
        self._organization = organization

    @override
    def pages(
        self, context: Context | None = None, bounds: Mapping[str, str] | None = None
    ) -> Iterator[Page]:
        given = {name: timestamps.parse(bound) for name, bound in (bounds or {}).items()}
        earliest, latest = given.get("min_start_time"), given.get("max_start_time")
        found = self._organization.between(earliest, latest)
        for number in range(_pages(len(found))):
            rows = found[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
            more = (number + 1) * PAGE_SIZE < len(found)
            self.requests += 1
            yield Page(rows, "more" if more else None, self.run.client.now)


class _State(StreamState):
    """An entry that is not parsed again; that would take as long."""

    _written: Captured | None = None

    @override
    def captured(self) -> Captured | None:
        return self._written

    @override
    def write(self, captured: Bookmark | Captured) -> None:
        super().write(captured)
        self._written = captured if isinstance(captured, Captured) else None


APPROACHES: dict[str, Callable[[Organization, Warehouse], Approach]] = {
    EVERY_RUN: partial(Tap, invitee_rechecks="every_run"),
    DOUBLING: partial(Tap, invitee_rechecks="doubling"),
    "full refresh each time": FullRefresh,
    "cursor on `start_time`": StartTimeCursor,
    "list all meetings, cursor on `updated_at`": UpdatedAtCursor,
}
COMPARED = [("daily", EVERY_RUN), ("hourly", EVERY_RUN), ("hourly", DOUBLING)]
SMALL, LARGE = Size(meetings_a_day=20), Size(meetings_a_day=200)


def simulate(schedule: str, approach: str, size: Size) -> Result:
    """Simulate a month of runs, with one of SCHEDULES and one of APPROACHES."""
    warehouse = Warehouse()
    organization = Organization(size, warehouse.note_change)
    loading = APPROACHES[approach](organization, warehouse)
    requests = []
    now, end = START, START + timedelta(days=size.month_days)
    while now <= end:
        organization.advance(now)
        requests.append(loading.run(now))
        now += SCHEDULES[schedule]
    first, *following = requests
    return Result(first, sum(following), warehouse.wrong_rows(), warehouse.row_hours(end))


def main() -> None:
    """Print the tables."""
    large = [(*one, LARGE) for one in product(SCHEDULES, APPROACHES)]
    cases = [*large, *((*one, SMALL) for one in COMPARED)]
    with ProcessPoolExecutor(max_workers=2) as pool:
        results = dict(zip(cases, pool.map(simulate, *zip(*cases, strict=True)), strict=True))
    lines = [
        "| schedule | approach | first run | following month | wrong rows | row-hours wrong |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for schedule, approach, size in large:
        figures = [f"{figure:,.0f}" for figure in results[schedule, approach, size]]
        lines.append(f"| {schedule} | {approach} | {' | '.join(figures)} |")
    lines += [
        "",
        "| meetings a day | daily, `every_run` | hourly, `every_run` | hourly, `doubling` |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for size in (SMALL, LARGE):
        figures = [f"{results[(*one, size)].following_month:,}" for one in COMPARED]
        lines.append(f"| {size.meetings_a_day} | {' | '.join(figures)} |")
    sys.stdout.write("\n".join(lines) + "\n")


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE_SIZE))


def _nothing() -> None:
    """Write no STATE."""


if __name__ == "__main__":
    main()
