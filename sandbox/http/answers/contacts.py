"""The caller's contacts and their custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.access import CONTACTS, require_plan
from sandbox.http.answers.query import Endpoint, collection, ordered, resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record

BY_FIELD = ("timezone", "name", "job_title", "company", "country", "state", "city")
CUSTOM = "custom_fields"


def contacts(query: Query) -> Record:
    """Return the caller's contacts; filters match whole values, ignoring case."""
    require_plan(query.calendly.organization["plan"], CONTACTS)
    asked = query.parameters
    order = asked.sort("created_at", "updated_at")
    excluded = asked.choice("exclude", [CUSTOM])
    email, number = asked.sent.get("email"), asked.sent.get("phone_number")
    wanted = {field: asked.sent.get(field) for field in BY_FIELD}
    rows = (
        one
        for one in query.calendly.contacts_of(query.caller.user)
        if _is_among(email, (each["email"] for each in one["emails"]))
        and _is_among(number, (each["phone_number"] for each in one["phone_numbers"]))
        and all(_is_among(value, [one[field]]) for field, value in wanted.items())
    )
    return query.page(_without(excluded, one) for one in ordered(rows, order))


def contact(query: Query) -> Record:
    """Return one of the caller's contacts."""
    require_plan(query.calendly.organization["plan"], CONTACTS)
    excluded = query.parameters.choice("exclude", [CUSTOM])
    own = {one["uri"]: one for one in query.calendly.contacts_of(query.caller.user)}
    return resource(_without(excluded, query.found(own, "contacts")))


def custom_field_definitions(query: Query) -> Record:
    """Return the custom fields of the caller's contacts."""
    require_plan(query.calendly.organization["plan"], CONTACTS)
    return collection(query.calendly.contact_fields_of(query.caller.user))


def custom_field_definition(query: Query) -> Record:
    """Return one custom field of the caller's contacts."""
    require_plan(query.calendly.organization["plan"], CONTACTS)
    own = {one["uri"]: one for one in query.calendly.contact_fields_of(query.caller.user)}
    return resource(query.found(own, "contacts/custom_field_definitions"))


def _is_among(wanted: str | None, values: Iterable[str | None]) -> bool:
    return wanted is None or wanted.lower() in {(one or "").lower() for one in values}


def _without(excluded: str | None, record: Record) -> Record:
    return {key: value for key, value in record.items() if key != excluded}


ENDPOINTS = (
    Endpoint("/contacts", "contacts:read", contacts),
    Endpoint("/contacts/custom_field_definitions", "contacts:read", custom_field_definitions),
    Endpoint("/contacts/custom_field_definitions/{uuid}", "contacts:read", custom_field_definition),
    Endpoint("/contacts/{uuid}", "contacts:read", contact),
)
