"""A plain tap built the obvious way, to compare tap-calendly with.

It has two streams, as the SDK's template and documentation suggest: the SDK's own HATEOAS
paginator, bearer token and child stream, one request after the other, and its default state, writer
and type conformance. It reads all meetings and the invitees of each. Its schemas are those of
tap-calendly, so that the rows are comparable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import ParseResult

    import requests
    from singer_sdk.helpers.types import Auth, Context, Record
    from singer_sdk.streams import Stream


class NextPage(BaseHATEOASPaginator):
    """Follows the URL of the next page."""

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        url: str | None = response.json()["pagination"]["next_page"]
        return url


class PlainStream(RESTStream["ParseResult"]):
    """A list in Calendly's API."""

    records_jsonpath = "$.collection[*]"
    primary_keys = ("uri",)
    replication_key = "updated_at"

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> Auth:
        return BearerTokenAuthenticator(token=self.config["personal_access_token"])

    @override
    def get_new_paginator(self) -> NextPage:
        return NextPage()

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        if next_page_token is not None:
            return dict(parse_qsl(next_page_token.query))
        return {"count": 100}


class PlainEvents(PlainStream):
    """All meetings."""

    name = "scheduled_events"
    path = "/scheduled_events"
    schema = ScheduledEvents.schema

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        organization = {"organization": self.config["organization"], "sort": "start_time:asc"}
        return {**organization, **super().get_url_params(context, next_page_token)}

    @override
    def get_child_context(self, record: Record, context: Context | None) -> Context:
        return {"event_id": record["uri"].rsplit("/", 1)[-1], "event_uri": record["uri"]}


class PlainInvitees(PlainStream):
    """The invitees of each meeting."""

    name = "event_invitees"
    path = "/scheduled_events/{event_id}/invitees"
    parent_stream_type = PlainEvents
    schema = EventInvitees.schema


class PlainTap(Tap):
    """The tap."""

    name = "plain"
    package_name = "singer-tap-calendly"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("personal_access_token", th.StringType, required=True, secret=True),
        th.Property("organization", th.StringType, required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [PlainEvents(self), PlainInvitees(self)]


if __name__ == "__main__":
    PlainTap.cli()
