"""Event types: what can be booked, with whom, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_calendly.api.page import digest
from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.availability import (
    EVENT_TYPE_AVAILABILITY_SCHEDULE,
    EVENT_TYPE_AVAILABLE_TIME,
)
from tap_calendly.schemas.event_types import EVENT_TYPE, EVENT_TYPE_MEMBERSHIP
from tap_calendly.singer.stream import CalendlyStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class EventTypes(CalendlyStream):
    """Event types, active or not, the last changed first."""

    name = "event_types"
    path = "/event_types"
    whose = "people"
    sort = "updated_at:desc"
    properties = EVENT_TYPE
    requires = Requires("event_types:read")
    replication_key = "updated_at"
    newest_first = True

    @override
    def contexts(self, record: Record) -> Iterable[Context]:
        return [{"event_type_uri": record["uri"]}]


class EventTypeMemberships(CalendlyStream):
    """Hosts of an event type."""

    name = "event_type_memberships"
    path = "/event_type_memberships"
    parent_stream_type = EventTypes
    parent_parameter = "event_type"
    properties = EVENT_TYPE_MEMBERSHIP
    requires = Requires("event_types:read", plan="Teams")


class EventTypeAvailabilitySchedules(CalendlyStream):
    """When an event type can be booked, by host; the API gives no id."""

    name = "event_type_availability_schedules"
    path = "/event_type_availability_schedules"
    parent_stream_type = EventTypes
    parent_parameter = "event_type"
    paged = False
    properties = EVENT_TYPE_AVAILABILITY_SCHEDULE
    primary_keys = ("event_type_uri", "user_uri")
    requires = Requires("availability:read")

    @override
    def prepare(self, row: Record, context: Context | None) -> Record:
        rule = row.get("availability_rule") or {}
        host = rule.get("user") or rule.get("uri") or digest(row).hex()  # none of them is promised
        return {**super().prepare(row, context), "user_uri": host}


class EventTypeAvailableTimes(CalendlyStream):
    """Free times of the next 31 days, as they are now; the API gives no id."""

    name = "event_type_available_times"
    path = "/event_type_available_times"
    parent_stream_type = EventTypes
    parent_parameter = "event_type"
    paged = False
    properties = EVENT_TYPE_AVAILABLE_TIME
    primary_keys = ("event_type_uri", "start_time")
    requires = Requires("availability:read, event_types:read")
    selected_by_default = False
    # The longest window that Calendly gives (release note of 2026-07-09).
    horizon = timedelta(days=31)

    @override
    def concerns(self, record: Record) -> bool:
        return str(record.get("active")).lower() == "true"
