"""Recaps of meetings, and what was said in them."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    CREATED_AT,
    LOCATION,
    MEETING_TIMES,
    UPDATED_AT,
    URI,
    flag,
    listing,
    parent,
    text,
    time,
)

MEETING_RECAP = th.PropertiesList(
    URI,
    text("app_url", "Address of the recap in Calendly."),
    text("event", "URI of the scheduled event; null for a meeting that Calendly did not schedule."),
    text("status", "available, processing or unavailable."),
    text("name", "Name of the meeting."),
    LOCATION,
    *MEETING_TIMES,
    CREATED_AT,
    UPDATED_AT,
    listing(
        "attendees",
        "Who attended.",
        flag("host", "Whether it is a host."),
        text("user_email", "E-mail address."),
        text("user_name", "Name."),
    ),
    text("summary_md", "Summary as Markdown."),
    text("action_items_md", "What is to be done, as Markdown."),
    text("discussion_md", "What was discussed, as Markdown."),
    text("transcript", "URI of the transcript."),
    text("share_link", "Link that shares the recap: treat it as a secret."),
)

MEETING_RECAP_TRANSCRIPT = th.PropertiesList(
    URI,
    parent("recap_uri", "meeting_recaps"),
    time("recap_updated_at", "When the recap was last changed (UTC)."),
    text("text", "What was said, as plain text."),
)
