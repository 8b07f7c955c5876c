"""What belongs to a person: working hours, busy times, places to meet."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar

from tap_calendly.reading.endpoint import Unpaged
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.reader import sha256_of
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    BUFFERED_TIMES,
    ID,
    NAME,
    TIMEZONE,
    URI,
    boolean,
    columns,
    nested,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams.event_type_availability import RULES
from tap_calendly.streams.organization import OrganizationMemberships

USER_URI = string("user_uri", "URI of the user who was asked for.", key=True)


class UserAvailabilitySchedules(CalendlyStream):
    """Working hours of a member, by name."""

    name = "user_availability_schedules"
    endpoint = Unpaged("/user_availability_schedules")
    parent = Parent(OrganizationMemberships, "user", uri="user.uri")
    requires = Requires("availability:read")
    schema = columns(
        URI,
        boolean("default", "Whether it is the user's default schedule."),
        NAME,
        string("user", "URI of the user."),
        TIMEZONE,
        RULES,
    )


class UserBusyTimes(CalendlyStream):
    """Busy times of the next 7 days, as they are now; the API gives no id."""

    name = "user_busy_times"
    primary_keys = ("user_uri", "id")
    endpoint = Unpaged("/user_busy_times", window=timedelta(days=7))
    parent = Parent(
        OrganizationMemberships,
        "user",
        uri="user.uri",
        columns={"user_uri": "user.uri"},
        # The member's calendar could not be reached.
        tolerates=frozenset({HTTPStatus.FAILED_DEPENDENCY}),
    )
    requires = Requires("availability:read")
    derived: ClassVar = {"id": sha256_of}
    selected_by_default = False
    schema = columns(
        USER_URI,
        ID,
        string("type", "calendly, external or reserved."),
        timestamp("start_time", "When it starts (UTC)."),
        timestamp("end_time", "When it ends (UTC)."),
        *BUFFERED_TIMES,
        nested(
            "event", "The meeting, for `calendly`.", string("uri", "URI of the scheduled event.")
        ),
    )


class UserLocations(CalendlyStream):
    """Places to meet that a member has connected; the API gives no id."""

    name = "user_locations"
    primary_keys = ("user_uri", "kind")
    endpoint = Unpaged("/locations")
    parent = Parent(
        OrganizationMemberships, "user", uri="user.uri", columns={"user_uri": "user.uri"}
    )
    requires = Requires("locations:read")
    selected_by_default = False
    schema = columns(
        USER_URI,
        string(
            "kind",
            "physical, outbound_call, inbound_call, google_conference, zoom_conference, "
            "gotomeeting_conference, microsoft_teams_conference, webex_conference, custom or "
            "ask_invitee.",
            key=True,
        ),
        boolean("connected", "Whether the user has connected it."),
    )
