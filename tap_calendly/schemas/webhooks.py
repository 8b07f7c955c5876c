"""Webhook subscriptions."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    CREATED_AT,
    ORGANIZATION_URI,
    UPDATED_AT,
    URI,
    text,
    texts,
    time,
)

WEBHOOK_SUBSCRIPTION = th.PropertiesList(
    URI,
    text("callback_url", "Address that the events are posted to; it may carry a secret."),
    CREATED_AT,
    UPDATED_AT,
    time("retry_started_at", "Since when posting has failed (UTC); null while it works."),
    text("state", "active or disabled."),
    texts(
        "events",
        "What is posted: created or canceled of invitee; created or deleted of invitee_no_show; "
        "created of routing_form_submission; created, updated or deleted of event_type, "
        "meeting_recap and contact; such as invitee.created.",
    ),
    text("scope", "organization, user or group: whose events are posted."),
    ORGANIZATION_URI,
    text("user", "URI of the user, for the scope user."),
    text("group", "URI of the group, for the scope group."),
    text("creator", "URI of the user who created it."),
)
