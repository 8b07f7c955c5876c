"""A month in an organization: what each approach to loading its meetings costs and misses.

`make schedules` simulates the same month of `benchmarks.organization` for runs every day, every
hour and every 5 minutes. Requests are counted, not made: tap-calendly's own sweeps read meetings
from memory, and with an inbox its own hints, too. The other approaches are what connectors usually
do.

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
from itertools import chain, product
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, cast
from unittest import mock

from msgspec.structs import replace
from typing_extensions import override

from benchmarks import others
from benchmarks.inbox import ABOUT, Api, Inbox
from benchmarks.organization import START, Kind, Organization, Size, Warehouse
from tap_calendly import state, timestamps
from tap_calendly.api.page import Page
from tap_calendly.reading.endpoint import PAGE_SIZE
from tap_calendly.reading.outcome import Outcome
from tap_calendly.reading.reader import Declaration, Reader
from tap_calendly.reading.source import Lookup, Row
from tap_calendly.settings import Settings
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.state import Bookmark, Captured, StreamState
from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents
from tap_calendly.sweep.checkpoints import Swept
from tap_calendly.sweep.inbox import InboxHints, Known
from tap_calendly.sweep.runner import SweepRunner

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from tap_calendly.inbox.reader import InboxReader
    from tap_calendly.reading.parent import Context
    from tap_calendly.reading.prefetch import Batch
    from tap_calendly.run import Run

EVERY_FIVE = "every 5 minutes"
SCHEDULES = {
    "daily": timedelta(days=1),
    "hourly": timedelta(hours=1),
    EVERY_FIVE: timedelta(minutes=5),
}
EVERY_RUN, DOUBLING = "tap-calendly, `every_run`", "tap-calendly, `doubling`"
INBOX, LOSING = WITH_INBOX = "tap-calendly, inbox", "tap-calendly, inbox, 1 % lost"
LOGGER = logging.getLogger(__name__)
LOGGER.addHandler(logging.NullHandler())


class Result(NamedTuple):
    """The requests of the first run and of the following month, and what is wrong."""

    first_run: int
    following_month: int
    wrong_rows: Counter[Kind]
    row_hours: dict[Kind, float]

    def figures(self) -> list[str]:
        """Return all of it as the cells of a table."""
        wrong, hours = self.wrong_rows.total(), sum(self.row_hours.values())
        return [f"{one:,.0f}" for one in (self.first_run, self.following_month, wrong, hours)]

    def of(self, kind: Kind) -> str:
        """Return what is wrong since something happened, as a cell."""
        return f"{self.wrong_rows[kind]:,} / {self.row_hours[kind]:,.0f}"


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
    """Carry out the hints and sweeps of tap-calendly."""

    def __init__(
        self,
        organization: Organization,
        warehouse: Warehouse,
        inbox: Inbox | None = None,
        **settings: str,
    ) -> None:
        """Start with nothing loaded; all other settings have their defaults."""
        super().__init__(organization, warehouse)
        known = SETTINGS.to_dict()["properties"].items()
        config = {name: setting["default"] for name, setting in known if "default" in setting}
        self._settings = Settings.parse(config | settings, "")
        self._states = [_State(one.name, {}, "", "") for one in (ScheduledEvents, EventInvitees)]
        self._inbox = inbox
        self._known: state.Inbox | None = None
        if inbox is not None:
            organization.on_change.append(inbox.note_change)

    @override
    def run(self, now: datetime) -> int:
        api = Api(self.organization, now)
        account = SimpleNamespace(answers={})
        scope = SimpleNamespace(parameters=lambda _: ABOUT)
        facts = {"settings": self._settings, "client": api, "account": account, "scope": scope}
        run = cast("Run", SimpleNamespace(logger=LOGGER, **facts))
        meetings = _Meetings(self.organization, run)
        outcome = Outcome(EventInvitees.name, LOGGER)
        invitees = Reader(cast("Declaration", EventInvitees), run, outcome)
        streams = [
            Swept(reader.stream.name, entry, reader.outcome)
            for reader, entry in zip((meetings, invitees), self._states, strict=True)
        ]
        # Parsing the times of every row would take most of the time.
        with mock.patch.object(timestamps, "of", dict.get):
            runner = SweepRunner(meetings, [invitees], streams, None, _nothing)
            hints = self._hints(meetings, invitees)
            hinted = () if hints is None else runner.hinted(hints)
            requests = sum(self._emit(batch, now) for batch in chain(hinted, runner.fresh(hints)))
        return api.requests + meetings.requests + requests

    def _hints(self, meetings: Reader, invitees: Reader) -> InboxHints | None:
        """Return what the inbox says now, as `ScheduledEvents` does."""
        if self._inbox is None:
            return None
        captured = [entry.captured() for entry in self._states]
        positions = [one.position for one in captured if one is not None]
        known = Known(self._known, positions)
        self._inbox.beat = meetings.run.client.now
        inbox = cast("InboxReader", self._inbox)
        hints = InboxHints(inbox, self._inbox.subscription, meetings, [invitees], known)
        self._known = hints.current
        return hints

    def _emit(self, batch: Batch[Row | Lookup], now: datetime) -> int:
        """Load a batch, and return how many requests for invitees that takes."""
        requests = 0
        for row in batch.rows:
            if isinstance(row, Lookup):
                for found in row.read():
                    self.warehouse.load(found.record["uri"], now, invitees=True)
            else:
                due = bool(row.contexts)
                self.warehouse.load(row.record["uri"], now, invitees=due)
                requests += due
        if batch.on_emitted is not None:
            batch.on_emitted()
        return requests


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
        written, position = self._written, self._entry.get("position")
        return None if written is None else replace(written, position=position)

    @override
    def write(self, captured: Bookmark | Captured) -> None:
        super().write(captured)
        self._written = captured if isinstance(captured, Captured) else None


def _with_inbox(organization: Organization, warehouse: Warehouse, lost: float = 0) -> Tap:
    return Tap(organization, warehouse, Inbox(lost))


APPROACHES: dict[str, Callable[[Organization, Warehouse], Approach]] = {
    EVERY_RUN: partial(Tap, invitee_rechecks="every_run"),
    DOUBLING: partial(Tap, invitee_rechecks="doubling"),
    INBOX: _with_inbox,
    LOSING: partial(_with_inbox, lost=0.01),
    "full refresh each time": FullRefresh,
    "cursor on `start_time`": StartTimeCursor,
    "list all meetings, cursor on `updated_at`": UpdatedAtCursor,
}
SMALL, LARGE = Size(meetings_a_day=20), Size(meetings_a_day=200)
CASES = [
    *product(("daily", "hourly"), (one for one in APPROACHES if one not in WITH_INBOX)),
    *product(("hourly", EVERY_FIVE), WITH_INBOX),
]
COMPARED = [
    ("daily", EVERY_RUN),
    ("hourly", EVERY_RUN),
    ("hourly", DOUBLING),
    ("hourly", INBOX),
    (EVERY_FIVE, INBOX),
]
BY_KIND = [("hourly", EVERY_RUN), ("hourly", INBOX), (EVERY_FIVE, INBOX), (EVERY_FIVE, LOSING)]


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
    cases = [*((*one, LARGE) for one in CASES), *((*one, SMALL) for one in COMPARED)]
    with ProcessPoolExecutor(max_workers=2) as pool:
        results = dict(zip(cases, pool.map(simulate, *zip(*cases, strict=True)), strict=True))
    large = {one: results[(*one, LARGE)] for one in CASES}
    approaches = [[*one, *large[one].figures()] for one in CASES]
    kinds = [[kind.value, *(large[one].of(kind) for one in BY_KIND)] for kind in Kind]
    sizes = []
    for size in (SMALL, LARGE):
        figures = [f"{results[(*one, size)].following_month:,}" for one in COMPARED]
        sizes.append([str(size.meetings_a_day), *figures])
    run, month = others.requests_of_a_run(others.ORGANIZATION), timedelta(days=LARGE.month_days)
    schedules = [[schedule, f"{run * (month // pause):,}"] for schedule, pause in SCHEDULES.items()]
    heads = ["first run", "following month", "wrong rows", "row-hours wrong"]
    tables = [
        *_table(["schedule", "approach"], heads, approaches),
        *_table(["wrong rows / row-hours"], [*map(_name, BY_KIND)], kinds),
        *_table(["meetings a day"], [*map(_name, COMPARED)], sizes),
        *_table(["all other streams"], ["a month"], schedules),
    ]
    sys.stdout.write("\n".join(tables) + "\n")


def _name(case: tuple[str, str]) -> str:
    return ", ".join(case).replace("tap-calendly, ", "")


def _table(words: list[str], figures: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown, and an empty one."""
    rule = [*("---" for _ in words), *("---:" for _ in figures)]
    for cells in ([*words, *figures], rule, *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE_SIZE))


def _nothing() -> None:
    """Write no STATE."""


if __name__ == "__main__":
    main()
