"""Short functions to declare a stream's fields, and the fields that streams share.

Only a row's key is certain; any other field may be null or absent. Nested objects and lists keep
the fields that are not declared.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from singer_sdk import typing as th


def columns(*fields: th.Property[Any]) -> dict[str, Any]:
    """Declare the columns of a stream's table, as a JSON schema."""
    return th.PropertiesList(*fields).to_dict()


def _field(
    kind: Any,  # noqa: ANN401 - a type of `th`, or an instance
    name: str,
    description: str,
    *,
    key: bool = False,
) -> th.Property[Any]:
    return th.Property(name, kind, required=key, description=description)


string = partial(_field, th.StringType)
strings = partial(_field, th.ArrayType(th.StringType(nullable=True)))
timestamp = partial(_field, th.DateTimeType)  # ISO 8601, UTC
boolean = partial(_field, th.BooleanType)
integer = partial(_field, th.IntegerType)
integers = partial(_field, th.ArrayType(th.IntegerType(nullable=True)))
number = partial(_field, th.NumberType)


def one_of(name: str, types: list[str], description: str) -> th.Property[Any]:
    """Declare a field of one of several JSON types."""
    return _field(th.CustomType({"type": [*types, "null"]}), name, description)


def nested(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Declare an object."""
    return _field(th.ObjectType(*fields, additional_properties=True), name, description)


def nested_list(name: str, description: str, *fields: th.Property[Any]) -> th.Property[Any]:
    """Declare a list of objects."""
    item = th.ObjectType(*fields, additional_properties=True, nullable=True)
    return _field(th.ArrayType(item), name, description)


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
