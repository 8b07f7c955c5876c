"""Meetings and their invitees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.access import require_event, require_events
from sandbox.http.answers.query import Endpoint, found, ordered, resource
from sandbox.http.errors import not_found
from sandbox.organization.identifiers import API

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


STATUSES = ("active", "canceled")


def scheduled_events(query: Query) -> Record:
    """Return the meetings of the organization, a user or a group, or the caller's own."""
    asked, meetings = query.parameters, query.meetings
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    group = asked.uri("group", "groups")
    invitee = asked.email("invitee_email")
    status = asked.choice("status", STATUSES)
    # Calendly does not say whether these are inclusive; here they are not.
    after = asked.time("min_start_time")
    before = asked.time("max_start_time")
    order = asked.sort("start_time")
    require_events(
        query.caller, organization=organization, user=user, group=group, members=query.members
    )
    hosts = None if group is None else query.calendly.group_members.get(group)
    if group is not None and hosts is None:
        raise not_found()
    rows = (
        one
        for one in meetings.events.values()
        if status in (None, one["status"])
        and (after is None or one["start_time"] > after)
        and (before is None or one["start_time"] < before)
        and (user is None or _hosted(one, {user}))
        and (hosts is None or _hosted(one, hosts))
        and (invitee is None or _invited(meetings.invitees[one["uri"]], invitee))
    )
    return query.page(ordered(rows, order))


def scheduled_event(query: Query) -> Record:
    """Return a meeting."""
    record = query.found(query.meetings.events, "scheduled_events")
    require_event(query.caller, record)
    return resource(record)


def invitees(query: Query) -> Record:
    """Return the invitees of a meeting, in the order they were invited."""
    asked = query.parameters
    status = asked.choice("status", STATUSES)
    email = asked.email("email")
    order = asked.sort("created_at")
    event = query.found(query.meetings.events, "scheduled_events")
    require_event(query.caller, event)
    rows = (
        one
        for one in query.meetings.invitees[event["uri"]]
        if status in (None, one["status"]) and email in (None, one["email"])
    )
    return query.page(ordered(rows, order))


def invitee(query: Query) -> Record:
    """Return an invitee."""
    event = f"{API}/scheduled_events/{query.ids['event_uuid']}"
    require_event(query.caller, found(query.meetings.events, event))
    records = {one["uri"]: one for one in query.meetings.invitees[event]}
    return resource(found(records, f"{event}/invitees/{query.ids['invitee_uuid']}"))


def invitee_no_show(query: Query) -> Record:
    """Return a no-show mark."""
    record = query.found(query.meetings.no_shows, "invitee_no_shows")
    event, _, _ = record["invitee"].partition("/invitees/")
    require_event(query.caller, query.meetings.events[event])
    return resource(record)


def _hosted(event: Record, users: set[str]) -> bool:
    return any(membership["user"] in users for membership in event["event_memberships"])


def _invited(invitees: Iterable[Record], email: str) -> bool:
    return any(one["email"] == email for one in invitees)


ENDPOINTS = (
    Endpoint("/scheduled_events", "scheduled_events:read", scheduled_events),
    Endpoint("/scheduled_events/{uuid}", "scheduled_events:read", scheduled_event),
    Endpoint("/scheduled_events/{uuid}/invitees", "scheduled_events:read", invitees),
    Endpoint(
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}", "scheduled_events:read", invitee
    ),
    Endpoint("/invitee_no_shows/{uuid}", "scheduled_events:read", invitee_no_show),
)
