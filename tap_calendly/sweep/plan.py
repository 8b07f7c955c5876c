"""Which meetings one run reads, and of which of them it reads the invitees.

Calendly filters and sorts meetings by their start alone, there is no "changed since", and invitees
exist only under a meeting, one request each. A run's pass over `/scheduled_events` is a sweep:
ranges of `start_time`, each read in the order of start. Everything here is pure: what earlier
sweeps have captured, the time now and the settings in; ranges and decisions out. All times are
UTC, by the server's clock. `captured` is what a stream has from earlier sweeps; None is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from tap_calendly.state import OVERLAP, Captured, Range, Rechecks, Sweep, reaches_further_back

Band = tuple[datetime, datetime]
"""The earliest and the latest start of the meetings that are revisited."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Rules:
    """The settings that a sweep depends on (see `Settings`)."""

    lookback: timedelta
    full_scan_interval: timedelta | None
    start_date: datetime | None
    invitee_rechecks: Rechecks = "every_run"

    def with_rechecks(self, rechecks: Rechecks | None) -> Rules:
        """Return the rules of a sweep that reads invitees again in another way, if it does."""
        return self if rechecks is None else replace(self, invitee_rechecks=rechecks)

    @property
    def growth(self) -> int:
        """By which factor an age has grown when invitees are read again."""
        return 4 if self.invitee_rechecks == "fourfold" else 2


@dataclass(frozen=True)
class Meeting:
    """What decides whether a meeting's invitees are read.

    Attributes:
        updated: When it was last changed, as far as Calendly says.
        active: Whether it is not canceled.
        booked: Whether any of its invitees has not canceled.
        shared: Whether more than one invitee can join.
    """

    start: datetime
    updated: datetime
    active: bool
    booked: bool
    shared: bool


def full_scan_is_due(captured: Captured | None, now: datetime, rules: Rules) -> bool:
    """Whether everything has to be read.

    True without an earlier sweep, when the last full scan is too old, or when `start_date` now
    reaches further back than it did.
    """
    if captured is None or reaches_further_back(rules.start_date, captured.start_date):
        return True
    interval = rules.full_scan_interval
    return interval is not None and now - captured.full_scan >= interval


def full_scan(began: datetime, rules: Rules) -> Sweep:
    """Plan a sweep over everything, in a single range."""
    everything = Range(rules.start_date, None)
    return Sweep(
        began=began,
        full=True,
        window_start=rules.start_date,
        start_date=rules.start_date,
        earliest=None,
        remaining=(everything,),
    )


def window(captured: Iterable[Captured], rules: Rules) -> datetime:
    """Return the start of the range that every sweep begins with: the recent past, and all to come.

    Recent is counted from the last sweep, not from now: what was recent then may have changed.
    """
    start = min(stream.began for stream in captured) - rules.lookback
    return start if rules.start_date is None else max(start, rules.start_date)


def incremental_scan(captured: Sequence[Captured], began: datetime, rules: Rules) -> Sweep:
    """Plan a sweep over the window, then the bands of revisited meetings, the latest first."""
    window_start = window(captured, rules)
    bands = [band for stream in captured for band in _revisits(stream, began, rules)]
    older = _merged(bands, rules.start_date, window_start)
    return Sweep(
        began=began,
        full=False,
        window_start=window_start,
        start_date=rules.start_date,
        earliest=min((s.earliest for s in captured if s.earliest is not None), default=None),
        remaining=(Range(window_start, None), *older),
    )


