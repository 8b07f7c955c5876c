"""When users are free and busy, and where they meet."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    BUFFERED_TIMES,
    ID,
    NAME,
    TIMEZONE,
    URI,
    flag,
    group,
    listing,
    parent,
    text,
    time,
    whole,
)

RULES = listing(
    "rules",
    "The hours, by weekday and by date.",
    text("type", "wday or date."),
    listing(
        "intervals",
        "When the user is free that day; empty for never.",
        text("from", "Start as HH:MM in the schedule's time zone."),
        text("to", "End as HH:MM in the schedule's time zone."),
    ),
    text("wday", "For `wday`: the weekday, sunday to saturday."),
    text("date", "For `date`: the day as YYYY-MM-DD."),
)

EVENT_TYPE_URI = parent("event_type_uri", "event_types", key=True)

USER_URI = text("user_uri", "URI of the user who was asked for.", key=True)

USER_AVAILABILITY_SCHEDULE = th.PropertiesList(
    URI,
    flag("default", "Whether it is the user's default schedule."),
    NAME,
    text("user", "URI of the user."),
    TIMEZONE,
    RULES,
)

EVENT_TYPE_AVAILABILITY_SCHEDULE = th.PropertiesList(
    EVENT_TYPE_URI,
    text("user_uri", "URI of the host, as `availability_rule` names it.", key=True),
    text("event_type", "URI of the event type, as Calendly names it."),
    text("availability_setting", "The word host."),
    group(
        "availability_rule",
        "The host's hours.",
        TIMEZONE,
        text("uri", "URI of the schedule."),
        NAME,
        text("user", "URI of the host."),
        RULES,
    ),
)

EVENT_TYPE_AVAILABLE_TIME = th.PropertiesList(
    EVENT_TYPE_URI,
    time("start_time", "When the meeting would start (UTC).", key=True),
    text("status", "The word available."),
    whole("invitees_remaining", "How many more people can book it."),
    text("scheduling_url", "Address to book this time at."),
)

USER_BUSY_TIME = th.PropertiesList(
    USER_URI,
    ID,
    text("type", "calendly, external or reserved."),
    time("start_time", "When it starts (UTC)."),
    time("end_time", "When it ends (UTC)."),
    *BUFFERED_TIMES,
    group("event", "The meeting, for `calendly`.", text("uri", "URI of the scheduled event.")),
)

USER_LOCATION = th.PropertiesList(
    USER_URI,
    text(
        "kind",
        "physical, outbound_call, inbound_call, google_conference, zoom_conference, "
        "gotomeeting_conference, microsoft_teams_conference, webex_conference, custom or "
        "ask_invitee.",
        key=True,
    ),
    flag("connected", "Whether the user has connected it."),
)
