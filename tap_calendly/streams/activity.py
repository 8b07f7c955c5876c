"""What was done and sent in the organization: for auditors, on the Enterprise plan."""

from __future__ import annotations

from typing import ClassVar

from tap_calendly.reading.endpoint import Paged
from tap_calendly.reading.reader import sha256_of
from tap_calendly.reading.replication import ChangedSince
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    CREATED_AT,
    ID,
    NAME,
    ORGANIZATION_URI,
    URI,
    columns,
    nested,
    one_of,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream


class ActivityLogEntries(CalendlyStream):
    """Who did what, the newest first; entries never change."""

    name = "activity_log_entries"
    endpoint = Paged(
        "/activity_log_entries", whose="organization", page_size=1000, append_only=True
    )
    replication = ChangedSince("occurred_at", parameter="min_occurred_at", from_start_date=True)
    requires = Requires("activity_log:read", plan="Enterprise")
    schema = columns(
        URI,
        timestamp("occurred_at", "When it was done (UTC)."),
        nested(
            "actor",
            "Who did it.",
            string("uri", "URI of the actor."),
            string("type", "Kind of actor, such as User."),
            nested(
                "organization",
                "The actor's organization.",
                string("uri", "URI of the organization."),
                string("role", "The actor's role in it."),
            ),
            nested(
                "group",
                "The actor's group.",
                string("uri", "URI of the group."),
                NAME,
                string("role", "The actor's role in it."),
            ),
            string("display_name", "Name of the actor."),
            string(
                "alternative_identifier",
                "Another way to tell the actor, such as an e-mail address.",
            ),
        ),
        one_of("details", ["object"], "What else is known; its fields depend on the action."),
        string("fully_qualified_name", "Namespace and action, such as User.Add."),
        string("namespace", "What was acted on, such as User."),
        string("action", "What was done, such as Add."),
        ORGANIZATION_URI,
    )


class OutgoingCommunications(CalendlyStream):
    """E-mails and text messages that Calendly sent; the API gives no id."""

    name = "outgoing_communications"
    primary_keys = ("id",)
    endpoint = Paged("/outgoing_communications", whose="organization", append_only=True)
    replication = ChangedSince("created_at", parameter="min_created_at", from_start_date=True)
    requires = Requires("outgoing_communications:read", plan="Enterprise")
    derived: ClassVar = {"id": sha256_of}
    schema = columns(
        ID,
        string("type", "sms or email."),
        string("to", "Telephone number or e-mail address that it was sent to."),
        string("from", "Telephone number or e-mail address that it was sent from."),
        string("subject", "Subject; null for an sms."),
        string("body", "Text of the message."),
        string("sender_uri", "URI of the user for whom it was sent."),
        string("sender_email", "E-mail address of that user."),
        string("event_type_uri", "URI of the event type."),
        string("event_uri", "URI of the scheduled event."),
        timestamp("sent_at", "When it was sent (UTC)."),
        CREATED_AT,
        string("scheduling_url", "Address of the event type's scheduling page."),
    )
