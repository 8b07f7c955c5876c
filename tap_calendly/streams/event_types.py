"""Event types: what can be booked, with whom, and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from typing_extensions import override

from tap_calendly.reading.endpoint import Paged
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.replication import NewestFirst
from tap_calendly.reading.source import Row
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    ACCOUNT,
    ANSWER_CHOICES,
    CREATED_AT,
    NAME,
    UPDATED_AT,
    URI,
    USER_REFERENCE,
    boolean,
    columns,
    integer,
    integers,
    nested,
    nested_list,
    number,
    parent_uri,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream

FIELDS = (
    boolean("active", "Whether it can be booked."),
    boolean("admin_managed", "Whether administrators manage it."),
    string("booking_method", "instant or poll."),
    string("color", "Colour in hexadecimal, such as #fff200."),
    CREATED_AT,
    nested_list(
        "custom_questions",
        "What the booking form asks.",
        string("name", "The question."),
        string("type", "string, text, phone_number, single_select or multi_select."),
        integer("position", "The question's place on the form."),
        boolean("enabled", "Whether it is asked."),
        boolean("required", "Whether it must be answered."),
        ANSWER_CHOICES,
        boolean("include_other", "Whether another answer may be given."),
    ),
    timestamp("deleted_at", "When it was deleted (UTC)."),
    string("description_html", "Description as HTML."),
    string("description_plain", "Description as plain text."),
    number("duration", "Minutes."),
    integers("duration_options", "Minutes among which the invitee may choose."),
    string("internal_note", "Note for the team."),
    boolean("is_paid", "Whether a payment is asked for."),
    string("kind", "solo or group."),
    string("kind_description", "The kind in words; no longer documented, null in most accounts."),
    string("locale", "Language code."),
    nested_list(
        "locations",
        "Where meetings can be.",
        string("kind", "Kind of location, such as physical or zoom_conference."),
        string("location", "Address or text."),
        string("additional_info", "What the host added."),
        string("phone_number", "Telephone number."),
    ),
    NAME,
    string("pooling_type", "round_robin, collective or multi_pool; null for one host."),
    integer("position", "Place in the list."),
    nested(
        "profile",
        "Whose it is.",
        string("type", "User or Team."),
        NAME,
        string("owner", "URI of the user or team."),
    ),
    string("scheduling_url", "Address to book at."),
    boolean("secret", "Whether it is hidden from the scheduling page."),
    string("slug", "The last part of its address."),
    string("type", "StandardEventType or AdhocEventType."),
    UPDATED_AT,
    integer("start_time_increment", "Minutes between the starts on offer."),
    integer("before_buffer", "Minutes kept free before."),
    integer("after_buffer", "Minutes kept free after."),
)


class EventTypes(CalendlyStream):
    """Event types, active or not, the last changed first."""

    name = "event_types"
    endpoint = Paged("/event_types", whose="members", sort="updated_at:desc")
    replication = NewestFirst("updated_at")
    requires = Requires("event_types:read")
    schema = columns(URI, *FIELDS)

    @override
    def source(self) -> Iterator[Batch[Row]]:
        self._written: set[str] = set()
        for batch in super().source():
            self._written |= {row.record["uri"] for row in batch.rows}
            yield batch

    @property
    def written(self) -> Collection[str] | None:
        """The URIs in the list if this run has read and written all of it; None if it has not."""
        loaded = self.outcome.started and self.outcome.goes_on
        return self._written if loaded and self.reader.since is None else None


class EventTypeMemberships(CalendlyStream):
    """Hosts of an event type."""

    name = "event_type_memberships"
    endpoint = Paged("/event_type_memberships")
    parent = Parent(EventTypes, "event_type", columns={"event_type_uri": "uri"})
    requires = Requires("event_types:read", plan="Teams")
    schema = columns(
        URI,
        parent_uri("event_type_uri", "event_types"),
        nested("event_type", "The event type.", string("uri", "URI of the event type."), *FIELDS),
        nested("member", "The host.", USER_REFERENCE, *ACCOUNT),
        CREATED_AT,
        UPDATED_AT,
    )
