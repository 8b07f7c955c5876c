"""Contacts: the people a user keeps in mind, and the fields he has added to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sandbox.identifiers import PAGES, last_segment
from sandbox.state import Record, State, known, life

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
    """What is known of a contact; but for the last three these are fields of the record.

    Attributes:
        emails: His addresses, the primary one first.
        phone_numbers: His telephone numbers.
        custom_fields: Values by the URI of the field; ``None`` takes a value away.
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


class Contacts(State):
    """The contacts of users: each reads his own alone, whatever his role."""

    @life
    def add_contact(self, *, user: str, email: str, **details: Unpack[ContactDetails]) -> str:
        """Let a user keep somebody in mind.

        Args:
            user: The URI of the user.
            email: The contact's primary address.
            details: See :class:`ContactDetails`.

        Returns:
            The contact's URI.

        Raises:
            ValueError: If there is no such user, he has a contact of this address, or a detail or
                a field is unknown.
        """
        known(self.users, user, "user")
        if any(one["emails"][0]["email"] == email for one in self.contacts_of(user)):
            message = f"{email} is a contact of {user} already"
            raise ValueError(message)
        values = self._checked(user, details)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("contacts", user, email)
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
        self.contacts[uri] = record
        self.contact_owners[uri] = user
        record.update(values)
        self._fill(record, details.get("custom_fields", {}))
        return uri

    @life
    def edit_contact(self, *, contact: str, **changes: Unpack[ContactDetails]) -> None:
        """Change what is known of a contact; moves its ``updated_at``.

        Args:
            contact: The contact's URI.
            changes: See :class:`ContactDetails`; what is left out stays.

        Raises:
            ValueError: If there is no such contact, or a detail or a field is unknown.
        """
        record = known(self.contacts, contact, "contact")
        values = self._checked(self.contact_owners[contact], changes)
        record.update(values, updated_at=self.stamp())
        self._fill(record, changes.get("custom_fields", {}))

    @life
    def delete_contact(self, *, contact: str) -> None:
        """Delete a contact: it vanishes.

        Raises:
            ValueError: If there is no such contact.
        """
        known(self.contacts, contact, "contact")
        del self.contacts[contact], self.contact_owners[contact]

    @life
    def add_contact_field(  # noqa: PLR0913 -- each belongs to one type of field, by name
        self,
        *,
        user: str,
        label: str,
        field_type: str = "text",
        options: Sequence[str] = (),
        currency: str | None = None,
        source: Mapping[str, str] | None = None,
    ) -> str:
        """Let a user add a field to his contacts.

        Args:
            user: The URI of the user.
            label: The field's name.
            field_type: ``text``, ``number``, ``currency``, ``tags``, ``date``, ``single_select``
                or ``invitee_question``.
            options: The choices of a select or of tags; every second one has no colour.
            currency: The currency of amounts.
            source: The ``event_type_uri`` and ``question`` that answers come from.

        Returns:
            The URI of the field's definition.

        Raises:
            ValueError: If there is no such user or type of field.
        """
        known(self.users, user, "user")
        if field_type not in FIELD_TYPES:
            message = f"a contact has no field of type {field_type!r}"
            raise ValueError(message)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("contacts/custom_field_definitions", user, label)
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
                    "uuid": self.identifiers.of(uri, option),
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
        self.contact_fields[uri] = record
        self.contact_owners[uri] = user
        return uri

    @life
    def rename_contact_field(self, *, field: str, label: str) -> None:
        """Give a field another name, in all contacts that have it; moves its ``updated_at`` alone.

        Raises:
            ValueError: If there is no such field.
        """
        record = known(self.contact_fields, field, "contact field")
        record.update(label=label, updated_at=self.stamp())
        for contact in self.contacts.values():
            for value in contact["custom_fields"]:
                if value["uri"] == field:
                    value["label"] = label

    @life
    def delete_contact_field(self, *, field: str) -> None:
        """Delete a field: it vanishes, and its values from the contacts, which it does not move.

        Raises:
            ValueError: If there is no such field.
        """
        known(self.contact_fields, field, "contact field")
        del self.contact_fields[field], self.contact_owners[field]
        for contact in self.contacts.values():
            contact["custom_fields"] = [
                one for one in contact["custom_fields"] if one["uri"] != field
            ]

    def contacts_of(self, user: str) -> list[Record]:
        """Return the user's contacts, in the order he added them."""
        return [one for uri, one in self.contacts.items() if self.contact_owners[uri] == user]

    def contact_fields_of(self, user: str) -> list[Record]:
        """Return the fields that the user has added to his contacts."""
        return [one for uri, one in self.contact_fields.items() if self.contact_owners[uri] == user]

    def _checked(self, user: str, details: ContactDetails) -> Record:
        """Return the fields of the record that ``details`` give, but for the custom ones."""
        unknown = sorted(details.keys() - ContactDetails.__annotations__.keys())
        if unknown:
            message = f"a contact has no detail {unknown[0]!r}"
            raise ValueError(message)
        for field in details.get("custom_fields", ()):
            if self.contact_owners.get(known(self.contact_fields, field, "field")["uri"]) != user:
                message = f"the contact field {field} is not {user}'s"
                raise ValueError(message)
        values: Record = {key: one for key, one in details.items() if key != "custom_fields"}
        if "emails" in details:
            values["emails"] = _addresses(details["emails"])
        if "phone_numbers" in details:
            values["phone_numbers"] = [{"phone_number": one} for one in details["phone_numbers"]]
        return values

    def _fill(self, contact: Record, values: Mapping[str, object]) -> None:
        filled = {one["uri"]: one["value"] for one in contact["custom_fields"]} | dict(values)
        contact["custom_fields"] = [
            {"uri": uri, "label": self.contact_fields[uri]["label"], "value": value}
            for uri, value in filled.items()
            if value is not None
        ]


def _addresses(emails: Sequence[str]) -> list[Record]:
    return [{"email": one, "is_primary": place == 0} for place, one in enumerate(emails)]
