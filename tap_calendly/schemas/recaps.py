"""Recaps of meetings, and what was said in them."""

from __future__ import annotations

from tap_calendly.singer.schema import (
    CREATED_AT,
    LOCATION,
    MEETING_TIMES,
    UPDATED_AT,
    URI,
    Schema,
    boolean,
    nested_list,
    parent_uri,
    string,
    timestamp,
)

MEETING_RECAP = Schema(
    URI,
    string("app_url", "Address of the recap in Calendly."),
    string(
        "event", "URI of the scheduled event; null for a meeting that Calendly did not schedule."
    ),
    string("status", "available, processing or unavailable."),
    string("name", "Name of the meeting."),
    LOCATION,
    *MEETING_TIMES,
    CREATED_AT,
    UPDATED_AT,
    nested_list(
        "attendees",
        "Who attended.",
        boolean("host", "Whether it is a host."),
        string("user_email", "E-mail address."),
        string("user_name", "Name."),
    ),
    string("summary_md", "Summary as Markdown."),
    string("action_items_md", "What is to be done, as Markdown."),
    string("discussion_md", "What was discussed, as Markdown."),
    string("transcript", "URI of the transcript."),
    string("share_link", "Link that shares the recap: treat it as a secret."),
)

MEETING_RECAP_TRANSCRIPT = Schema(
    URI,
    parent_uri("recap_uri", "meeting_recaps"),
    timestamp("recap_updated_at", "When the recap was last changed (UTC)."),
    string("text", "What was said, as plain text."),
)
