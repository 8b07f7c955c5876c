"""Routing forms and the answers given to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.routing import ROUTING_FORM, ROUTING_FORM_SUBMISSION
from tap_calendly.singer.stream import CalendlyStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record


class RoutingForms(CalendlyStream):
    """Routing forms, published or drafts."""

    name = "routing_forms"
    path = "/routing_forms"
    whose = "organization"
    sort = "created_at:asc"
    properties = ROUTING_FORM
    requires = Requires("routing_forms:read", plan="Teams")

    @override
    def contexts(self, record: Record) -> Iterable[Context]:
        return [{"form": record["uri"]}]


class RoutingFormSubmissions(CalendlyStream):
    """Answers that visitors gave to a routing form, newest first."""

    name = "routing_form_submissions"
    path = "/routing_form_submissions"
    parent_stream_type = RoutingForms
    parent_parameter = "form"
    sort = "created_at:desc"
    properties = ROUTING_FORM_SUBMISSION
    requires = Requires("routing_forms:read", plan="Teams")
    replication_key = "created_at"
    append_only = True
    newest_first = True
    revisits = True
    starts_at = "created_at"
