"""Recaps that Calendly's notetaker writes, of the token's user."""

from __future__ import annotations

from tap_calendly.api.page import Record
from tap_calendly.reading.endpoint import Paged, Single
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.replication import ByKey, WithParent
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    CREATED_AT,
    LOCATION,
    MEETING_TIMES,
    UPDATED_AT,
    URI,
    boolean,
    columns,
    nested_list,
    parent_uri,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream

STATUSES = ("processing", "unavailable", "available")
"""In the order to ask: a recap that becomes available meanwhile comes up again as that."""


def is_available(recap: Record) -> bool:
    """Whether a recap has texts: others are found in the list alone."""
    return recap.get("status") not in {"processing", "unavailable"}


class MeetingRecaps(CalendlyStream):
    """Recaps with their text, which the API gives by one request for each available one."""

    name = "meeting_recaps"
    endpoint = Paged(
        "/meeting_recaps", whose="token_user", statuses=STATUSES, with_details=is_available
    )
    # The transcript may come later than the recap.
    replication = ByKey("updated_at", lookback=True)
    requires = Requires("meeting_recaps:read", plan="Standard")
    schema = columns(
        URI,
        string("app_url", "Address of the recap in Calendly."),
        string(
            "event",
            "URI of the scheduled event; null for a meeting that Calendly did not schedule.",
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


class MeetingRecapTranscripts(CalendlyStream):
    """What was said, word by word."""

    name = "meeting_recap_transcripts"
    endpoint = Single("/meeting_recaps/{uuid}/transcript", whose="token_user")
    parent = Parent(
        MeetingRecaps,
        columns={"recap_uri": "uri", "recap_updated_at": "updated_at"},
        applies_to=is_available,
        link="transcript",
    )
    replication = WithParent("recap_updated_at")
    requires = Requires("meeting_recaps:read", plan="Standard")
    selected_by_default = False
    schema = columns(
        URI,
        parent_uri("recap_uri", "meeting_recaps"),
        timestamp("recap_updated_at", "When the recap was last changed (UTC)."),
        string("text", "What was said, as plain text."),
    )
