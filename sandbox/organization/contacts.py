"""Users' contacts and their custom fields; each user can read only their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sandbox.organization.announcements import announce_contact
from sandbox.organization.identifiers import PAGES, last_segment
from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

FIELD_TYPES = (
    "text",
    "number",
    "currency",
    "tags",
    "date",
    "single_select",
    "invitee_question",
)
DATES = (
    *("first_email_date", "last_email_date", "next_meeting_date", "last_meeting_date"),
    "last_interaction_date",
)


class ContactDetails(TypedDict, total=False):
    """The optional properties of a contact; all but the last three are fields of the record.

    Attributes:
        emails: Addresses, the primary one first.
        phone_numbers: Telephone numbers.
        custom_fields: Values by the field's URI; ``None`` deletes a value.
    """

    name: str | None
    timezone: str | None
    job_title: str | None
    company: str | None
    country: str | None
    state: str | None
    city: str | None
    linkedin: str | None
    first_email_date: str | None
    last_email_date: str | None
    next_meeting_date: str | None
    last_meeting_date: str | None
    last_interaction_date: str | None
    emails: Sequence[str]
    phone_numbers: Sequence[str]
    custom_fields: Mapping[str, object]


@life_event
def add_contact(
    state: State, /, *, user: str, email: str, **details: Unpack[ContactDetails]
) -> str:
    """Add a contact to a user's; return its URI."""
    find(state.users, user, "user")
    if any(one["emails"][0]["email"] == email for one in contacts_of(state, user)):
        message = f"{email} is a contact of {user} already"
        raise ValueError(message)
    values = _checked(state, user, details)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("contacts", user, email)
    record: Record = {
        "uri": uri,
        "emails": _addresses([email]),
        "name": None,
        "phone_numbers": [],
        "timezone": None,
        "job_title": None,
        "company": None,
        "country": None,
        "state": None,
        "city": None,
        "linkedin": None,
        "custom_fields": [],
        "created_at": stamp,
        "updated_at": stamp,
        **dict.fromkeys(DATES),
        "app_url": f"{PAGES}/app/contacts/{last_segment(uri)}",
    }
    state.contacts[uri] = record
    state.contact_owners[uri] = user
    record.update(values)
    _fill(state, record, details.get("custom_fields", {}))
    announce_contact(state, "contact.created", record, user)
    return uri


@life_event
def edit_contact(state: State, /, *, contact: str, **changes: Unpack[ContactDetails]) -> None:
    """Change a contact; moves its ``updated_at``, and what is left out stays."""
    record = find(state.contacts, contact, "contact")
    user = state.contact_owners[contact]
    values = _checked(state, user, changes)
    record.update(values, updated_at=state.stamp())
    _fill(state, record, changes.get("custom_fields", {}))
    announce_contact(state, "contact.updated", record, user)


@life_event
def delete_contact(state: State, *, contact: str) -> None:
    """Delete a contact, and the notes about it."""
    record = find(state.contacts, contact, "contact")
    user = state.contact_owners.pop(contact)
    del state.contacts[contact]
    state.notes = {uri: one for uri, one in state.notes.items() if one["contact"] != contact}
    announce_contact(state, "contact.deleted", record, user)


@life_event
def add_contact_field(
    state: State,
    *,
    user: str,
    label: str,
    field_type: str = "text",
    options: Sequence[str] = (),
    currency: str | None = None,
    source: Mapping[str, str] | None = None,
) -> str:
    """Add a field of one of the ``FIELD_TYPES`` to a user's contacts.

    ``options`` are the choices of a select or of tags, every second one without a color;
    ``source`` is the ``event_type_uri`` and ``question`` that answers come from. Returned is the
    URI of the field's definition.
    """
    find(state.users, user, "user")
    if field_type not in FIELD_TYPES:
        message = f"a contact has no field of type {field_type!r}"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("contacts/custom_field_definitions", user, label)
    record: Record = {
        "uri": uri,
        "label": label,
        "field_type": field_type,
        "created_at": stamp,
        "updated_at": stamp,
    }
    if field_type in ("tags", "single_select"):
        record["options"] = [
            {
                "uuid": state.identifiers.of(uri, option),
                "label": option,
                "color": None if place % 2 else "#8247f5",
                "is_active": True,
            }
            for place, option in enumerate(options)
        ]
    if currency is not None:
        record["currency"] = currency
    if source is not None:
        record["source"] = {"type": "event_type_invitee_question", **source}
    state.contact_fields[uri] = record
    state.contact_owners[uri] = user
    return uri


@life_event
def rename_contact_field(state: State, *, field: str, label: str) -> None:
    """Rename a field in all contacts that have it; moves only the field's ``updated_at``."""
    record = find(state.contact_fields, field, "contact field")
    record.update(label=label, updated_at=state.stamp())
    for contact in state.contacts.values():
        for value in contact["custom_fields"]:
            if value["uri"] == field:
                value["label"] = label


@life_event
def delete_contact_field(state: State, *, field: str) -> None:
    """Delete a field and its values; moves no contact's ``updated_at``."""
    find(state.contact_fields, field, "contact field")
    del state.contact_fields[field], state.contact_owners[field]
    for contact in state.contacts.values():
        contact["custom_fields"] = [one for one in contact["custom_fields"] if one["uri"] != field]


def contacts_of(state: State, user: str) -> list[Record]:
    """Return the user's contacts, in the order they were added."""
    return [one for uri, one in state.contacts.items() if state.contact_owners[uri] == user]


def contact_fields_of(state: State, user: str) -> list[Record]:
    """Return the custom fields of the user's contacts."""
    return [one for uri, one in state.contact_fields.items() if state.contact_owners[uri] == user]


def _checked(state: State, user: str, details: ContactDetails) -> Record:
    """Return the record's fields that ``details`` give, without the custom ones."""
    unknown = sorted(details.keys() - ContactDetails.__annotations__.keys())
    if unknown:
        message = f"a contact has no detail {unknown[0]!r}"
        raise ValueError(message)
    for field in details.get("custom_fields", ()):
        if state.contact_owners.get(find(state.contact_fields, field, "field")["uri"]) != user:
            message = f"the contact field {field} is not {user}'s"
            raise ValueError(message)
    values: Record = {key: one for key, one in details.items() if key != "custom_fields"}
    if "emails" in details:
        values["emails"] = _addresses(details["emails"])
    if "phone_numbers" in details:
        values["phone_numbers"] = [{"phone_number": one} for one in details["phone_numbers"]]
    return values


def _fill(state: State, contact: Record, values: Mapping[str, object]) -> None:
    filled = {one["uri"]: one["value"] for one in contact["custom_fields"]} | dict(values)
    contact["custom_fields"] = [
        {"uri": uri, "label": state.contact_fields[uri]["label"], "value": value}
        for uri, value in filled.items()
        if value is not None
    ]


def _addresses(emails: Sequence[str]) -> list[Record]:
    return [{"email": one, "is_primary": place == 0} for place, one in enumerate(emails)]
