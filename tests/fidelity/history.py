"""Random histories of a company, with the tap's runs in them.

Every life event that the sandbox knows, at random times, between runs that are minutes to weeks
apart, with runs that are killed, streams that fail or are selected only some of the time, with
settings that change between runs, and life events between any two requests of a run.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.reporting.errors import StreamsError
from tap_calendly.settings import InviteeRechecks
from tap_calendly.timestamps import parse
from tests.fidelity.chronicle import Chronicle, Version
from tests.fidelity.life import LIFE_EVENTS, happens
from tests.singer import STREAMS, Killed, Run, Tables, size_of, sync, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fidelity.life import LifeEvent

    Key = tuple[str, str]
    Way = Callable[[Key, int, Version], str | None]

START = datetime(2026, 3, 4, 9, 30, 0, 250_000, tzinfo=timezone.utc)
SELECTIONS = (STREAMS, STREAMS, STREAMS[:2], STREAMS[:1], STREAMS[1:2])
NEVER = datetime.min.replace(tzinfo=timezone.utc)
FULL_TABLES = ("organization_memberships", "routing_forms")
PATHS = (
    "/scheduled_events",
    "/scheduled_events/*/invitees",
    "/scheduled_events/*/invitees",
    "/event_types",
    "/event_types/*",
    "/organization_memberships",
    "/routing_forms",
    "/routing_form_submissions",
)
SEEDS = st.integers(min_value=0, max_value=2**32)
MINUTES = st.sampled_from([1, 20, 45, 60, 90, 360, 1440, 4320, 14_400, 14_400, 36_000, 36_000])
AROUND = st.sampled_from([-1500, -1430, -40, -5, 5, 50, 65, 130, 250])
"""Minutes from a meeting's start."""
MODES = get_args(InviteeRechecks)
INTERVALS = (0, 3, 7, 30)

Ended = Literal["well", "killed", "failed", "never stable"]


