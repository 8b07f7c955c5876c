"""Webhook subscriptions: whom Calendly tells what happens."""

from __future__ import annotations

from tap_calendly.reading.endpoint import Paged
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    CREATED_AT,
    ORGANIZATION_URI,
    UPDATED_AT,
    URI,
    columns,
    string,
    strings,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream


class WebhookSubscriptions(CalendlyStream):
    """Webhook subscriptions of the organization, the user or the group."""

    name = "webhook_subscriptions"
    endpoint = Paged("/webhook_subscriptions", whose="webhooks", sort="created_at:asc")
    requires = Requires("webhooks:read")
    schema = columns(
        URI,
        string("callback_url", "Address that the events are posted to; it may carry a secret."),
        CREATED_AT,
        UPDATED_AT,
        timestamp("retry_started_at", "Since when posting has failed (UTC); null while it works."),
        string("state", "active or disabled."),
        strings(
            "events",
            "What is posted: created or canceled of invitee; created or deleted of "
            "invitee_no_show; created of routing_form_submission; created, updated or deleted of "
            "event_type, meeting_recap and contact; such as invitee.created.",
        ),
        string("scope", "organization, user or group: whose events are posted."),
        ORGANIZATION_URI,
        string("user", "URI of the user, for the scope user."),
        string("group", "URI of the group, for the scope group."),
        string("creator", "URI of the user who created it."),
    )
