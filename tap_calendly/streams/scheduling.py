"""Scheduled events (meetings) and their invitees."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_calendly import state, timestamps
from tap_calendly.api.page import digest
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reporting import errors
from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.scheduling import EVENT_INVITEE, SCHEDULED_EVENT
from tap_calendly.singer.stream import LONGEST_LIST, CalendlyStream, Row
from tap_calendly.sweep import plan

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_calendly.api.page import Page

    Captured = Mapping[str, plan.Captured | None]
    """What earlier sweeps have captured of each stream."""

INSTANT = timedelta(microseconds=1)


class ScheduledEvents(CalendlyStream):
    """Meetings, in the order of their start."""

    name = "scheduled_events"
    path = "/scheduled_events"
    properties = SCHEDULED_EVENT
    requires = Requires("scheduled_events:read")
    replication_key = "updated_at"
    starts_at = "start_time"

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {**self.tap.scope.of_meetings, "sort": "start_time:asc", **(context or {})}

    @override
    def read(self) -> Iterator[Batch[Row]]:
        captured = dict(self._captured)
        for begun, names in self._interrupted:
            captured |= yield from self._carry_out(
                begun, {name: captured[name] for name in names}, None
            )
        # A sweep that began in an earlier run is followed by a fresh one: what was read before the
        # interruption may have changed since.
        rules = self.tap.rules
        known = [found for found in captured.values() if found is not None]
        nothing_yet = len(known) < len(captured)
        opening = rules.start_date if nothing_yet else plan.window(known, rules)
        page = self._filled(_bounds(plan.Range(opening, None)))
        if any(
            plan.full_scan_is_due(found, page.answered_at, rules) for found in captured.values()
        ):
            fresh = plan.full_scan(page.answered_at, rules)
        else:
            fresh = plan.partial(known, page.answered_at, rules)
        usable = fresh.remaining[0] == plan.Range(opening, None)
        yield from self._carry_out(fresh, captured, page if usable else None, last=True)

    @override
    def contexts(self, record: Record) -> Iterable[Context]:
        return [{"event_uri": record["uri"]}]

    def _carry_out(
        self, begun: plan.Sweep, captured: Captured, page: Page | None, *, last: bool = False
    ) -> Generator[Batch[Row], None, Captured]:
        """Read what remains of a sweep.

        Args:
            begun: The sweep.
            captured: What earlier sweeps have captured of each stream.
            page: The first page, if it is read already.
            last: Whether no other sweep follows.

        Yields:
            The meetings; their notes write down how far the sweep has come.

        Returns:
            What the sweeps have captured now.
        """
        wanted, invitees = EventInvitees.name in captured, captured.get(EventInvitees.name)
        while begun.remaining:
            for records, following in self._batches(begun.remaining[0], page):
                rows = []
                for record in records:
                    due = wanted and plan.invitees_are_due(
                        _meeting(record), invitees, begun, self.tap.rules
                    )
                    rows.append(Row(record, list(self.contexts(record)) if due else []))
                first = _start(records[0]) if records else None
                begun = plan.reached(begun, first, following)
                yield Batch(rows, partial(self._note_reached, begun, set(captured)))
            page = None
        now = {name: plan.complete(found, begun) for name, found in captured.items()}
        yield Batch([], partial(self._note_complete, now, last=last))
        return now

    def _batches(
        self, part: plan.Range, page: Page | None
    ) -> Iterator[tuple[list[Record], datetime | None]]:
        """Read a range page by page, each from the last start of the page before.

        Not by page tokens: a meeting that vanishes would move the others up, and one out of sight,
        and how long a token lives while invitees are read is not known.

        Yields:
            The rows that are new, and the start from which to go on; None at the end of the range.
        """
        known: dict[str, bytes] = {}
        for _ in range(LONGEST_LIST):
            page = page or self._filled(_bounds(part))
            rows, following = page.rows, _last_start(page)
            if following is not None and following == _start(rows[0]):
                rows = self._at(following)
                following = _moved(
                    following, INSTANT * 2
                )  # the moment is read whole: go on behind it
            if following is not None and part.start is not None and following <= part.start:
                break
            digests = {row["uri"]: digest(row) for row in rows}
            yield [row for row in rows if known.get(row["uri"]) != digests[row["uri"]]], following
            if following is None:
                return
            known = digests
            part, page = plan.Range(following, part.end), None
        raise self._endless()

    def _filled(self, bounds: Context) -> Page:
        """Read the first page, or the first of those behind it, that is not empty."""
        began = None
        for page in self.pages(bounds):
            began = began or page.answered_at
            if page.rows or page.next_page is None:
                return msgspec.structs.replace(page, answered_at=began)
        raise self._endless()

    def _at(self, start: datetime) -> list[Record]:
        """Read all meetings that start at a moment of which there are more than a page."""
        pages = self.read_until_stable(_bounds(plan.Range(start, start)))
        return [row for page in pages for row in page.rows]

    @override
    def _begin(self) -> None:
        super()._begin()
        # What a sweep is carried out for, and how far earlier ones have come.
        self._noting = self.written
        self._captured: Captured = {
            stream.name: state.captured(stream.name, stream.stream_state, stream.state_scope)
            if stream.incremental
            else None
            for stream in self._noting
        }
        self._interrupted = list(self._interrupted_sweeps())
        # How far the last sweep for all of them has come.
        self._reached = next(
            (begun for begun, names in self._interrupted if len(names) == len(self._noting)), None
        )

    def _interrupted_sweeps(self) -> Iterator[tuple[plan.Sweep, list[str]]]:
        """Give the sweeps that earlier runs did not finish, and for which streams each was.

        There are several after one of the streams had failed and the others went on. A stream that
        was selected alone afterwards may have been captured since by a sweep of its own.
        """
        for holder in self._noting:
            found = state.interrupted(holder.name, holder.stream_state, holder.state_scope)
            if found is None or found[0].start_date != self.tap.rules.start_date:
                continue
            streams = [stream for stream in self._noting if stream.name in found[1]]
            if len(streams) < len(found[1]) or not all(stream.incremental for stream in streams):
                continue
            known = {stream.name: self._captured[stream.name] for stream in streams}
            if left := [
                n for n, one in known.items() if one is None or one.began <= found[0].began
            ]:
                yield found[0], left

    def _note_reached(self, begun: plan.Sweep, names: set[str]) -> None:
        """Write how far a sweep has come: once, with the streams that it is for."""
        streams = [s for s in self._noting if s.name in names and s.incremental]
        decided = [stream._check_access() for stream in streams]  # noqa: SLF001 - the same class
        if not all(decided):
            return
        going = [stream for stream in streams if stream.goes_on]
        for stream in streams:
            if stream.failed is not None and self._reached is not None:
                # It continues from there by itself.
                entry, about = stream.stream_state, stream.state_scope
                state.write_interrupted(entry, self._reached, about, [stream.name])
        for stream in going[:1]:
            known = [one.name for one in going]
            state.write_interrupted(stream.stream_state, begun, stream.state_scope, known)
        for stream in going[1:]:
            stream.stream_state.pop("sweep", None)
        if len(going) == len(self._noting):
            self._reached = begun
        self.state_manager.is_flushed = False
        self._write_state_message()

    def _note_complete(self, captured: Mapping[str, plan.Captured], *, last: bool) -> None:
        """Write what the sweeps have captured of each stream."""
        for stream in self._noting:
            if stream.name not in captured:
                continue
            decided = stream._check_access(last=last)  # noqa: SLF001 - the same class
            if stream.incremental and stream.goes_on and decided:
                entry, found = stream.stream_state, captured[stream.name]
                state.refuse_future(stream.name, entry, stream.state_scope, self.tap.api.now)
                state.write_captured(entry, str(stream.replication_key), found, stream.state_scope)
                stream.state_manager.is_flushed = False
        self._reached = None


class EventInvitees(CalendlyStream):
    """People who booked a meeting; the API gives them by one request for each meeting."""

    name = "event_invitees"
    path = "/scheduled_events/{event_uri}/invitees"
    parent_stream_type = ScheduledEvents
    properties = EVENT_INVITEE
    requires = Requires("scheduled_events:read")
    replication_key = "updated_at"
    append_only = True
    sort = "created_at:asc"


def _bounds(part: plan.Range) -> dict[str, str]:
    """Write a range as query parameters.

    Whether Calendly includes a bound is not documented: it is asked from just before to just after.
    """
    bounds = {}
    if part.start is not None:
        bounds["min_start_time"] = _written(_moved(part.start, -INSTANT))
    if part.end is not None:
        bounds["max_start_time"] = _written(_moved(part.end, INSTANT))
    return bounds


def _moved(moment: datetime, by: timedelta) -> datetime:
    """Move a moment, unless it is at the end of time already."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _written(bound: datetime) -> str:
    """Write a moment as a query parameter; Linux gives the year 770 three digits only."""
    return timestamps.in_request(bound)


def _last_start(page: Page) -> datetime | None:
    """Give the last start of a page that is not the last; None of the last."""
    return _start(page.rows[-1]) if page.rows and page.next_page else None


def _start(event: Record) -> datetime:
    """Read by what meetings are sorted: without it nobody could say how far a sweep has come."""
    start = timestamps.of(event, "start_time")
    if start is None:
        message = (
            f"{ScheduledEvents.name}: Calendly gave the meeting {event['uri']} without a "
            "`start_time` that can be read: report this line."
        )
        raise errors.CalendlyError(message)
    return start


def _meeting(event: Record) -> plan.Meeting:
    """Read what decides about the invitees; whatever is missing makes them due."""
    counter = event.get("invitees_counter")
    if not isinstance(counter, dict):
        counter = {}
    return plan.Meeting(
        start=_start(event),
        updated=timestamps.of(event, "updated_at") or _ALWAYS,
        active=event.get("status") != "canceled",
        booked=counter.get("active") != 0,
        shared=counter.get("limit") != 1,
    )


_ALWAYS = timestamps.parse("9999-12-31T00:00:00Z")
