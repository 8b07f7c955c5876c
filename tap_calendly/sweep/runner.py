"""Carries out sweeps over the meetings.

`batches` runs in reader threads; what it leaves in a batch's `midway` and `on_emitted` runs in the
thread that writes, once the rows before it are out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import zip_longest

from msgspec.structs import replace

from tap_calendly import timestamps
from tap_calendly.api.page import Page, Record, digest
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.reader import LONGEST_LIST, Reader
from tap_calendly.reading.source import Row, contexts_of
from tap_calendly.reporting import errors, messages
from tap_calendly.state import Captured, Range, Sweep
from tap_calendly.sweep import plan
from tap_calendly.sweep.checkpoints import Checkpoints, Swept
from tap_calendly.sweep.event_types import NamedEventTypes

Known = Mapping[str, Captured | None]
"""What earlier sweeps have captured of each stream."""

INSTANT = timedelta(microseconds=1)
LATEST = datetime.max.replace(tzinfo=timezone.utc)


class SweepRunner:
    """The sweeps of one run."""

    def __init__(
        self,
        reader: Reader,
        invitees: Sequence[Reader],
        streams: Sequence[Swept],
        event_types: NamedEventTypes | None,
        write_state: Callable[[], None],
    ) -> None:
        """Read the state of the selected streams; raise CalendlyError if that fails.

        `event_types` are those that meetings name; None if they are not loaded.
        """
        settings = reader.run.settings
        self._reader = reader
        self._invitees = invitees
        self._streams = streams
        self._event_types = event_types
        self._rules = plan.Rules(
            settings.lookback,
            settings.full_scan_interval,
            settings.start_date,
            settings.invitee_rechecks,
        )
        self._captured: Known = {
            stream.name: None if stream.state is None else stream.state.captured()
            for stream in streams
        }
        self._interrupted = list(self._interrupted_sweeps())
        reached = next(
            (sweep for sweep, names in self._interrupted if len(names) == len(streams)), None
        )
        self._checkpoints = Checkpoints(reader, streams, event_types, write_state, reached)

    def batches(self) -> Iterator[Batch[Row]]:
        """Finish the sweeps that earlier runs began, and carry out a fresh one."""
        rules, captured = self._rules, dict(self._captured)
        for sweep, names in self._interrupted:
            known_then = {name: captured[name] for name in names}
            captured |= yield from self._carry_out(sweep, known_then)
        # A sweep that began in an earlier run is followed by a fresh one: what was read before the
        # interruption may have changed since.
        known = [found for found in captured.values() if found is not None]
        complete = len(known) == len(captured)
        opening = Range(plan.window(known, rules) if complete else rules.start_date, None)
        page = self._first_page_with_rows(opening)
        now = page.answered_at
        if any(plan.full_scan_is_due(found, now, rules) for found in captured.values()):
            fresh = plan.full_scan(now, rules)
        else:
            fresh = plan.incremental_scan(known, now, rules)
        usable = fresh.remaining[0] == opening
        yield from self._carry_out(fresh, captured, page if usable else None, last=True)

    def _carry_out(
        self, sweep: Sweep, captured: Known, page: Page | None = None, *, last: bool = False
    ) -> Generator[Batch[Row], None, dict[str, Captured]]:
        """Read what remains of a sweep, first `page` if given; return what its streams captured."""
        invitees = [reader for reader in self._invitees if reader.stream.name in captured]
        while sweep.remaining:
            for records, next_start in self._pages_by_start(sweep.remaining[0], page):
                due = partial(self._due, invitees, captured, sweep)
                rows = [Row(record, contexts_of(record, due(record))) for record in records]
                yield from self._named_types(records, captured, sweep)
                first = start_of(records[0]) if records else None
                note_midway = partial(self._note_midway, sweep, set(captured), first)
                midway, again = _midway(rows, note_midway)
                sweep = plan.reached(sweep, first, next_start)
                note = partial(self._checkpoints.note_reached, sweep, set(captured), again)
                yield Batch(rows, note, midway)
            page = None
        now = {name: plan.complete(found, sweep) for name, found in captured.items()}
        yield Batch([], partial(self._checkpoints.note_complete, now, last=last))
        return now

    def _note_midway(
        self, sweep: Sweep, names: set[str], first: datetime | None, following: Row, read: int
    ) -> None:
        """Note that the sweep has come to a meeting within a page."""

        def reached() -> Sweep:
            return plan.reached(sweep, first, start_of(following.record))

        self._checkpoints.note_midway(reached, names, read)

    def _due(
        self, invitees: Sequence[Reader], captured: Known, sweep: Sweep, record: Record
    ) -> list[Reader]:
        """Return the readers for which the meeting's invitees are due."""
        if not invitees:
            return []
        meeting, rules = _meeting(record), self._rules
        return [
            reader
            for reader in invitees
            if plan.invitees_are_due(meeting, captured[reader.stream.name], sweep, rules)
        ]

    def _named_types(
        self, records: Sequence[Record], captured: Known, sweep: Sweep
    ) -> Iterator[Batch[Row]]:
        """Read the types of new and changed meetings, of all in a full scan, to write them first.

        The state may pass a meeting only when its event type is out.
        """
        name = self._reader.stream.name
        if self._event_types is None or name not in captured:
            return
        known = captured[name]
        due = [one for one in records if sweep.full or plan.is_new(_meeting(one), known)]
        types = self._event_types.read(due)
        if types is None or types:  # None has to be noted, too
            yield Batch([], partial(self._event_types.write, types))

    def _pages_by_start(
        self, part: Range, page: Page | None
    ) -> Iterator[tuple[list[Record], datetime | None]]:
        """Yield the new rows of each page, and the start to go on from; None at the range's end."""
        # Not by page tokens: when a meeting vanishes, the others move up, and one out of sight; and
        # how long a token lives while invitees are read is not known.
        known: dict[str, bytes] = {}
        for _ in range(LONGEST_LIST):
            page = page or self._first_page_with_rows(part)
            rows, next_start = page.rows, last_start(page)
            if next_start is not None and next_start == start_of(rows[0]):
                rows = self._at(next_start)
                # That start is read completely: go on after it.
                next_start = _moved(next_start, INSTANT * 2)
            if next_start is not None and part.start is not None and next_start <= part.start:
                break
            digests = {row["uri"]: digest(row) for row in rows}
            yield [row for row in rows if known.get(row["uri"]) != digests[row["uri"]]], next_start
            if next_start is None:
                return
            known = digests
            part, page = Range(next_start, part.end), None
        raise self._reader.endless()

    def _first_page_with_rows(self, part: Range) -> Page:
        """Read the first page that is not empty, or the last one."""
        began = None
        for page in self._reader.pages(None, _bounds(part)):
            began = began or page.answered_at
            if page.rows or page.next_page is None:
                return replace(page, answered_at=began)
        raise self._reader.endless()

    def _at(self, start: datetime) -> list[Record]:
        """Read all meetings that start at a time at which more than a page of them do."""
        pages = self._reader.read_until_stable(None, _bounds(Range(start, start)))
        return [row for page in pages for row in page.rows]

    def _interrupted_sweeps(self) -> Iterator[tuple[Sweep, list[str]]]:
        """Yield the sweeps that earlier runs did not finish, and the streams that each is for."""
        # There are several after one of the streams failed and the others went on.
        for holder in self._streams:
            found = None if holder.state is None else holder.state.interrupted()
            if found is None or found[0].start_date != self._rules.start_date:
                continue
            sweep, names = found
            streams = [stream for stream in self._streams if stream.name in names]
            if len(streams) < len(names) or any(stream.state is None for stream in streams):
                continue
            # A stream that was selected alone afterwards may have finished a sweep of its own.
            known = {stream.name: self._captured[stream.name] for stream in streams}
            left = [name for name, one in known.items() if one is None or one.began <= sweep.began]
            if left:
                yield sweep, left


