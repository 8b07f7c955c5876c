"""What belongs to a person: working hours, busy times, places to meet."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.availability import (
    USER_AVAILABILITY_SCHEDULE,
    USER_BUSY_TIME,
    USER_LOCATION,
)
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams.organization import OrganizationMemberships


class UserAvailabilitySchedules(CalendlyStream):
    """Working hours of a member, by name."""

    name = "user_availability_schedules"
    path = "/user_availability_schedules"
    parent_stream_type = OrganizationMemberships
    parent_parameter = "user"
    paged = False
    properties = USER_AVAILABILITY_SCHEDULE
    requires = Requires("availability:read")


class UserBusyTimes(CalendlyStream):
    """Busy times of the next 7 days, as they are now; the API gives no id."""

    name = "user_busy_times"
    path = "/user_busy_times"
    parent_stream_type = OrganizationMemberships
    parent_parameter = "user"
    paged = False
    properties = USER_BUSY_TIME
    primary_keys = ("user_uri", "id")
    requires = Requires("availability:read")
    # 424: the member's calendar could not be reached.
    tolerated = frozenset({HTTPStatus.FAILED_DEPENDENCY})
    selected_by_default = False
    horizon = timedelta(days=7)


class UserLocations(CalendlyStream):
    """Places to meet that a member has connected; the API gives no id."""

    name = "user_locations"
    path = "/locations"
    parent_stream_type = OrganizationMemberships
    parent_parameter = "user"
    paged = False
    properties = USER_LOCATION
    primary_keys = ("user_uri", "kind")
    requires = Requires("locations:read")
    selected_by_default = False
