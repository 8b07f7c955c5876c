"""Scheduled events (meetings) and their invitees."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly import sweep
from tap_calendly.client import CalendlyStream
from tap_calendly.errors import Requires
from tap_calendly.schemas.scheduling import EVENT_INVITEE, SCHEDULED_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class ScheduledEvents(CalendlyStream):
    """Meetings, in the order of their start."""

    name = "scheduled_events"
    path = "/scheduled_events"
    properties = SCHEDULED_EVENT
    requires = Requires("scheduled_events:read")
    replication_key = "updated_at"
    starts_at = "start_time"

    @override
    def read(self, context: Context | None) -> Iterable[Record]:
        for part in sweep.plan(self.tap.start_date):
            yield from self.request_records(_bounds(part))

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {**self.tap.scope.of_meetings, "sort": "start_time:asc", **(context or {})}

    @override
    def get_child_context(self, record: Record, context: Context | None) -> Context:
        return {"event_uri": record["uri"]}


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
    """Write a range as query parameters."""
    if part.start is None:
        return {}
    # Whether the bound itself is included is not documented: ask from just before it.
    just_before = part.start - timedelta(microseconds=1)
    return {"min_start_time": just_before.strftime(sweep.REQUEST_TIME)}
