"""CalendlyStream: a resource of Calendly's API as a Singer stream.

How requests, paging, errors, retries, bookmarks and children work is said here once, so that a
stream says only what it is.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import wraps
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import ParseResult, quote, urlsplit

import requests
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.pagination import BaseHATEOASPaginator
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import HTTPRequest, PageContext, RESTStream
from typing_extensions import override

from tap_calendly import auth, errors, settings, throttle

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from backoff.types import Details
    from singer_sdk import typing as th
    from singer_sdk.helpers.types import Auth, Context, Record, RequestFunc

    from tap_calendly.tap import TapCalendly

PAGE_SIZE = 100
"""The most rows that Calendly puts on a page."""

OVERLAP = timedelta(minutes=5)
"""How far behind a bookmark reading begins: what was being written at that moment shows later."""


class NextPage(BaseHATEOASPaginator):
    """Follow `pagination.next_page` as it stands: Calendly binds page tokens to the exact query."""

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        following: str | None = response.json().get("pagination", {}).get("next_page")
        return following

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return self.get_next_url(response) is not None


class CalendlyStream(RESTStream[ParseResult]):
    """A list of Calendly's API.

    Attributes:
        path: The list's path; `{name}` stands for the last segment of the context's URI `name`.
        envelope: The key of the answer that holds the row or rows.
        properties: The fields of a row.
        requires: The scope and the plan that reading takes.
        newest_first: Whether the API sorts the list by the replication key, from the newest row
            down; reading then stops at the bookmark.
        revisits: Whether rows are read again for `lookback_days`, because they change afterwards
            without moving the replication key.
        starts_at: The timestamp that the setting `start_date` bounds, if any.
    """

    path: str
    primary_keys = ("uri",)
    envelope: ClassVar[str] = "collection"
    properties: ClassVar[th.PropertiesList]
    requires: ClassVar[errors.Requires]
    replication_key: str | None = None
    newest_first: ClassVar[bool] = False
    revisits: ClassVar[bool] = False
    starts_at: ClassVar[str | None] = None

    # One bookmark per stream; the SDK would keep one for every parent.
    state_partitioning_keys = ()
    # Nested objects are the API's own, unchanged and with fields that the schema does not know yet.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY
    # Redirects are reported, not followed: the token goes to the configured host alone.
    allow_redirects = False
    # Answered by `explain`: the SDK's metric of every single request says nothing at 7 a.m.
    _LOG_REQUEST_METRICS = False

    def __init__(self, tap: TapCalendly) -> None:
        """Take the place among the tap's streams.

        Args:
            tap: The tap, which knows the settings and whose token it is.
        """
        self.tap = tap
        super().__init__(tap, schema=self.properties.to_dict())
        self.read_since: datetime | None = None
        self._announced = False
        self._rows = 0

    # Requests

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).strip().rstrip("/")

    @override
    def get_url(self, context: Context | None) -> str:
        ids = {
            name: quote(str(uri).rsplit("/", 1)[-1], safe="")
            for name, uri in (context or {}).items()
        }
        return self.url_base + self.path.format_map(ids)

    def query(self, context: Context | None) -> dict[str, Any]:
        """Give the parameters of the list's first page, but for the size of a page.

        Args:
            context: The parent's context, or the range to read.

        Returns:
            Names and values, as the API wants them.
        """
        raise NotImplementedError

    @override
    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        if page.next_page_token is None:
            query = {**self.query(page.stream_context), "count": str(PAGE_SIZE)}
            return HTTPRequest(url=self.get_url(page.stream_context), params=query)
        following = page.next_page_token
        if (following.scheme, following.netloc) != urlsplit(self.url_base)[:2]:
            message = (
                f"{self.name}: Calendly's next page lies on {following.netloc}, not on the host of "
                "`api_url`; the token is not sent there: correct `api_url`."
            )
            raise errors.CalendlyError(message)
        return HTTPRequest(url=following.geturl())

    @property
    @override
    def user_agent(self) -> str:
        return self.config.get("user_agent") or f"tap-calendly/{self.tap.plugin_version}"

    @property
    @override
    def timeout(self) -> int:
        return int(self.config["request_timeout"])

    @property
    @override
    def authenticator(self) -> Auth:
        return auth.authenticator(self.config)

    # Responses

    @override
    def validate_response(self, response: requests.Response) -> None:
        if response.status_code == requests.codes.ok:
            if not _is_page(response, self.envelope):
                raise RetriableAPIError(errors.not_calendly(self.name, response), response)
            return
        message = errors.explain(self.name, self.requires, response)
        if errors.is_transient(response.status_code):
            raise RetriableAPIError(message, response)
        raise errors.RefusedError(message, response.status_code)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        self.read_since = self.read_since or _server_time(response)
        rows = response.json()[self.envelope]
        yield from rows if isinstance(rows, list) else [rows]

    @override
    def get_new_paginator(self) -> NextPage:
        return NextPage()

    # Retries

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        patient = super().request_decorator(func)

        @wraps(func)
        def request(
            prepared: requests.PreparedRequest, context: Context | None
        ) -> requests.Response:
            try:
                return patient(prepared, context)
            except requests.RequestException as error:
                message = errors.unreachable(self.name, str(prepared.url), error)
                raise errors.CalendlyError(message) from None
            except RetriableAPIError as error:
                raise errors.CalendlyError(str(error)) from None

        return request

    @override
    def backoff_max_tries(self) -> int:
        return throttle.MAX_TRIES

    @override
    def backoff_wait_generator(self) -> Generator[float, None, None]:
        tries = iter(range(1, throttle.MAX_TRIES + 1))
        return self.backoff_runtime(
            value=lambda error: throttle.seconds_until_retry(
                getattr(error, "response", None), next(tries), datetime.now(timezone.utc)
            )
        )

    @override
    def backoff_handler(self, details: Details) -> None:
        error = details.get("exception")
        response = getattr(error, "response", None)
        self.logger.warning(
            "%s: %s; trying again in %.0f s (try %d of %d).",
            self.name,
            type(error).__name__
            if response is None
            else f"Calendly answered {response.status_code}",
            details.get("wait"),
            details["tries"] + 1,
            throttle.MAX_TRIES,
        )

    # Records

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        if context is None:
            self.read_since = None
            self._announce()
        for record in self.read(context):
            self._rows += 1
            yield record
        if context is None:
            for stream in (self, *self.children):
                stream.capture(self.read_since)

    def read(self, context: Context | None) -> Iterable[Record]:
        """Read the list, from the newest row down to the bookmark where the API sorts it so.

        Args:
            context: The parent's context, None for a list without a parent.

        Returns:
            The rows that a run has to give, in the API's order.
        """
        rows = self.request_records(context)
        since = self.oldest_wanted()
        if not self.newest_first or since is None:
            return rows
        return takewhile(lambda row: self._reaches(row, since), rows)

    def oldest_wanted(self) -> datetime | None:
        """Decide where reading from the newest down may stop.

        Returns:
            A moment (UTC): the bookmark less an overlap, or `start_date` if that is later and
            bounds this stream; None to read everything.
        """
        bounds = []
        if (bookmark := self.bookmark) is not None:
            days = self.config["lookback_days"] if self.revisits else 0
            bounds.append(bookmark - timedelta(days=days) - OVERLAP)
        if self.starts_at is not None and (start_date := self.tap.start_date) is not None:
            bounds.append(start_date)
        return max(bounds, default=None)

    def _reaches(self, row: Record, since: datetime) -> bool:
        value = row.get(str(self.replication_key))
        return value is None or settings.moment(value) >= since

    # State: the SDK would take the later of bookmark and start_date, cap it by the local clock and
    # set it from the rows. Here it is the moment at which the last complete reading began, in the
    # server's clock, so that nothing which changes during a run is lost.

    @property
    def bookmark(self) -> datetime | None:
        """The moment (UTC) from which changes are not captured yet; None when nothing is."""
        value = self.stream_state.get("replication_key_value")
        if value is None or self.replication_method != REPLICATION_INCREMENTAL:
            return None
        return settings.moment(value)

    def capture(self, began: datetime | None) -> None:
        """Note in the state that everything up to a moment was read.

        Args:
            began: When the reading began (UTC, server's clock).
        """
        if began is None or not self.selected or self.replication_method != REPLICATION_INCREMENTAL:
            return
        self.stream_state["replication_key"] = self.replication_key
        self.stream_state["replication_key_value"] = began.isoformat().replace("+00:00", "Z")
        self.state_manager.is_flushed = False

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        return None

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Leave the state alone (private in singer-sdk 0.54, see above)."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave the state alone (private in singer-sdk 0.54, see above)."""

    # Messages

    @property
    def children(self) -> list[CalendlyStream]:
        """The selected streams whose rows are read for each row of this one."""
        return [
            stream
            for stream in self.child_streams
            if isinstance(stream, CalendlyStream) and stream.selected
        ]

    def _announce(self) -> None:
        """Write the children's SCHEMA, so that their tables exist even without a row."""
        for stream in self.children:
            stream._write_schema_message()  # noqa: SLF001 - the same class

    @override
    def _write_schema_message(self) -> None:
        """Write SCHEMA once (private in singer-sdk 0.54, which repeats it for every parent)."""
        if not self._announced:
            self._announced = True
            super()._write_schema_message()

    @override
    def log(
        self,
        message: str,
        *args: object,
        level: int = logging.INFO,
        **kwargs: Any,
    ) -> None:
        """Keep the SDK's commentary, five lines for every parent, to the level of debugging."""
        super().log(message, *args, level=logging.DEBUG, **kwargs)

    @override
    def calculate_sync_cost(
        self,
        request: requests.PreparedRequest,
        response: requests.Response,
        context: Context | None,
    ) -> dict[str, int]:
        return {"requests": 1}

    @override
    def log_sync_costs(self) -> None:
        made = self._sync_costs.get("requests", 0)
        if self.selected:
            self.logger.info("%s: %d rows, %d requests", self.name, self._rows, made)
        elif made:
            self.logger.info("%s: %d requests for its child streams", self.name, made)


def _is_page(response: requests.Response, envelope: str) -> bool:
    """Tell whether a body is the JSON object that holds the rows."""
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get(envelope), list | dict)


def _server_time(response: requests.Response) -> datetime:
    """Read the `Date` header: the moment of the answer in the server's clock (UTC, seconds)."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc)
    except (KeyError, TypeError, ValueError):
        return datetime.now(timezone.utc).replace(microsecond=0)
