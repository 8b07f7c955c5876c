"""When users are free and busy, and where they meet."""

from __future__ import annotations

from tap_calendly.singer.schema import (
    BUFFERED_TIMES,
    ID,
    NAME,
    TIMEZONE,
    URI,
    Schema,
    boolean,
    integer,
    nested,
    nested_list,
    parent_uri,
    string,
    timestamp,
)

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

USER_URI = string("user_uri", "URI of the user who was asked for.", key=True)

USER_AVAILABILITY_SCHEDULE = Schema(
    URI,
    boolean("default", "Whether it is the user's default schedule."),
    NAME,
    string("user", "URI of the user."),
    TIMEZONE,
    RULES,
)

EVENT_TYPE_AVAILABILITY_SCHEDULE = Schema(
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

EVENT_TYPE_AVAILABLE_TIME = Schema(
    EVENT_TYPE_URI,
    timestamp("start_time", "When the meeting would start (UTC).", key=True),
    string("status", "The word available."),
    integer("invitees_remaining", "How many more people can book it."),
    string("scheduling_url", "Address to book this time at."),
)

USER_BUSY_TIME = Schema(
    USER_URI,
    ID,
    string("type", "calendly, external or reserved."),
    timestamp("start_time", "When it starts (UTC)."),
    timestamp("end_time", "When it ends (UTC)."),
    *BUFFERED_TIMES,
    nested("event", "The meeting, for `calendly`.", string("uri", "URI of the scheduled event.")),
)

USER_LOCATION = Schema(
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
