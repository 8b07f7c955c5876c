"""Fields that several resources share, and short names for the common kinds of field."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th


def text(name: str, description: str, *, key: bool = False) -> th.Property[Any]:
    """Describe a field that holds a string: words, an id, a URI, an e-mail address, a choice."""
    return th.Property(name, th.StringType, required=key, description=description)


def texts(name: str, description: str) -> th.Property[Any]:
    """Describe a field that holds a list of strings."""
    return th.Property(name, th.ArrayType(th.StringType(nullable=True)), description=description)


def time(name: str, description: str, *, key: bool = False) -> th.Property[Any]:
    """Describe a field that holds a moment (ISO 8601, UTC)."""
    return th.Property(name, th.DateTimeType, required=key, description=description)


def flag(name: str, description: str) -> th.Property[Any]:
    """Describe a field that is true or false."""
    return th.Property(name, th.BooleanType, description=description)


def whole(name: str, description: str) -> th.Property[Any]:
    """Describe a field that holds a whole number."""
    return th.Property(name, th.IntegerType, description=description)


def either(name: str, kinds: list[str], description: str) -> th.Property[Any]:
    """Describe a field that holds one of several kinds of JSON value."""
    return th.Property(name, th.CustomType({"type": [*kinds, "null"]}), description=description)


def group(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Describe a field that holds an object."""
    return th.Property(
        name, th.ObjectType(*fields, additional_properties=True), description=description
    )


def listing(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Describe a field that holds a list of objects."""
    item = th.ObjectType(*fields, additional_properties=True, nullable=True)
    return th.Property(name, th.ArrayType(item), description=description)


def parent(name: str, stream: str, *, key: bool = False) -> th.Property[Any]:
    """Describe the URI of what a row belongs to, which Calendly leaves out of the row."""
    what = stream.replace("_", " ").removesuffix("s")
    return text(name, f"URI of the {what}; the key of {stream} to join on.", key=key)


URI = text("uri", "Canonical reference; the key.", key=True)
ID = text("id", "SHA-256 of the record, as Calendly gives no id.", key=True)
NAME = text("name", "Name.")
EMAIL = text("email", "E-mail address.")
TIMEZONE = text("timezone", "Time zone, such as Europe/Berlin.")
SCHEDULING_URL = text("scheduling_url", "Address of the scheduling page.")
ANSWER_CHOICES = texts("answer_choices", "The choices.")
ORGANIZATION_URI = text("organization", "URI of the organization.")
USER_REFERENCE = text("uri", "URI of the user.")
CREATED_AT = time("created_at", "When the record was created (UTC).")
UPDATED_AT = time("updated_at", "When the record was last changed (UTC).")

MEETING_TIMES = (
    time("start_time", "When the meeting starts (UTC)."),
    time("end_time", "When the meeting ends (UTC)."),
)

BUFFERED_TIMES = (
    time("buffered_start_time", "Start with the buffer before it (UTC)."),
    time("buffered_end_time", "End with the buffer after it (UTC)."),
)

LOCATION = group(
    "location",
    "Where the meeting is; which fields there are depends on `type`. Conference details come "
    "shortly after the booking and go about six months after the meeting.",
    text(
        "type",
        "physical, outbound_call, inbound_call, google_conference, zoom, gotomeeting, "
        "microsoft_teams_conference, webex_conference, custom or ask_invitee.",
    ),
    text("location", "Address, telephone number or text."),
    text("additional_info", "What the host added."),
    text("status", "Conference: initiated, processing, pushed or failed."),
    text("join_url", "Conference: address to join at."),
    either("data", ["object"], "Conference: what its provider gives, in its own form."),
)

CANCELLATION = group(
    "cancellation",
    "Who canceled and why; absent unless canceled.",
    text("canceled_by", "Name of the person who canceled."),
    text("reason", "The reason given."),
    text("canceler_type", "host or invitee."),
    time("created_at", "When it was canceled (UTC)."),
)

TRACKING = group(
    "tracking",
    "Where the visitor came from.",
    text("utm_campaign", "UTM campaign."),
    text("utm_source", "UTM source."),
    text("utm_medium", "UTM medium."),
    text("utm_content", "UTM content."),
    text("utm_term", "UTM term."),
    text("salesforce_uuid", "Salesforce record id."),
)

PROFILE = (
    text("name", "Full name."),
    text("slug", "The part of the scheduling page's address that is the user's own."),
    EMAIL,
    SCHEDULING_URL,
    TIMEZONE,
    text("time_notation", "12h or 24h."),
    text("avatar_url", "Address of the picture."),
    text("locale", "Language code."),
    CREATED_AT,
    UPDATED_AT,
)

ACCOUNT = (
    *PROFILE,
    text("current_organization", "URI of the user's organization."),
    text("resource_type", "The word User."),
)
