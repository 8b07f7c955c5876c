"""What can be booked: event types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.access import require_people, require_whole_organization
from sandbox.answers.query import Endpoint, ordered, resource

if TYPE_CHECKING:
    from sandbox.answers.query import Query
    from sandbox.state import Record


def event_types(query: Query) -> Record:
    """The event types of the organisation or of a user, by name; not the deleted ones."""
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    active = asked.boolean("active")
    admin_managed = asked.boolean("admin_managed")
    schedule = asked.uri("user_availability_schedule", "user_availability_schedules")
    order = asked.sort("name", "position", "created_at", "updated_at") or "name:asc"
    require_people(query.caller, organization, user, query.members)
    rows = (
        one
        for one in query.calendly.event_types.values()
        if one["deleted_at"] is None
        and user in (None, one["profile"]["owner"])
        and active in (None, one["active"])
        and admin_managed in (None, one["admin_managed"])
        and schedule is None  # the sandbox has no schedules, so none can be used
    )
    return query.page(ordered(rows, order))


def event_type(query: Query) -> Record:
    """An event type; of a deleted one ``deleted_at`` tells."""
    record = query.found(query.calendly.event_types, "event_types")
    if record["profile"]["owner"] != query.caller.user:
        require_whole_organization(query.caller)
    return resource(record)


ENDPOINTS = (
    Endpoint("/event_types", "event_types:read", event_types),
    Endpoint("/event_types/{uuid}", "event_types:read", event_type),
)
