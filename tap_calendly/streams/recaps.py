"""Recaps that Calendly's notetaker writes, of the token's user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.recaps import MEETING_RECAP, MEETING_RECAP_TRANSCRIPT
from tap_calendly.singer.stream import CalendlyStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class MeetingRecaps(CalendlyStream):
    """Recaps with their text, which the API gives by one request for each."""

    name = "meeting_recaps"
    path = "/meeting_recaps"
    of_own_user = True
    detailed = True
    properties = MEETING_RECAP
    requires = Requires("meeting_recaps:read", plan="Standard")
    replication_key = "updated_at"
    revisits = True  # the transcript may come later than the recap

    @override
    def contexts(self, record: Record) -> Iterable[Context]:
        return [{"recap_uri": record["uri"], "recap_updated_at": record.get("updated_at")}]


class MeetingRecapTranscripts(CalendlyStream):
    """What was said, word by word."""

    name = "meeting_recap_transcripts"
    path = "/meeting_recaps/{recap_uri}/transcript"
    of_own_user = True
    parent_stream_type = MeetingRecaps
    envelope = "resource"
    link = "transcript"
    properties = MEETING_RECAP_TRANSCRIPT
    requires = Requires("meeting_recaps:read", plan="Standard")
    replication_key = "recap_updated_at"
    selected_by_default = False
