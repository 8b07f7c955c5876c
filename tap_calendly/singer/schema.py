"""Short functions to declare a stream's fields, and the fields that several streams share.

Only a row's key is certain; any other field may be null or absent. Nested objects and lists keep
the fields that are not declared.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

Schema = th.PropertiesList


def string(name: str, description: str, *, key: bool = False) -> th.Property[Any]:
    """Declare a string: text, an ID, a URI, an email address, a choice."""
    return th.Property(name, th.StringType, required=key, description=description)


def strings(name: str, description: str) -> th.Property[Any]:
    """Declare a list of strings."""
    return th.Property(name, th.ArrayType(th.StringType(nullable=True)), description=description)


def timestamp(name: str, description: str, *, key: bool = False) -> th.Property[Any]:
    """Declare a timestamp (ISO 8601, UTC)."""
    return th.Property(name, th.DateTimeType, required=key, description=description)


def boolean(name: str, description: str) -> th.Property[Any]:
    """Declare a boolean."""
    return th.Property(name, th.BooleanType, description=description)


def integer(name: str, description: str) -> th.Property[Any]:
    """Declare an integer."""
    return th.Property(name, th.IntegerType, description=description)


def integers(name: str, description: str) -> th.Property[Any]:
    """Declare a list of integers."""
    return th.Property(name, th.ArrayType(th.IntegerType(nullable=True)), description=description)


def number(name: str, description: str) -> th.Property[Any]:
    """Declare a number that may have decimals."""
    return th.Property(name, th.NumberType, description=description)


def one_of(name: str, types: list[str], description: str) -> th.Property[Any]:
    """Declare a field of one of several JSON types."""
    return th.Property(name, th.CustomType({"type": [*types, "null"]}), description=description)


def nested(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Declare an object."""
    kind = th.ObjectType(*fields, additional_properties=True)
    return th.Property(name, kind, description=description)


def nested_list(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Declare a list of objects."""
    item = th.ObjectType(*fields, additional_properties=True, nullable=True)
    return th.Property(name, th.ArrayType(item), description=description)


def parent_uri(name: str, stream: str, *, key: bool = False) -> th.Property[Any]:
    """Declare the URI of the parent, which Calendly leaves out of the row."""
    parent = stream.replace("_", " ").removesuffix("s")
    return string(name, f"URI of the {parent}; the key of {stream} to join on.", key=key)


URI = string("uri", "Canonical reference; the key.", key=True)
ID = string("id", "SHA-256 of the record, as Calendly gives no id.", key=True)
NAME = string("name", "Name.")
EMAIL = string("email", "E-mail address.")
TIMEZONE = string("timezone", "Time zone, such as Europe/Berlin.")
SCHEDULING_URL = string("scheduling_url", "Address of the scheduling page.")
ANSWER_CHOICES = strings("answer_choices", "The choices.")
ORGANIZATION_URI = string("organization", "URI of the organization.")
USER_REFERENCE = string("uri", "URI of the user.")
CREATED_AT = timestamp("created_at", "When the record was created (UTC).")
UPDATED_AT = timestamp("updated_at", "When the record was last changed (UTC).")

MEETING_TIMES = (
    timestamp("start_time", "When the meeting starts (UTC)."),
    timestamp("end_time", "When the meeting ends (UTC)."),
)

BUFFERED_TIMES = (
    timestamp("buffered_start_time", "Start with the buffer before it (UTC)."),
    timestamp("buffered_end_time", "End with the buffer after it (UTC)."),
)

LOCATION = nested(
    "location",
    "Where the meeting is; which fields there are depends on `type`. Conference details come "
    "shortly after the booking and go about six months after the meeting.",
    string(
        "type",
        "physical, outbound_call, inbound_call, google_conference, zoom, gotomeeting, "
        "microsoft_teams_conference, webex_conference, custom or ask_invitee.",
    ),
    string("location", "Address, telephone number or text."),
    string("additional_info", "What the host added."),
    string("status", "Conference: initiated, processing, pushed or failed."),
    string("join_url", "Conference: address to join at."),
    one_of("data", ["object"], "Conference: what its provider gives, in its own form."),
)

CANCELLATION = nested(
    "cancellation",
    "Who canceled and why; absent unless canceled.",
    string("canceled_by", "Name of the person who canceled."),
    string("reason", "The reason given."),
    string("canceler_type", "host or invitee."),
    timestamp("created_at", "When it was canceled (UTC)."),
)

TRACKING = nested(
    "tracking",
    "Where the visitor came from.",
    string("utm_campaign", "UTM campaign."),
    string("utm_source", "UTM source."),
    string("utm_medium", "UTM medium."),
    string("utm_content", "UTM content."),
    string("utm_term", "UTM term."),
    string("salesforce_uuid", "Salesforce record id."),
)

PROFILE = (
    string("name", "Full name."),
    string("slug", "The part of the scheduling page's address that is the user's own."),
    EMAIL,
    SCHEDULING_URL,
    TIMEZONE,
    string("time_notation", "12h or 24h."),
    string("avatar_url", "Address of the picture."),
    string("locale", "Language code."),
    CREATED_AT,
    UPDATED_AT,
)

ACCOUNT = (
    *PROFILE,
    string("current_organization", "URI of the user's organization."),
    string("resource_type", "The word User."),
)
