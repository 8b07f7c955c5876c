"""Contacts of the token's user: their fields, the lists they are on, and notes about them."""

from __future__ import annotations

from http import HTTPStatus

from tap_calendly.reading.endpoint import Paged, Unpaged
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.replication import NewestFirst
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    CREATED_AT,
    EMAIL,
    NAME,
    TIMEZONE,
    UPDATED_AT,
    URI,
    boolean,
    columns,
    integer,
    nested,
    nested_list,
    one_of,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream


class Contacts(CalendlyStream):
    """Contacts, the last changed first."""

    name = "contacts"
    endpoint = Paged("/contacts", whose="token_user", sort="updated_at:desc")
    replication = NewestFirst("updated_at")
    requires = Requires("contacts:read")
    schema = columns(
        URI,
        nested_list(
            "emails",
            "E-mail addresses.",
            EMAIL,
            boolean("is_primary", "Whether it is the main one."),
        ),
        string("name", "Full name."),
        nested_list(
            "phone_numbers", "Telephone numbers.", string("phone_number", "Telephone number.")
        ),
        TIMEZONE,
        string("job_title", "Job title."),
        string("company", "Company."),
        string("country", "Country."),
        string("state", "State or region."),
        string("city", "City."),
        string("linkedin", "Address of the LinkedIn profile."),
        nested_list(
            "custom_fields",
            "Values of the fields that the account added.",
            string("uri", "URI of the contact custom field definition."),
            string("label", "What the field is called."),
            one_of(
                "value",
                ["string", "number", "boolean", "array", "object"],
                "The value, in the form that the definition's `field_type` gives it; an amount in "
                "the currency's main unit.",
            ),
        ),
        CREATED_AT,
        UPDATED_AT,
        timestamp("first_email_date", "When the first e-mail was exchanged (UTC)."),
        timestamp("last_email_date", "When the last e-mail was exchanged (UTC)."),
        timestamp("next_meeting_date", "When the next meeting is (UTC)."),
        timestamp("last_meeting_date", "When the last meeting was (UTC)."),
        timestamp("last_interaction_date", "When the last e-mail or meeting was (UTC)."),
        string("app_url", "Address of the contact in Calendly."),
    )


class ContactCustomFieldDefinitions(CalendlyStream):
    """Fields that contacts have beside the usual ones."""

    name = "contact_custom_field_definitions"
    endpoint = Unpaged("/contacts/custom_field_definitions", whose="token_user")
    requires = Requires("contacts:read")
    schema = columns(
        URI,
        string("label", "What the field is called."),
        string(
            "field_type",
            "text, number, currency, tags, date, single_select or invitee_question.",
        ),
        nested_list(
            "options",
            "The choices of a single_select.",
            string("uuid", "Id of the choice."),
            string("label", "The choice."),
            string("color", "Its colour."),
            boolean("is_active", "Whether it can still be chosen."),
        ),
        string("currency", "Code of a currency field's currency, such as USD."),
        nested(
            "source",
            "Where the values of an invitee_question come from.",
            string("type", "The word event_type_invitee_question."),
            string("event_type_uri", "URI of the event type whose booking form asks."),
            string("question", "The question."),
        ),
        CREATED_AT,
        UPDATED_AT,
    )


class ContactLists(CalendlyStream):
    """Lists and views of contacts that the user saved."""

    name = "contact_lists"
    endpoint = Unpaged("/contact_lists", whose="token_user")
    requires = Requires("contacts:read")
    schema = columns(
        URI,
        NAME,
        string("type", "static_list (a list) or dynamic_view (a view: contacts by filters)."),
        integer("contact_count", "How many contacts the list has; null for a view."),
        CREATED_AT,
        UPDATED_AT,
    )


class Notes(CalendlyStream):
    """Notes that the user wrote about contacts, which the API gives for ten contacts at a time."""

    name = "notes"
    endpoint = Paged("/notes", whose="token_user")
    parent = Parent(
        Contacts,
        "contact",
        # Calendly does not say how it refuses a contact that was deleted.
        gone=frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}),
        at_once=10,
    )
    requires = Requires("contacts:read")
    selected_by_default = False
    schema = columns(
        URI,
        string("contact", "URI of the contact."),
        string("title", "Title."),
        string("body", "Text."),
        timestamp("remind_at", "When to be reminded of it (UTC); null for never."),
        CREATED_AT,
        UPDATED_AT,
    )
