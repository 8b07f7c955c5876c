"""Carries out sweeps over the meetings.

The sources run in reader threads; what they leave in a batch's `midway` and `on_emitted` runs in
the thread that writes, once the rows before it are out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import zip_longest

from msgspec.structs import replace

from tap_calendly.api.page import Page, Record, digest
from tap_calendly.inbox.delivery import LAG
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.reader import LONGEST_LIST, Reader
from tap_calendly.reading.source import Lookup, Row, contexts_of
from tap_calendly.reporting import messages
from tap_calendly.state import Captured, Range, Rechecks, Sweep, reaches_further_back
from tap_calendly.sweep import plan, trust
from tap_calendly.sweep.checkpoints import Checkpoints, Swept
from tap_calendly.sweep.event_types import NamedEventTypes
from tap_calendly.sweep.inbox import InboxHints
from tap_calendly.sweep.meetings import (
    INSTANT,
    bounds_of,
    last_start,
    meeting_of,
    moved,
    start_of,
)
from tap_calendly.sweep.trust import Doubt

Known = Mapping[str, Captured | None]
"""What earlier sweeps have captured of each stream."""


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
        self._captured: dict[str, Captured | None] = {
            stream.name: None if stream.state is None else stream.state.captured()
            for stream in streams
        }
        self._interrupted = list(self._interrupted_sweeps())
        reached = next(
            (sweep for sweep, names in self._interrupted if len(names) == len(streams)), None
        )
        self._checkpoints = Checkpoints(reader, streams, event_types, write_state, reached)

    def interrupted(self) -> Iterator[Batch[Row | Lookup]]:
        """Finish the sweeps that earlier runs began."""
        for sweep, names in self._interrupted:
            known_then = {name: self._captured[name] for name in names}
            self._captured |= yield from self._carry_out(sweep, known_then)

    def hinted(self, inbox: InboxHints) -> Iterator[Batch[Row | Lookup]]:
        """Read the meetings that the inbox names."""
        return inbox.batches(self._captured, self._note_hinted)

    def fresh(self, inbox: InboxHints | Doubt | None = None) -> Iterator[Batch[Row | Lookup]]:
        """Carry out a fresh sweep, unless the inbox can be trusted and none is due.

        A sweep that began in an earlier run is followed by one, too: what was read before the
        interruption may have changed since. `inbox` is a doubt if it is of no use.
        """
        captured = self._captured
        known = [found for found in captured.values() if found is not None]
        position, rules, rechecks = None, self._rules, None
        if inbox is not None:
            doubt = inbox.doubt(captured) if isinstance(inbox, InboxHints) else inbox
            if doubt is None and not self._is_due(inbox, known):
                yield Batch([], self._checkpoints.note_unswept)
                return
            rechecks = self._rechecks(doubt)
        complete = len(known) == len(captured)
        opening = Range(plan.window(known, rules) if complete else rules.start_date, None)
        page = self._first_page_with_rows(opening)
        now, rules = page.answered_at, rules.with_rechecks(rechecks)
        if any(plan.full_scan_is_due(found, now, rules) for found in captured.values()):
            fresh = plan.full_scan(now, rules)
        else:
            fresh = plan.incremental_scan(known, now, rules)
        if isinstance(inbox, InboxHints):
            position = inbox.reached
        fresh = replace(fresh, position=position, rechecks=rechecks)
        usable = fresh.remaining[0] == opening
        yield from self._carry_out(fresh, captured, page if usable else None, last=True)

    def _is_due(self, inbox: InboxHints | Doubt, known: Sequence[Captured]) -> bool:
        """Whether it is time for a sweep although the inbox can be trusted."""
        run, rules = self._reader.run, self._rules
        now = run.client.now
        return (
            (isinstance(inbox, InboxHints) and inbox.needs_sweep)
            or trust.sweep_is_due(known, now, run.settings.sweep_interval)
            or any(plan.full_scan_is_due(one, now, rules) for one in known)
            # What lies before a later bound is out of sight from now on, which only a sweep notes.
            or any(reaches_further_back(one.start_date, rules.start_date) for one in known)
        )

    def _rechecks(self, doubt: Doubt | None) -> Rechecks | None:
        """Return when a sweep reads invitees again, if not by the settings; tell of a doubt."""
        if doubt is None:
            return "fourfold"
        self._reader.run.logger.warning(messages.INBOX_IN_DOUBT, doubt.reason)
        return None if doubt.lasts else "every_run"

    def _carry_out(
        self, sweep: Sweep, captured: Known, page: Page | None = None, *, last: bool = False
    ) -> Generator[Batch[Row | Lookup], None, dict[str, Captured]]:
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

    def _note_hinted(self, meetings: Sequence[Record], position: int) -> None:
        """Write the event types that meetings name, then that all up to a position is loaded."""
        known = self._captured.get(self._reader.stream.name)
        if self._event_types is not None and self._reader.stream.name in self._captured:
            # The last sweep may not have seen them, if the API was behind.
            due = [one for one in meetings if plan.is_new(meeting_of(one), known, overlap=LAG)]
            self._event_types.write(self._event_types.read(due))
        self._checkpoints.note_position(position)

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
        meeting, rules = meeting_of(record), self._rules.with_rechecks(sweep.rechecks)
        return [
            reader
            for reader in invitees
            if plan.invitees_are_due(meeting, captured[reader.stream.name], sweep, rules)
        ]

    def _named_types(
        self, records: Sequence[Record], captured: Known, sweep: Sweep
    ) -> Iterator[Batch[Row | Lookup]]:
        """Read the types of new and changed meetings, of all in a full scan, to write them first.

        The state may pass a meeting only when its event type is out.
        """
        name = self._reader.stream.name
        if self._event_types is None or name not in captured:
            return
        known = captured[name]
        due = [one for one in records if sweep.full or plan.is_new(meeting_of(one), known)]
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
                next_start = moved(next_start, INSTANT * 2)
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
        for page in self._reader.pages(None, bounds_of(part)):
            began = began or page.answered_at
            if page.rows or page.next_page is None:
                return replace(page, answered_at=began)
        raise self._reader.endless()

    def _at(self, start: datetime) -> list[Record]:
        """Read all meetings that start at a time at which more than a page of them do."""
        pages = self._reader.read_until_stable(None, bounds_of(Range(start, start)))
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