def start_of(event: Record) -> datetime:
    """Return the start of a meeting; raise CalendlyError if it is missing or cannot be parsed."""
    start = timestamps.of(event, "start_time")
    if start is None:  # nobody could say how far a sweep has come
        raise errors.CalendlyError(
            messages.NO_START_TIME, stream="scheduled_events", row=event["uri"]
        )
    return start


def last_start(page: Page) -> datetime | None:
    """Return the last start on a page; None if no page follows."""
    return start_of(page.rows[-1]) if page.rows and page.next_page else None


def _midway(
    rows: Sequence[Row], note_midway: Callable[[Row, int], None]
) -> tuple[dict[int, Callable[[], None]], int]:
    """Return after how many rows of a page to call `note_midway`, and how many are left.

    It is called where invitees were read and a later start follows. Left are the meetings whose
    invitees are read after that: the next page goes on from their start.
    """
    midway: dict[int, Callable[[], None]] = {}
    read = 0
    for number, (row, following) in enumerate(zip_longest(rows, rows[1:]), 1):
        read += bool(row.contexts)
        if read and following and row.record["start_time"] != following.record["start_time"]:
            midway[number] = partial(note_midway, following, read)
            read = 0
    return midway, read


def _meeting(event: Record) -> plan.Meeting:
    """Extract what decides whether the invitees are due; whatever is missing makes them due."""
    counter = event.get("invitees_counter")
    if not isinstance(counter, dict):
        counter = {}
    return plan.Meeting(
        start=start_of(event),
        updated=timestamps.of(event, "updated_at") or LATEST,
        active=event.get("status") != "canceled",
        booked=counter.get("active") != 0,
        shared=counter.get("limit") != 1,
    )


def _bounds(part: Range) -> dict[str, str]:
    """Return a range as query parameters."""
    # Whether Calendly includes a bound is not documented: from just before to just after.
    bounds = {}
    if part.start is not None:
        bounds["min_start_time"] = timestamps.in_request(_moved(part.start, -INSTANT))
    if part.end is not None:
        bounds["max_start_time"] = timestamps.in_request(_moved(part.end, INSTANT))
    return bounds


def _moved(timestamp: datetime, by: timedelta) -> datetime:
    """Move a timestamp, unless it is at the end of time already."""
    try:
        return timestamp + by
    except OverflowError:
        return timestamp
