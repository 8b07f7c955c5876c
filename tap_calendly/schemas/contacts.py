"""Contacts and the fields that the account added to them."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    CREATED_AT,
    EMAIL,
    TIMEZONE,
    UPDATED_AT,
    URI,
    either,
    flag,
    group,
    listing,
    text,
    time,
)

CONTACT = th.PropertiesList(
    URI,
    listing(
        "emails",
        "E-mail addresses.",
        EMAIL,
        flag("is_primary", "Whether it is the main one."),
    ),
    text("name", "Full name."),
    listing("phone_numbers", "Telephone numbers.", text("phone_number", "Telephone number.")),
    TIMEZONE,
    text("job_title", "Job title."),
    text("company", "Company."),
    text("country", "Country."),
    text("state", "State or region."),
    text("city", "City."),
    text("linkedin", "Address of the LinkedIn profile."),
    listing(
        "custom_fields",
        "Values of the fields that the account added.",
        text("uri", "URI of the contact custom field definition."),
        text("label", "What the field is called."),
        either(
            "value",
            ["string", "number", "boolean", "array", "object"],
            "The value, in the form that the definition's `field_type` gives it; an amount in the "
            "currency's main unit.",
        ),
    ),
    CREATED_AT,
    UPDATED_AT,
    time("first_email_date", "When the first e-mail was exchanged (UTC)."),
    time("last_email_date", "When the last e-mail was exchanged (UTC)."),
    time("next_meeting_date", "When the next meeting is (UTC)."),
    time("last_meeting_date", "When the last meeting was (UTC)."),
    time("last_interaction_date", "When the last e-mail or meeting was (UTC)."),
    text("app_url", "Address of the contact in Calendly."),
)

CONTACT_CUSTOM_FIELD_DEFINITION = th.PropertiesList(
    URI,
    text("label", "What the field is called."),
    text(
        "field_type",
        "text, number, currency, tags, date, single_select or invitee_question.",
    ),
    listing(
        "options",
        "The choices of a single_select.",
        text("uuid", "Id of the choice."),
        text("label", "The choice."),
        text("color", "Its colour."),
        flag("is_active", "Whether it can still be chosen."),
    ),
    text("currency", "Code of a currency field's currency, such as USD."),
    group(
        "source",
        "Where the values of an invitee_question come from.",
        text("type", "The word event_type_invitee_question."),
        text("event_type_uri", "URI of the event type whose booking form asks."),
        text("question", "The question."),
    ),
    CREATED_AT,
    UPDATED_AT,
)
