"""Event types and their hosts."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    ACCOUNT,
    ANSWER_CHOICES,
    CREATED_AT,
    NAME,
    UPDATED_AT,
    URI,
    USER_REFERENCE,
    flag,
    group,
    listing,
    parent,
    text,
    time,
    whole,
)

FIELDS = (
    flag("active", "Whether it can be booked."),
    flag("admin_managed", "Whether administrators manage it."),
    text("booking_method", "instant or poll."),
    text("color", "Colour in hexadecimal, such as #fff200."),
    CREATED_AT,
    listing(
        "custom_questions",
        "What the booking form asks.",
        text("name", "The question."),
        text("type", "string, text, phone_number, single_select or multi_select."),
        whole("position", "The question's place on the form."),
        flag("enabled", "Whether it is asked."),
        flag("required", "Whether it must be answered."),
        ANSWER_CHOICES,
        flag("include_other", "Whether another answer may be given."),
    ),
    time("deleted_at", "When it was deleted (UTC)."),
    text("description_html", "Description as HTML."),
    text("description_plain", "Description as plain text."),
    th.Property("duration", th.NumberType, description="Minutes."),
    th.Property(
        "duration_options",
        th.ArrayType(th.IntegerType(nullable=True)),
        description="Minutes among which the invitee may choose.",
    ),
    text("internal_note", "Note for the team."),
    flag("is_paid", "Whether a payment is asked for."),
    text("kind", "solo or group."),
    text("locale", "Language code."),
    listing(
        "locations",
        "Where meetings can be.",
        text("kind", "Kind of location, such as physical or zoom_conference."),
        text("location", "Address or text."),
        text("additional_info", "What the host added."),
        text("phone_number", "Telephone number."),
    ),
    NAME,
    text("pooling_type", "round_robin, collective or multi_pool; null for one host."),
    whole("position", "Place in the list."),
    group(
        "profile",
        "Whose it is.",
        text("type", "User or Team."),
        NAME,
        text("owner", "URI of the user or team."),
    ),
    text("scheduling_url", "Address to book at."),
    flag("secret", "Whether it is hidden from the scheduling page."),
    text("slug", "The last part of its address."),
    text("type", "StandardEventType or AdhocEventType."),
    UPDATED_AT,
    whole("start_time_increment", "Minutes between the starts on offer."),
    whole("before_buffer", "Minutes kept free before."),
    whole("after_buffer", "Minutes kept free after."),
)

EVENT_TYPE = th.PropertiesList(URI, *FIELDS)

EVENT_TYPE_MEMBERSHIP = th.PropertiesList(
    URI,
    parent("event_type_uri", "event_types"),
    group("event_type", "The event type.", text("uri", "URI of the event type."), *FIELDS),
    group("member", "The host.", USER_REFERENCE, *ACCOUNT),
    CREATED_AT,
    UPDATED_AT,
)
