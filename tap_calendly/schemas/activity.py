"""What was administered, and which messages were sent."""

from __future__ import annotations

from tap_calendly.singer.schema import (
    CREATED_AT,
    ID,
    NAME,
    ORGANIZATION_URI,
    URI,
    Schema,
    nested,
    one_of,
    string,
    timestamp,
)

ACTIVITY_LOG_ENTRY = Schema(
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
            "alternative_identifier", "Another way to tell the actor, such as an e-mail address."
        ),
    ),
    one_of("details", ["object"], "What else is known; its fields depend on the action."),
    string("fully_qualified_name", "Namespace and action, such as User.Add."),
    string("namespace", "What was acted on, such as User."),
    string("action", "What was done, such as Add."),
    ORGANIZATION_URI,
)

OUTGOING_COMMUNICATION = Schema(
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