def invitees_are_due(
    meeting: Meeting, captured: Captured | None, sweep: Sweep, rules: Rules
) -> bool:
    """Whether the sweep reads a meeting's invitees, given what their stream has captured.

    True when the meeting changed since it was last in view. Other changes to invitees, such as a
    no-show mark, may move no timestamp. So a canceled meeting's are read again when the time since
    its last change doubles, from the lookback on; an active one's when its start comes within a
    day, when its age doubles, from the lookback on, and while it is recent by `invitee_rechecks`.
    With `fourfold`, both become four times as long instead, and recent meetings are no exception.
    """
    if captured is None or is_new(meeting, captured):
        return True
    in_view = _last_in_view(meeting.start, captured)
    since_change = (in_view - meeting.updated, sweep.began - meeting.updated)
    if not meeting.active:
        return _grows(rules.lookback, *since_change, factor=rules.growth)
    age_then, age = captured.began - meeting.start, sweep.began - meeting.start
    if age_then < -DAY <= age or _grows(rules.lookback, age_then, age, factor=rules.growth):
        return True
    is_live = meeting.shared or (meeting.booked and age >= timedelta(0))
    if age_then > rules.lookback or not is_live or rules.invitee_rechecks == "fourfold":
        return False
    if rules.invitee_rechecks == "every_run":
        return True
    # What changed before the start may come due up to an hour after it, when the age takes over.
    seats_are_due = meeting.shared and age_then < HOUR and _grows(HOUR, *since_change)
    return seats_are_due or _grows(HOUR, age_then, age)


def is_new(meeting: Meeting, captured: Captured | None, overlap: timedelta = OVERLAP) -> bool:
    """Whether a meeting was booked or changed since it was last in view, or up to then."""
    if captured is None or reaches_further_back(meeting.start, captured.start_date):
        return True
    return meeting.updated > _last_in_view(meeting.start, captured) - overlap


def reached(sweep: Sweep, first: datetime | None, following: datetime | None) -> Sweep:
    """Return the sweep once a batch of its first remaining range is out, invitees included.

    `first` is the first start of the batch, if it has any; `following` is the start from which the
    range goes on, None at its end.
    """
    part, *others = sweep.remaining
    rest = [] if following is None else [Range(following, part.end)]
    seen = [start for start in (first, sweep.earliest) if start is not None]
    return msgspec.structs.replace(
        sweep, remaining=(*rest, *others), earliest=min(seen, default=None)
    )


def complete(captured: Captured | None, sweep: Sweep) -> Captured:
    """Return what a stream has captured once a sweep is complete.

    The bookmark is the sweep's beginning, so that what changed while it ran shows in the next.
    """
    full_scan, start_date = sweep.began, sweep.start_date
    if captured is not None and not sweep.full:
        full_scan = captured.full_scan
        # The later bound: what lay before it was out of sight this time.
        if not reaches_further_back(captured.start_date, sweep.start_date):
            start_date = captured.start_date
    positions = [sweep.position] if captured is None else [sweep.position, captured.position]
    known = [position for position in positions if position is not None]
    return Captured(
        began=sweep.began,
        full_scan=full_scan,
        window_start=sweep.window_start,
        start_date=start_date,
        earliest=sweep.earliest,
        position=max(known) if known else None,
    )


def _last_in_view(start: datetime, captured: Captured) -> datetime:
    in_last_sweep = captured.window_start is None or start >= captured.window_start
    return captured.began if in_last_sweep else captured.full_scan


def _revisits(captured: Captured, began: datetime, rules: Rules) -> Iterator[Band]:
    """Yield the starts of meetings whose age passed lookback · 2, · 4, · 8 … since then."""
    if captured.earliest is None:
        return
    age = rules.lookback * rules.growth
    while age <= began - captured.earliest:
        yield captured.began - age, began - age
        age *= rules.growth


def _grows(first: timedelta, before: timedelta, now: timedelta, factor: int = 2) -> bool:
    """Whether a duration passed `first` · 1, · factor, · factor² … from `before` to `now`."""
    step = first
    while step <= before:
        step *= factor
    return step <= now


def _merged(bands: Iterable[Band], after: datetime | None, before: datetime) -> Iterator[Range]:
    """Cut bands to what lies between two times and join those that overlap, the latest first."""
    joined: list[Band] = []
    for start, end in sorted(bands, reverse=True):
        cut = (start if after is None else max(start, after), min(end, before))
        if cut[0] > cut[1]:
            continue
        if joined and joined[-1][0] <= cut[1]:
            joined[-1] = (cut[0], max(cut[1], joined[-1][1]))
        else:
            joined.append(cut)
    return (Range(*band) for band in joined)
