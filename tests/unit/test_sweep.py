"""The sweep plan over random schedules of runs: what is read when, and never too late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_calendly.state import OVERLAP
from tap_calendly.sweep import plan
from tap_calendly.sweep.plan import Meeting, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_calendly.settings import InviteeRechecks
    from tap_calendly.state import Captured, Sweep

EPOCH = datetime(2026, 3, 4, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONG_AGO = EPOCH - DAY

MODES: tuple[InviteeRechecks, ...] = ("every_run", "doubling")
LOOKBACKS = st.sampled_from([1, 7, 30])
INTERVALS = st.sampled_from([None, 3, 7])
HOURS = st.integers(min_value=0, max_value=500 * 24).map(lambda hours: timedelta(hours=hours))
MINUTES = st.integers(min_value=0, max_value=40 * 24 * 60).map(lambda m: timedelta(minutes=m))


@st.composite
def runs(draw: st.DrawFn) -> list[datetime]:
    """Return the start times of runs, an hour to 25 days apart, with two long gaps at the end."""
    gap = st.one_of(st.just(1), st.integers(1, 36), st.integers(1, 25 * 24))
    starts = [EPOCH]
    for hours in draw(st.lists(gap, min_size=5, max_size=60)):
        starts.append(starts[-1] + timedelta(hours=hours))
    return [*starts, starts[-1] + timedelta(days=600), starts[-1] + timedelta(days=1300)]


@given(runs=runs(), start=HOURS, age=HOURS, lookback=LOOKBACKS, interval=INTERVALS)
def test_an_invitee_only_change_is_never_picked_up_too_late(
    runs: list[datetime], start: timedelta, age: timedelta, lookback: int, interval: int | None
) -> None:
    rules = _rules(lookback, interval)
    meeting = _meeting(start)
    due = meeting.start + (2 * age if age > rules.lookback else timedelta(0))

    _assert_in_time(runs, [rules], meeting, meeting.start + age, due)


@given(
    runs=runs(),
    start=HOURS,
    age=MINUTES,
    shared=st.booleans(),
    lookback=LOOKBACKS,
    interval=INTERVALS,
    modes=st.lists(st.sampled_from(MODES), min_size=1, max_size=7),
)
def test_with_doubling_a_late_mark_shows_by_twice_its_age_whatever_the_mode_before_and_after(  # noqa: PLR0913 - all of them drawn
    *,
    runs: list[datetime],
    start: timedelta,
    age: timedelta,
    shared: bool,
    lookback: int,
    interval: int | None,
    modes: list[InviteeRechecks],
) -> None:
    rules = [_rules(lookback, interval, mode) for mode in modes]
    meeting = _meeting(start, shared=shared)

    _assert_in_time(runs, rules, meeting, meeting.start + age, meeting.start + max(2 * age, HOUR))


@given(runs=runs(), start=HOURS, lookback=LOOKBACKS)
def test_with_doubling_a_recent_meeting_is_read_at_most_once_per_doubling_of_its_age(
    runs: list[datetime], start: timedelta, lookback: int
) -> None:
    meeting = _meeting(start)
    rules = _rules(lookback, None, "doubling")

    reads = _reads(runs, meeting, [rules])

    steps = {-DAY, *(HOUR * 2**n for n in range(16)), *(rules.lookback * 2**n for n in range(12))}
    passed = [sum(run - meeting.start >= step for step in steps) for run in runs]
    # Each read after the first has a step to itself.
    assert len(reads) == len({passed[runs.index(run)] for run in reads})


@given(runs=runs(), start=HOURS, before=MINUTES, mode=st.sampled_from(MODES))
def test_a_change_more_than_a_day_before_the_start_shows_in_the_first_run_of_that_day(
    runs: list[datetime], start: timedelta, before: timedelta, mode: InviteeRechecks
) -> None:
    meeting = _meeting(start)

    changed = meeting.start - DAY - before

    _assert_in_time(runs, [_rules(7, 7, mode)], meeting, changed, meeting.start - DAY)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shared", [True, False])
def test_a_change_before_the_last_day_shows_after_the_start_if_no_run_began_in_that_day(
    mode: InviteeRechecks, *, shared: bool
) -> None:
    runs = [EPOCH, EPOCH + 26 * HOUR]
    meeting = _meeting(25 * HOUR + 30 * MINUTE, shared=shared, updated=EPOCH - 100 * HOUR)

    assert _reads(runs, meeting, [_rules(7, 7, mode)]) == runs


@given(runs=runs(), start=HOURS, since=MINUTES, mode=st.sampled_from(MODES))
def test_a_seat_in_an_upcoming_group_meeting_shows_by_twice_the_time_since_its_last_change(
    runs: list[datetime], start: timedelta, since: timedelta, mode: InviteeRechecks
) -> None:
    meeting = _meeting(start, shared=True, updated=EPOCH - HOUR)
    changed = meeting.updated + since
    due = changed if mode == "every_run" else meeting.updated + max(2 * since, HOUR)
    due_at_last = meeting.start + (HOUR if mode == "doubling" else timedelta(0))
    assume(changed < meeting.start)

    _assert_in_time(runs, [_rules(7, 7, mode)], meeting, changed, min(due, due_at_last))


@given(
    runs=runs(),
    start=HOURS,
    before=HOURS,
    since=HOURS,
    lookback=LOOKBACKS,
    interval=INTERVALS,
    mode=st.sampled_from(MODES),
)
def test_an_erasure_from_a_canceled_meeting_shows_by_twice_the_time_since_it_was_canceled(  # noqa: PLR0913 - all of them drawn
    *,
    runs: list[datetime],
    start: timedelta,
    before: timedelta,
    since: timedelta,
    lookback: int,
    interval: int | None,
    mode: InviteeRechecks,
) -> None:
    rules = _rules(lookback, interval, mode)
    meeting = _meeting(start, active=False, updated=EPOCH + start - before)
    assume(meeting.updated < EPOCH - OVERLAP)
    changed = meeting.updated + since
    due = meeting.updated + max(2 * since, rules.lookback)

    first = next((run for run, _ in _listed(runs, meeting, [rules]) if run >= due), None)

    assume(first is not None and first > changed)
    assert any(changed < run <= first for run in _reads(runs, meeting, [rules]) if first)


def test_a_canceled_meeting_is_read_when_the_time_since_its_last_change_doubles() -> None:
    """Also once it has started: by then, its age says nothing about that time."""
    hourly = [EPOCH + timedelta(hours=hour) for hour in range(45 * 24)]
    meeting = _meeting(40 * DAY, active=False, updated=EPOCH - 14 * DAY)

    reads = [run - meeting.updated for run in _reads(hourly, meeting, [_rules(7, 30)])]

    assert [read.days for read in reads] == [14, 28, 56]


def test_an_older_canceled_meeting_is_read_for_the_time_that_passed_while_it_was_not_listed() -> (
    None
):
    """It is listed when its age doubles; the time since its last change doubled in between."""
    daily = [EPOCH + day * DAY for day in range(30)]
    meeting = _meeting(-MINUTE, active=False, updated=EPOCH - 10 * DAY)

    reads = [run - meeting.start for run in _reads(daily, meeting, [_rules(7, None)])]

    assert [read.days for read in reads] == [0, 4, 14, 28]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shared", [True, False])
def test_a_canceled_meeting_costs_nothing_more_while_it_is_recent(
    mode: InviteeRechecks, *, shared: bool
) -> None:
    hourly = [EPOCH + timedelta(hours=hour) for hour in range(10 * 24)]
    meeting = _meeting(DAY, active=False, shared=shared, updated=EPOCH - HOUR)

    reads = _reads(hourly, meeting, [_rules(7, 7, mode)])

    assert reads == [EPOCH, meeting.updated + 7 * DAY]


@pytest.mark.parametrize(
    ("booked", "hours"),
    [(True, [-30, -24, 0, 6, 12, 18, 24, 30, 48]), (False, [-30, -24, 24, 48])],
)
def test_every_run_reads_a_meeting_that_has_started_while_it_is_recent_and_anybody_is_booked(
    hours: list[int], *, booked: bool
) -> None:
    """Recent when the run before began, as what was marked since then is to show."""
    runs = [EPOCH + 6 * n * HOUR for n in range(20)]
    meeting = _meeting(30 * HOUR, booked=booked)

    reads = [run - meeting.start for run in _reads(runs, meeting, [_rules(1, None)])]

    assert [read / HOUR for read in reads] == hours


def test_with_doubling_nothing_is_read_in_the_first_hour_after_the_start() -> None:
    runs = [EPOCH + 15 * n * MINUTE for n in range(20)]
    meeting = _meeting(15 * MINUTE)

    reads = [run - meeting.start for run in _reads(runs, meeting, [_rules(7, 7, "doubling")])]

    assert [read / MINUTE for read in reads] == [-15, 60, 120, 240]


def test_with_doubling_hourly_runs_read_a_meeting_at_1_2_4_hours_and_the_lookback() -> None:
    hourly = [EPOCH + timedelta(hours=hour) for hour in range(20 * 24)]
    meeting = _meeting(3 * DAY)

    reads = [run - meeting.start for run in _reads(hourly, meeting, [_rules(7, 7, "doubling")])]

    hours = [read / HOUR for read in reads]
    assert hours == [-72, -24, 1, 2, 4, 8, 16, 32, 64, 128, 168, 336]


@pytest.mark.parametrize("booked", [True, False])
def test_with_doubling_a_group_meeting_that_everybody_left_is_still_read(*, booked: bool) -> None:
    """Who left shows in the invitees alone."""
    hourly = [EPOCH + timedelta(hours=hour) for hour in range(48)]
    meeting = _meeting(DAY, shared=True, booked=booked, updated=EPOCH - HOUR)

    reads = [run - EPOCH for run in _reads(hourly, meeting, [_rules(7, 7, "doubling")])]

    # Before the start by the time since the last change, then by its age.
    assert [read / HOUR for read in reads] == [0, 1, 3, 7, 15, 25, 26, 28, 32, 40]


@pytest.mark.parametrize("shared", [True, False])
def test_with_doubling_a_seat_due_before_the_start_shows_in_the_first_run_after_it(
    *, shared: bool
) -> None:
    """A seat given up half an hour after the last change is due half an hour later."""
    before, after = EPOCH - 40 * MINUTE, EPOCH + 20 * MINUTE
    meeting = _meeting(timedelta(0), shared=shared, updated=EPOCH - 70 * MINUTE)

    reads = _reads([before, after], meeting, [_rules(7, 7, "doubling")])

    assert reads == ([before, after] if shared else [before])


@given(runs=runs(), start=HOURS, lookback=LOOKBACKS)
def test_an_unchanged_older_meeting_is_read_at_most_once_per_doubling_of_its_age(
    runs: list[datetime], start: timedelta, lookback: int
) -> None:
    rules = _rules(lookback, 7)
    meeting = _meeting(start)

    older = [
        run for run in _reads(runs, meeting, [rules]) if run - meeting.start >= 2 * rules.lookback
    ]

    doublings = 0
    while runs[-1] - meeting.start >= rules.lookback * 2 ** (doublings + 1):
        doublings += 1
    # A run after a long gap still reads what was recent when the last run began.
    assert len(older) <= doublings + 1


def _rules(lookback: int, interval: int | None, mode: InviteeRechecks = "every_run") -> Rules:
    days = timedelta(days=lookback)
    return Rules(days, None if interval is None else timedelta(days=interval), None, mode)


def _meeting(
    start: timedelta,
    *,
    active: bool = True,
    booked: bool = True,
    shared: bool = False,
    updated: datetime = LONG_AGO,
) -> Meeting:
    return Meeting(EPOCH + start, updated, active, booked and active, shared)


def _assert_in_time(
    runs: list[datetime], rules: list[Rules], meeting: Meeting, changed: datetime, due: datetime
) -> None:
    """Assert that a change is read by the first run that begins after it and when it is due."""
    in_time = next((run for run in runs if run > changed and run >= due), None)
    assume(in_time is not None)

    seen = [run for run in _reads(runs, meeting, rules) if run > changed]

    assert in_time is not None
    assert seen
    assert seen[0] <= in_time


def _reads(runs: list[datetime], meeting: Meeting, rules: list[Rules]) -> list[datetime]:
    """Simulate the runs, with one of the rules after the other; return those that read invitees."""
    return [run for run, is_read in _listed(runs, meeting, rules) if is_read]


def _listed(
    runs: list[datetime], meeting: Meeting, rules: list[Rules]
) -> Iterator[tuple[datetime, bool]]:
    """Yield the runs that list the meeting, and whether each reads its invitees."""
    captured: Captured | None = None
    for began, rule in zip(runs, cycle(rules), strict=False):
        swept = _plan(captured, began, rule)
        in_view = any(
            (part.start is None or part.start <= meeting.start)
            and (part.end is None or meeting.start <= part.end)
            for part in swept.remaining
        )
        if in_view:
            yield began, plan.invitees_are_due(meeting, captured, swept, rule)
        while swept.remaining:
            swept = plan.reached(swept, meeting.start if in_view else None, None)
        captured = plan.complete(captured, swept)


def _plan(captured: Captured | None, began: datetime, rules: Rules) -> Sweep:
    if captured is None or plan.full_scan_is_due(captured, began, rules):
        return plan.full_scan(began, rules)
    return plan.incremental_scan([captured], began, rules)
