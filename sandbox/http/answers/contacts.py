"""The caller's contacts: their custom fields, lists of them, and notes about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.answers.query import Endpoint, collection, one_page, ordered, resource
from sandbox.http.errors import invalid_argument, not_found
from sandbox.http.paging import PAGE_TOKEN
from sandbox.organization.contact_lists import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record

BY_FIELD = ("timezone", "name", "job_title", "company", "country", "state", "city")
CUSTOM = "custom_fields"
CONTACT = "contact"
MOST_CONTACTS = 10
"""How many contacts one request for notes can name."""


def contacts(query: Query) -> Record:
    """Return the caller's contacts; filters match whole values, ignoring case."""
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
    excluded = query.parameters.choice("exclude", [CUSTOM])
    own = {one["uri"]: one for one in query.calendly.contacts_of(query.caller.user)}
    return resource(_without(excluded, query.found(own, "contacts")))


def custom_field_definitions(query: Query) -> Record:
    """Return the custom fields of the caller's contacts."""
    return collection(query.calendly.contact_fields_of(query.caller.user))


def custom_field_definition(query: Query) -> Record:
    """Return one custom field of the caller's contacts."""
    own = {one["uri"]: one for one in query.calendly.contact_fields_of(query.caller.user)}
    return resource(query.found(own, "contacts/custom_field_definitions"))


def contact_lists(query: Query) -> Record:
    """Return the caller's lists and views of contacts: always one page."""
    kind = query.parameters.choice("type", TYPES)
    rows = query.calendly.contact_lists_of(query.caller.user)
    return one_page([one for one in rows if kind in (None, one["type"])])


def notes(query: Query) -> Record:
    """Return the caller's notes about some of their contacts, the last changed ones first.

    A contact that is not theirs is not found; Calendly does not say what it answers then.
    """
    asked = query.parameters
    for name in asked.sent:
        if name not in (CONTACT, f"{CONTACT}[]", "count", PAGE_TOKEN):
            raise invalid_argument(name, "is not a parameter of notes")
    about = asked.several_uris(CONTACT, "contacts")
    if not 1 <= len(about) <= MOST_CONTACTS:
        raise invalid_argument(CONTACT, f"must be given 1 to {MOST_CONTACTS} times")
    if not set(about) <= {one["uri"] for one in query.calendly.contacts_of(query.caller.user)}:
        raise not_found()
    return query.page(query.calendly.notes_about(about))


def _is_among(wanted: str | None, values: Iterable[str | None]) -> bool:
    return wanted is None or wanted.lower() in {(one or "").lower() for one in values}


def _without(excluded: str | None, record: Record) -> Record:
    return {key: value for key, value in record.items() if key != excluded}


ENDPOINTS = (
    Endpoint("/contacts", "contacts:read", contacts),
    Endpoint("/contacts/custom_field_definitions", "contacts:read", custom_field_definitions),
    Endpoint("/contacts/custom_field_definitions/{uuid}", "contacts:read", custom_field_definition),
    Endpoint("/contacts/{uuid}", "contacts:read", contact),
    Endpoint("/contact_lists", "contacts:read", contact_lists),
    Endpoint("/notes", "contacts:read", notes),
)
