"""The caller's meeting recaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.access import RECAPS, require_plan
from sandbox.http.answers.query import Endpoint, found, resource
from sandbox.http.errors import not_found, permission_denied
from sandbox.organization.recaps import STATUSES, in_list

if TYPE_CHECKING:
    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


def meeting_recaps(query: Query) -> Record:
    """Return the caller's recaps without their texts; the available ones by default."""
    require_plan(query.calendly.organization["plan"], RECAPS)
    asked = query.parameters
    event = asked.uri("event", "scheduled_events")
    after, before = asked.time("start_time"), asked.time("end_time")
    status = asked.choice("status", STATUSES) or "available"
    attendee = asked.email("attendee")
    rows = (
        in_list(one)
        for one in query.calendly.recaps_of(query.caller.user, status)
        if event in (None, one["event"])
        and (after is None or one["end_time"] >= after)
        and (before is None or one["start_time"] <= before)
        and (attendee is None or attendee in {each["user_email"] for each in one["attendees"]})
    )
    return query.page(rows)


def meeting_recap(query: Query) -> Record:
    """Return one of the caller's recaps, with its texts, if it is available."""
    record = _own(query)
    if record["status"] != "available":
        raise not_found()
    return resource(record)


def transcript(query: Query) -> Record:
    """Return a recap's transcript; there is none while the recap is processing."""
    return resource(found(query.calendly.transcripts, _own(query)["uri"]))


def _own(query: Query) -> Record:
    """Return the recap that the path names, or refuse: 404 if unknown, 403 if another user's."""
    require_plan(query.calendly.organization["plan"], RECAPS)
    record = query.found(query.calendly.recaps, "meeting_recaps")
    if query.calendly.recap_owners[record["uri"]] != query.caller.user:
        raise permission_denied(RECAPS.refusal)
    return record


ENDPOINTS = (
    Endpoint("/meeting_recaps", "meeting_recaps:read", meeting_recaps),
    Endpoint("/meeting_recaps/{uuid}", "meeting_recaps:read", meeting_recap),
    Endpoint("/meeting_recaps/{uuid}/transcript", "meeting_recaps:read", transcript),
)
