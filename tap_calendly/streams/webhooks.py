"""Webhook subscriptions: whom Calendly tells what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.webhooks import WEBHOOK_SUBSCRIPTION
from tap_calendly.singer.stream import CalendlyStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class WebhookSubscriptions(CalendlyStream):
    """Webhook subscriptions of the organization, the user or the group."""

    name = "webhook_subscriptions"
    path = "/webhook_subscriptions"
    whose = "organization"
    sort = "created_at:asc"
    properties = WEBHOOK_SUBSCRIPTION
    requires = Requires("webhooks:read", plan="Standard")

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {**super().query(context), **self.tap.scope.of_webhooks}
