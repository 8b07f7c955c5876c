"""The sweep plan over random schedules of runs: what is read when, and never too late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from tap_calendly.sweep import plan
from tap_calendly.sweep.plan import Meeting, Rules

if TYPE_CHECKING:
    from tap_calendly.state import Captured, Sweep

EPOCH = datetime(2026, 3, 4, tzinfo=timezone.utc)
LONG_AGO = EPOCH - timedelta(days=1)
HOURS = st.integers(min_value=0, max_value=500 * 24).map(lambda hours: timedelta(hours=hours))


@st.composite
def runs(draw: st.DrawFn) -> list[datetime]:
    """Return the start times of runs, an hour to 25 days apart, with two long gaps at the end."""
    gaps = draw(st.lists(st.integers(1, 25 * 24), min_size=5, max_size=60))
    starts = [EPOCH]
    for gap in gaps:
        starts.append(starts[-1] + timedelta(hours=gap))
    return [*starts, starts[-1] + timedelta(days=600), starts[-1] + timedelta(days=1300)]


@given(
    runs=runs(),
    start=HOURS,
    age=HOURS,
    lookback=st.sampled_from([1, 7, 30]),
    interval=st.sampled_from([None, 3, 7]),
)
def test_an_invitee_only_change_is_never_picked_up_too_late(
    runs: list[datetime], start: timedelta, age: timedelta, lookback: int, interval: int | None
) -> None:
    rules = _rules(lookback, interval)
    meeting = Meeting(EPOCH + start, updated=LONG_AGO, active=True, booked=True, shared=False)
    changed = meeting.start + age
    due = meeting.start + (2 * age if age > rules.lookback else timedelta(0))
    in_time = next((run for run in runs if run > changed and run >= due), None)
    assume(in_time is not None)

    seen = [run for run in _reads(runs, meeting, rules) if run > changed]

    assert in_time is not None
    assert seen
    assert seen[0] <= in_time


@given(runs=runs(), start=HOURS, lookback=st.sampled_from([1, 7, 30]))
def test_an_unchanged_older_meeting_is_read_at_most_once_per_doubling_of_its_age(
    runs: list[datetime], start: timedelta, lookback: int
) -> None:
    rules = _rules(lookback, 7)
    meeting = Meeting(EPOCH + start, updated=LONG_AGO, active=True, booked=True, shared=False)

    older = [
        run for run in _reads(runs, meeting, rules) if run - meeting.start >= 2 * rules.lookback
    ]

    doublings = 0
    while runs[-1] - meeting.start >= rules.lookback * 2 ** (doublings + 1):
        doublings += 1
    # A run after a long gap still reads what was recent when the last run began.
    assert len(older) <= doublings + 1


@given(runs=runs(), start=HOURS, lookback=st.sampled_from([1, 7, 30]))
def test_a_captured_canceled_meeting_is_read_again_only_when_its_age_doubles(
    runs: list[datetime], start: timedelta, lookback: int
) -> None:
    rules = _rules(lookback, 7)
    meeting = Meeting(EPOCH + start, updated=LONG_AGO, active=False, booked=False, shared=False)

    again = [run for run in _reads(runs, meeting, rules) if run > runs[0]]

    assert all(run - meeting.start >= 2 * rules.lookback for run in again)


def _rules(lookback: int, interval: int | None) -> Rules:
    days = timedelta(days=lookback)
    return Rules(days, None if interval is None else timedelta(days=interval), None)


def _reads(runs: list[datetime], meeting: Meeting, rules: Rules) -> list[datetime]:
    """Simulate the runs; return those that read the meeting's invitees."""
    captured: Captured | None = None
    reads = []
    for began in runs:
        swept = _plan(captured, began, rules)
        in_view = any(
            (part.start is None or part.start <= meeting.start)
            and (part.end is None or meeting.start <= part.end)
            for part in swept.remaining
        )
        if in_view and plan.invitees_are_due(meeting, captured, swept, rules):
            reads.append(began)
        while swept.remaining:
            swept = plan.reached(swept, meeting.start if in_view else None, None)
        captured = plan.complete(captured, swept)
    return reads


def _plan(captured: Captured | None, began: datetime, rules: Rules) -> Sweep:
    if captured is None or plan.full_scan_is_due(captured, began, rules):
        return plan.full_scan(began, rules)
    return plan.incremental_scan([captured], began, rules)
