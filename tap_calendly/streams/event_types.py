"""Event types: what can be booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly.client import CalendlyStream
from tap_calendly.errors import Requires
from tap_calendly.schemas.event_types import EVENT_TYPE

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class EventTypes(CalendlyStream):
    """Event types, active or not, the last changed first."""

    name = "event_types"
    path = "/event_types"
    properties = EVENT_TYPE
    requires = Requires("event_types:read")
    replication_key = "updated_at"
    newest_first = True
    vanishing = True

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {**self.tap.scope.of_people, "sort": "updated_at:desc"}
