"""What was administered, and which messages were sent."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    CREATED_AT,
    ID,
    NAME,
    ORGANIZATION_URI,
    URI,
    either,
    group,
    text,
    time,
)

ACTIVITY_LOG_ENTRY = th.PropertiesList(
    URI,
    time("occurred_at", "When it was done (UTC)."),
    group(
        "actor",
        "Who did it.",
        text("uri", "URI of the actor."),
        text("type", "Kind of actor, such as User."),
        group(
            "organization",
            "The actor's organization.",
            text("uri", "URI of the organization."),
            text("role", "The actor's role in it."),
        ),
        group(
            "group",
            "The actor's group.",
            text("uri", "URI of the group."),
            NAME,
            text("role", "The actor's role in it."),
        ),
        text("display_name", "Name of the actor."),
        text("alternative_identifier", "Another way to tell the actor, such as an e-mail address."),
    ),
    either("details", ["object"], "What else is known; its fields depend on the action."),
    text("fully_qualified_name", "Namespace and action, such as User.Add."),
    text("namespace", "What was acted on, such as User."),
    text("action", "What was done, such as Add."),
    ORGANIZATION_URI,
)

OUTGOING_COMMUNICATION = th.PropertiesList(
    ID,
    text("type", "sms or email."),
    text("to", "Telephone number or e-mail address that it was sent to."),
    text("from", "Telephone number or e-mail address that it was sent from."),
    text("subject", "Subject; null for an sms."),
    text("body", "Text of the message."),
    text("sender_uri", "URI of the user for whom it was sent."),
    text("sender_email", "E-mail address of that user."),
    text("event_type_uri", "URI of the event type."),
    text("event_uri", "URI of the scheduled event."),
    time("sent_at", "When it was sent (UTC)."),
    CREATED_AT,
    text("scheduling_url", "Address of the event type's scheduling page."),
)