class History(RuleBasedStateMachine):
    """A company's history, and the tables that the tap loads from it.

    Attributes:
        figures: What all histories together were made of.
    """

    figures: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        """Found the company."""
        super().__init__()
        self.clock = SimulatedClock(START)
        self.calendly = Calendly(self.clock, seed=1, plan="teams")
        self.sandbox = Sandbox(self.calendly, requests_per_minute=1_000_000)
        self.sandbox.__enter__()
        self.tables: Tables = {}
        self.state: dict[str, Any] = {}
        self.required: dict[Key, int] = {}
        self.runs: list[datetime] = []
        self.without_types = NEVER
        self.passed_over: set[str] = set()

    @override
    def teardown(self) -> None:
        """Stop the sandbox."""
        self.sandbox.__exit__(None, None, None)
        self.figures["histories"] += 1
        if self.figures["histories"] % 100 == 0:
            print(dict(sorted(self.figures.items())), flush=True)  # noqa: T201 - how far `make fidelity` is

    @initialize(
        lookback=st.sampled_from([1, 7, 30]),
        interval=st.sampled_from(INTERVALS),
        mode=st.sampled_from(MODES),
        bounded=st.booleans(),
        seed=SEEDS,
    )
    def found(
        self, lookback: int, interval: int, mode: InviteeRechecks, seed: int, *, bounded: bool
    ) -> None:
        """Choose the settings, add the first host, and let the first life events happen."""
        self.settings: dict[str, Any] = {
            "lookback_days": lookback,
            "full_scan_interval_days": interval,
            "invitee_rechecks": mode,
            "retry_timeout": 1,
        }
        self.start_date = START - timedelta(days=20) if bounded else None
        if self.start_date is not None:
            self.settings["start_date"] = self.start_date.isoformat()
        self.chronicle = Chronicle(timedelta(days=lookback))
        host = self.calendly.add_member(name="Ada", email="ada@example.com")
        self.calendly.add_event_type(owner=host, name="Call", duration=30)
        self.calendly.add_event_type(owner=host, name="Class", duration=60, kind="group")
        self.calendly.add_routing_form(name="Contact", questions=[])
        rng = random.Random(seed)  # noqa: S311 - a history, no secret
        for _ in range(8):
            self.live(rng)
        self.observe()

    @invariant()
    def count_steps(self) -> None:
        """Count the steps."""
        self.figures["steps"] += 1

    @rule(minutes=MINUTES, seed=SEEDS, times=st.integers(0, 4))
    def time_passes(self, minutes: int, seed: int, times: int) -> None:
        """Let time pass, from a minute to weeks, and then life go on."""
        self.advance(timedelta(minutes=minutes))
        self.life_goes_on(seed, times)

    @rule(minutes=AROUND, seed=SEEDS, times=st.integers(0, 4))
    def a_start_comes_near(self, minutes: int, seed: int, times: int) -> None:
        """Let time pass until shortly before or after a meeting's start, or a day before it."""
        now, around = self.clock.now(), timedelta(minutes=minutes)
        starts = sorted(parse(row["start_time"]) for row in self.calendly.events.values())
        ahead = [start + around for start in starts if start + around > now][:3]
        if ahead:
            self.advance(ahead[seed % len(ahead)] - now)
        self.life_goes_on(seed, times)

    @rule(seed=SEEDS, times=st.integers(1, 6))
    def life_goes_on(self, seed: int, times: int) -> None:
        """Let life events happen, seconds to most of an hour apart."""
        rng = random.Random(seed)  # noqa: S311 - a history, no secret
        for _ in range(times):
            self.advance(timedelta(seconds=rng.uniform(1, rng.choice((60, 3600)))))
            self.live(rng)

    @rule(selected=st.sampled_from(SELECTIONS), seed=SEEDS, busy=st.sampled_from([0.0, 0.1, 0.6]))
    def the_tap_runs(self, selected: tuple[str, ...], seed: int, busy: float) -> None:
        """Run the tap while life goes on, and compare the tables."""
        began = self.clock.now().replace(microsecond=0)
        observed = {key: len(versions) for key, versions in self.chronicle.versions.items()}
        before = self.state

        run = self.run(selected, seed, busy)

        assert size_of(run.state) <= 2048
        full_scans = {stream: self.last_full_scan(stream, began, before) for stream in selected}
        if "event_types" in selected:
            full_scans["event_types"] = self.full_scan_for_types(full_scans["scheduled_events"])
            assert self.without_row() <= self.passed_over
        for stream, full_scan in full_scans.items():
            self.compare(stream, self.way(stream, began, full_scan, observed))

    @rule(
        selected=st.sampled_from(SELECTIONS),
        seed=SEEDS,
        busy=st.sampled_from([0.0, 0.6]),
        after=st.integers(1, 60),
        mode=st.sampled_from(MODES),
    )
    def the_tap_is_killed(
        self,
        *,
        selected: tuple[str, ...],
        seed: int,
        busy: float,
        after: int,
        mode: InviteeRechecks,
    ) -> None:
        """Run the tap and kill it on the way, once or twice; then usually let it finish."""
        for _ in range(1 + seed % 2):
            self.run(selected, seed, busy, killed_after=after)
            self.life_goes_on(seed=seed, times=seed % 3)
            self.settings["invitee_rechecks"] = mode
        if seed % 4:
            self.the_tap_runs(selected=selected, seed=seed, busy=busy)

    @rule(
        selected=st.sampled_from(SELECTIONS),
        seed=SEEDS,
        busy=st.sampled_from([0.0, 0.6]),
        path=st.sampled_from(PATHS),
        status=st.sampled_from([500, 500, 403, 404]),
        after=st.integers(0, 12),
        mode=st.sampled_from(MODES),
    )
    def a_stream_fails(  # noqa: PLR0913 - all of them drawn
        self,
        *,
        selected: tuple[str, ...],
        seed: int,
        busy: float,
        path: str,
        status: int,
        after: int,
        mode: InviteeRechecks,
    ) -> None:
        """Run the tap while some requests fail, once or twice; then usually without failures."""
        for _ in range(1 + seed % 2):
            self.sandbox.faults.add(Fault(path, status=status, after=after, times=None))
            self.run(selected, seed, busy, may_fail=True)
            self.sandbox.faults.clear()
            if path.startswith("/event_types") and status < 500:  # skipped, or passed over
                self.note_run_without_types()
            self.life_goes_on(seed=seed, times=seed % 3)
            self.settings["invitee_rechecks"] = mode
        if seed % 4:
            self.the_tap_runs(selected=selected, seed=seed, busy=busy)

    @rule(
        mode=st.sampled_from(MODES),
        interval=st.sampled_from(INTERVALS),
        unbounded=st.sampled_from([False, False, True]),
    )
    def settings_change(self, mode: InviteeRechecks, interval: int, *, unbounded: bool) -> None:
        """Change the settings for the runs that follow."""
        self.settings |= {"invitee_rechecks": mode, "full_scan_interval_days": interval}
        if unbounded:
            self.settings.pop("start_date", None)
            self.start_date = None

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        self.clock.advance(delta)

    def live(self, rng: random.Random, life_events: Sequence[LifeEvent] = LIFE_EVENTS) -> None:
        """Let one life event happen, and record it."""
        with self.calendly.lock:
            if happens(rng.choice(life_events), self.calendly, rng):
                self.observe()

    def observe(self) -> None:
        """Record what has changed."""
        self.chronicle.observe(truth(self.sandbox), self.clock.now())

    @property
    def settings_of_run(self) -> dict[str, Any]:
        """The settings of the next run."""
        return self.settings

    def run(
        self,
        selected: tuple[str, ...],
        seed: int,
        busy: float,
        *,
        killed_after: int | None = None,
        may_fail: bool = False,
    ) -> Run:
        """Run the tap, load what it wrote, and keep its last state."""
        run = Run(killed_after=killed_after)
        ended = self.run_once(run, selected, seed, busy)
        assert ended != "killed" or killed_after is not None
        assert ended != "failed" or may_fail
        # With life between any two requests, a full table may never hold still.
        unstable = ended == "never stable" and not may_fail
        return self.run(selected, seed, busy=0.0) if unstable else run

    def run_once(self, run: Run, selected: tuple[str, ...], seed: int, busy: float) -> Ended:
        """Run the tap, load what it wrote, and return how it ended."""
        rng = random.Random(seed)  # noqa: S311 - a history, no secret
        self.runs.append(self.clock.now())
        self.figures["runs"] += 1

        def interlude() -> None:
            self.advance(timedelta(seconds=rng.uniform(0, 30)))
            if rng.random() < busy:
                self.live(rng)

        ended: Ended = "well"
        self.sandbox.interrupt(interlude)
        try:
            settings = self.settings_of_run
            sync(self.sandbox, select=set(selected), state=self.state, into=run, **settings)
        except Killed:
            ended = "killed"
        except StreamsError as error:
            never_stable = busy > 0 and "rows came and went" in str(error)
            ended = "never stable" if never_stable else "failed"
        finally:
            self.sandbox.interrupt(None)
        self.tables = run.tables(self.tables)
        self.state = run.state or self.state
        if "scheduled_events" in selected and "event_types" not in selected:
            self.note_run_without_types()
        return ended

    def note_run_without_types(self) -> None:
        """Note that meetings may have been read without the event types that they name."""
        self.without_types = self.clock.now()
        self.passed_over |= self.without_row()

    def without_row(self) -> set[str]:
        """Return the event types that loaded meetings name and that have no row."""
        return self.named_types() - self.tables.get("event_types", {}).keys()

    def named_types(self) -> set[str]:
        """Return the event types that loaded meetings name; those of deleted ones are not read."""
        loaded = self.tables.get("scheduled_events", {})
        return {loaded[uri]["event_type"] for uri in loaded.keys() & self.calendly.events.keys()}

    def full_scan_for_types(self, full_scan: datetime) -> datetime:
        """Return when the last run began that read every event type that meetings name."""
        if full_scan <= self.without_types:
            return NEVER
        self.passed_over.clear()
        return max(began for began in self.runs if began <= full_scan + timedelta(seconds=1))

    def last_full_scan(self, stream: str, began: datetime, before: dict[str, Any]) -> datetime:
        """Return when the last full scan began, by the state; check that none was missed."""
        entry = self.state["bookmarks"][stream]
        assert "sweep" not in entry
        if "full_scan" not in entry:
            return began
        latest = parse(entry["full_scan"])
        last = before.get("bookmarks", {}).get(stream, {}).get("full_scan")
        interval = timedelta(days=self.settings["full_scan_interval_days"])
        if last is not None and interval and began - parse(last) >= interval:
            assert latest > parse(last)
        return latest

    def way(
        self, stream: str, began: datetime, full_scan: datetime, observed: dict[Key, int]
    ) -> Way:
        """Return what says in which way a version was due in the run, if it was."""
        del stream  # all are the same here
        mode = self.settings["invitee_rechecks"]

        def way(key: Key, index: int, version: Version) -> str | None:
            is_due = index < observed.get(key, 0) and version.is_due(began, full_scan, mode)
            return mode if is_due else None

        return way

    def compare(self, stream: str, way: Way) -> None:
        """Compare a table with everything that it has to show by now."""
        table, named = self.tables[stream], self.named_types()
        for key, versions in self.chronicle.versions.items():
            if key[0] != stream or not self.is_wanted(versions[0].row):
                continue
            last = versions[-1].row
            if stream not in FULL_TABLES and last is None:
                continue  # the table keeps some version from before the deletion
            if last is not None and last.get("deleted_at") and key[1] not in named:
                continue  # only meetings before `start_date` name it
            for index, version in enumerate(versions):
                if index <= self.required.get(key, -1):
                    continue
                if found := way(key, index, version):
                    self.required[key] = index
                    self.figures[f"{version.kind}, {found}"] += 1
            allowed = [version.row for version in versions[self.required.get(key, 0) :]]
            if key not in self.required:
                allowed.append(None)
            assert table.get(key[1]) in allowed, (key, way)
        assert {(stream, uri) for uri in table} <= self.chronicle.versions.keys()

    def is_wanted(self, row: dict[str, Any] | None) -> bool:
        """Return whether `start_date` includes a row."""
        if self.start_date is None or row is None:
            return True
        if "event" in row and "rescheduled" in row:
            row = self.chronicle.versions["scheduled_events", row["event"]][0].row or {}
        return "start_time" not in row or parse(row["start_time"]) >= self.start_date
