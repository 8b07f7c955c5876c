"""Fields that several resources share, and short names for the common kinds of field."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th


def text(name: str, description: str) -> th.Property[Any]:
    """Describe a field that holds a string: words, an id, a URI, an e-mail address, a choice."""
    return th.Property(name, th.StringType, description=description)


def time(name: str, description: str) -> th.Property[Any]:
    """Describe a field that holds a moment (ISO 8601, UTC)."""
    return th.Property(name, th.DateTimeType, description=description)


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
    item = th.ObjectType(*fields, additional_properties=True)
    return th.Property(name, th.ArrayType(item), description=description)


URI = th.Property("uri", th.StringType, required=True, description="Canonical reference; the key.")
CREATED_AT = time("created_at", "When the record was created (UTC).")
UPDATED_AT = time("updated_at", "When the record was last changed (UTC).")

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
    text("email", "E-mail address."),
    text("scheduling_url", "Address of the scheduling page."),
    text("timezone", "Time zone, such as Europe/Berlin."),
    text("time_notation", "12h or 24h."),
    text("avatar_url", "Address of the picture."),
    text("locale", "Language code."),
    CREATED_AT,
    UPDATED_AT,
)
