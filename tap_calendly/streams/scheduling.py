"""Scheduled events (meetings) and their invitees."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly import errors, state, sweep
from tap_calendly.client import CalendlyStream
from tap_calendly.errors import Requires
from tap_calendly.schemas.scheduling import EVENT_INVITEE, SCHEDULED_EVENT
from tap_calendly.settings import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context, Record

    from tap_calendly.client import Page

REQUEST_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Six fractional digits: with any other number Calendly has refused its own page tokens."""

RESTARTS = 3
"""How often a range is begun anew without having come any further."""


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
    def read(self, context: Context | None) -> Iterator[Record]:
        self._read_captured()
        if (begun := self._interrupted()) is not None:
            yield from self._carry_out(begun, None)
        # A sweep that began in an earlier run is followed by a fresh one: what was read before the
        # interruption may have changed since.
        rules = self.tap.rules
        known = [found for found in self._captured.values() if found is not None]
        nothing_yet = len(known) < len(self._captured)
        opening = rules.start_date if nothing_yet else sweep.window(known, rules)
        page = self.fetch(_bounds(sweep.Range(opening, None)))
        if any(
            sweep.full_scan_is_due(found, page.answered, rules) for found in self._captured.values()
        ):
            fresh = sweep.full_scan(page.answered, rules)
        else:
            fresh = sweep.partial(known, page.answered, rules)
        usable = fresh.remaining[0] == sweep.Range(opening, None)
        yield from self._carry_out(fresh, page if usable else None)

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterator[Context | None]:
        captured = self._captured.get(EventInvitees.name)
        if sweep.invitees_are_due(_meeting(record), captured, self._sweep, self.tap.rules):
            yield {"event_uri": record["uri"]}

    def _carry_out(self, begun: sweep.Sweep, page: Page | None) -> Iterator[Record]:
        """Read what remains of a sweep, and note in the state how far it has come."""
        self._sweep = begun
        while self._sweep.remaining:
            for rows, range_ends in self._stretches(self._sweep.remaining[0], page):
                yield from rows
                starts = [moment(row["start_time"]) for row in rows]
                self._sweep = sweep.reached(self._sweep, starts, range_ends=range_ends)
                self._note()
            page = None
        for stream in self._noting:
            found = sweep.complete(self._captured[stream.name], self._sweep)
            self._captured[stream.name] = found
            if stream.incremental:
                key = str(stream.replication_key)
                state.write_captured(stream.stream_state, key, found, stream.about)
                stream.state_manager.is_flushed = False

    def _stretches(
        self, part: sweep.Range, page: Page | None
    ) -> Iterator[tuple[list[Record], bool]]:
        """Read a range in stretches at whose ends it can be continued by the start of a meeting.

        A stretch is a page, and the pages after it for as long as all meetings start at the same
        moment. Calendly does not say how long a page token lives: when one is refused, the range is
        begun anew with the last start seen.

        Yields:
            The rows, and whether they are the last of the range.
        """
        restarts = 0
        page = page or self.fetch(_bounds(part))
        while True:
            rows = page.rows
            try:
                while page.following is not None and _same_start(rows):
                    page = self.fetch(None, page.following)
                    rows = rows + page.rows
            except errors.RefusedError as error:
                restarts += 1
                if error.status != HTTPStatus.BAD_REQUEST or restarts > RESTARTS:
                    raise
                page = self.fetch(_bounds(part))
                continue
            yield rows, page.following is None
            if page.following is None:
                return
            restarts = 0
            part = sweep.Range(moment(rows[-1]["start_time"]), part.end)
            try:
                page = self.fetch(None, page.following)
            except errors.RefusedError as error:
                if error.status != HTTPStatus.BAD_REQUEST:
                    raise
                page = self.fetch(_bounds(part))

    @property
    def _noting(self) -> list[CalendlyStream]:
        """The streams that a sweep is carried out for."""
        return [stream for stream in (self, *self.children) if stream.selected]

    def _read_captured(self) -> None:
        self._captured = {
            stream.name: state.captured(stream.name, stream.stream_state, stream.about)
            if stream.incremental
            else None
            for stream in self._noting
        }

    def _interrupted(self) -> sweep.Sweep | None:
        """Give the sweep that an earlier run did not finish, if all streams were in it alike."""
        begun = {
            state.interrupted(stream.name, stream.stream_state, stream.about)
            if stream.incremental
            else None
            for stream in self._noting
        }
        sweep_begun = begun.pop()
        if begun or sweep_begun is None or sweep_begun.start_date != self.tap.rules.start_date:
            return None
        return sweep_begun

    def _note(self) -> None:
        for stream in self._noting:
            if stream.incremental:
                state.write_interrupted(stream.stream_state, self._sweep, stream.about)
                self.state_manager.is_flushed = False
        self._write_state_message()


class EventInvitees(CalendlyStream):
    """People who booked a meeting; the API gives them by one request for each meeting."""

    name = "event_invitees"
    path = "/scheduled_events/{event_uri}/invitees"
    parent_stream_type = ScheduledEvents
    properties = EVENT_INVITEE
    requires = Requires("scheduled_events:read")
    replication_key = "updated_at"

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {"sort": "created_at:asc"}

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        return {**row, **(context or {})}


def _bounds(part: sweep.Range) -> dict[str, str]:
    """Write a range as query parameters.

    Whether Calendly includes a bound is not documented: it is asked from just before to just after.
    """
    instant = timedelta(microseconds=1)
    bounds = {}
    if part.start is not None:
        bounds["min_start_time"] = (part.start - instant).strftime(REQUEST_TIME)
    if part.end is not None:
        bounds["max_start_time"] = (part.end + instant).strftime(REQUEST_TIME)
    return bounds


def _same_start(rows: list[Record]) -> bool:
    return not rows or rows[0]["start_time"] == rows[-1]["start_time"]


def _meeting(event: Record) -> sweep.Meeting:
    """Read what decides about the invitees; whatever is missing makes them due."""
    counter = event.get("invitees_counter") or {}
    updated = event.get("updated_at")
    return sweep.Meeting(
        start=moment(event["start_time"]),
        updated=_ALWAYS if updated is None else moment(updated),
        active=event.get("status") != "canceled",
        booked=counter.get("active") != 0,
        shared=counter.get("limit") != 1,
    )


_ALWAYS = moment("9999-12-31T00:00:00Z")
