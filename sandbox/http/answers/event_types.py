"""Event types and their hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.access import TEAMS, require_people, require_plan, require_whole_organization
from sandbox.http.answers.query import Endpoint, found, ordered, resource
from sandbox.http.errors import not_found

if TYPE_CHECKING:
    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


def event_types(query: Query) -> Record:
    """Return the event types of the organization or of a user, by name, without deleted ones."""
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    active = asked.boolean("active")
    admin_managed = asked.boolean("admin_managed")
    schedule = asked.uri("user_availability_schedule", "user_availability_schedules")
    order = asked.sort("name", "position", "created_at", "updated_at") or "name:asc"
    require_people(query.caller, organization, user, query.members)
    followers = None if schedule is None else query.calendly.followers(schedule)
    rows = (
        one
        for one in query.calendly.listed_event_types()
        if user in (None, one["profile"]["owner"])
        and active in (None, one["active"])
        and admin_managed in (None, one["admin_managed"])
        and (followers is None or one["uri"] in followers)
    )
    return query.page(ordered(rows, order))


def event_type(query: Query) -> Record:
    """Return an event type, deleted or not."""
    record = query.found(query.calendly.event_types, "event_types")
    if record["profile"]["owner"] != query.caller.user:
        require_whole_organization(query.caller)
    return resource(record)


def event_type_memberships(query: Query) -> Record:
    """Return the hosts of an event type."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    record = offered(query)
    return query.page(query.calendly.hosts(record["uri"]))


def offered(query: Query) -> Record:
    """Return the event type given as a parameter.

    Raises:
        CalendlyError: 404 if it is unknown or deleted, 403 unless the caller hosts it or may read
            the whole organization.
    """
    uri = query.parameters.required_uri("event_type", "event_types")
    record: Record = found(query.calendly.event_types, uri)
    if record["deleted_at"] is not None:
        raise not_found()
    if query.caller.user not in query.calendly.event_type_hosts[uri]:
        require_whole_organization(query.caller)
    return record


ENDPOINTS = (
    Endpoint("/event_types", "event_types:read", event_types),
    Endpoint("/event_types/{uuid}", "event_types:read", event_type),
    Endpoint("/event_type_memberships", "event_types:read", event_type_memberships),
)
