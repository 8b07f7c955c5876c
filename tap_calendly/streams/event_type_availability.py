"""When an event type can be booked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from tap_calendly.api.page import digest
from tap_calendly.reading.endpoint import Unpaged
from tap_calendly.reading.parent import Parent
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    NAME,
    TIMEZONE,
    columns,
    integer,
    nested,
    nested_list,
    parent_uri,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams.event_types import EventTypes

RULES = nested_list(
    "rules",
    "The hours, by weekday and by date.",
    string("type", "wday or date."),
    nested_list(
        "intervals",
        "When the user is free that day; empty for never.",
        string("from", "Start as HH:MM in the schedule's time zone."),
        string("to", "End as HH:MM in the schedule's time zone."),
    ),
    string("wday", "For `wday`: the weekday, sunday to saturday."),
    string("date", "For `date`: the day as YYYY-MM-DD."),
)

EVENT_TYPE_URI = parent_uri("event_type_uri", "event_types", key=True)


def _host(row: dict[str, Any]) -> object:
    """Give whose schedule it is, as far as Calendly says: none of these is promised."""
    rule = row.get("availability_rule") or {}
    return rule.get("user") or rule.get("uri") or digest(row).hex()


def _is_active(event_type: dict[str, Any]) -> bool:
    return str(event_type.get("active")).lower() == "true"


class EventTypeAvailabilitySchedules(CalendlyStream):
    """When an event type can be booked, by host; the API gives no id."""

    name = "event_type_availability_schedules"
    primary_keys = ("event_type_uri", "user_uri")
    endpoint = Unpaged("/event_type_availability_schedules")
    parent = Parent(EventTypes, "event_type", columns={"event_type_uri": "uri"})
    requires = Requires("availability:read")
    derived: ClassVar = {"user_uri": _host}
    schema = columns(
        EVENT_TYPE_URI,
        string("user_uri", "URI of the host, as `availability_rule` names it.", key=True),
        string("event_type", "URI of the event type, as Calendly names it."),
        string("availability_setting", "The word host."),
        nested(
            "availability_rule",
            "The host's hours.",
            TIMEZONE,
            string("uri", "URI of the schedule."),
            NAME,
            string("user", "URI of the host."),
            RULES,
        ),
    )


class EventTypeAvailableTimes(CalendlyStream):
    """Free times of the next 31 days, as they are now; the API gives no id."""

    name = "event_type_available_times"
    primary_keys = ("event_type_uri", "start_time")
    # The longest window that Calendly gives (release note of 2026-07-09).
    endpoint = Unpaged("/event_type_available_times", window=timedelta(days=31))
    parent = Parent(
        EventTypes, "event_type", columns={"event_type_uri": "uri"}, applies_to=_is_active
    )
    requires = Requires("availability:read, event_types:read")
    selected_by_default = False
    schema = columns(
        EVENT_TYPE_URI,
        timestamp("start_time", "When the meeting would start (UTC).", key=True),
        string("status", "The word available."),
        integer("invitees_remaining", "How many more people can book it."),
        string("scheduling_url", "Address to book this time at."),
    )
