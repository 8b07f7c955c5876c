"""CalendlyStream: a resource of Calendly's API as a Singer stream.

How requests, paging, errors, retries, bookmarks and children work is said here once, so that a
stream says only what it is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import backoff
import requests
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import RESTStream
from typing_extensions import override

from tap_calendly import auth, errors, settings, state, sweep, throttle

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from backoff.types import Details
    from singer_sdk import typing as th
    from singer_sdk.helpers.types import Auth, Context, Record, RequestFunc

    from tap_calendly.tap import TapCalendly

PAGE_SIZE = 100
"""The most rows that Calendly puts on a page."""

BROKEN_OFF = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What the HTTP library says of a body that was cut short."""

READINGS = 5
"""How often a list is read at most until it holds still."""


@dataclass(frozen=True)
class Page:
    """An answer of a list.

    Attributes:
        rows: The rows, in the API's order.
        following: The address of the next page; None on the last one.
        answered: When the server answered (UTC, its own clock, whole seconds).
    """

    rows: list[Record]
    following: str | None
    answered: datetime


class CalendlyStream(RESTStream[Any]):
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
        vanishing: Whether rows can vanish from the list, which may hide others that move up a page.
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
    vanishing: ClassVar[bool] = False

    # One bookmark per stream; the SDK would keep one for every parent.
    state_partitioning_keys = ()
    # Nested objects are the API's own, unchanged and with fields that the schema does not know yet.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY
    # Redirects are reported, not followed: the token goes to the configured host alone.
    allow_redirects = False
    # A metric for every single request would bury the lines worth reading (singer-sdk 0.54).
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
        self._whole = True
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

    def fetch(self, context: Context | None, following: str | None = None) -> Page:
        """Read a page of the list.

        Args:
            context: The parent's context, or the range to read.
            following: The address of the page, as the page before it gave it; None for the first.

        Returns:
            The page.

        Raises:
            RefusedError: Calendly refused, and trying again would not help.
            CalendlyError: No answer that can be used came, however often it was tried.
        """
        if following is None:
            url, query = self.get_url(context), {**self.query(context), "count": str(PAGE_SIZE)}
        else:
            url, query = self._on_our_host(following), {}
        request = self.build_prepared_request(method="GET", url=url, params=query)
        # The SDK's retries hand through whatever the function gives.
        patiently = self.request_decorator(cast("RequestFunc", self._answer))
        try:
            return cast("Page", patiently(request, context))
        except requests.RequestException as error:
            message = errors.unreachable(self.name, url, error)
            raise errors.CalendlyError(message) from None
        except RetriableAPIError as error:
            raise errors.CalendlyError(str(error)) from None

    def pages(self, context: Context | None) -> Iterator[Page]:
        """Read the list page by page.

        Args:
            context: The parent's context, None for a list without a parent.

        Yields:
            The pages, each when the one before it is done with.

        Raises:
            CalendlyError: As in `fetch`, and when the pages go round in a circle.
        """
        visited: set[str] = set()
        page = self.fetch(context)
        yield page
        while page.following is not None:
            if page.following in visited:
                message = f"{self.name}: Calendly's pages go round in a circle: run again later."
                raise errors.CalendlyError(message)
            visited.add(page.following)
            page = self.fetch(context, page.following)
            yield page

    @override
    def request_records(self, context: Context | None) -> Iterator[Record]:
        for page in self.pages(context):
            yield from page.rows

    def _on_our_host(self, following: str) -> str:
        """Check that the token may be sent to an address, which is otherwise taken as it stands."""
        if _origin(following) != _origin(self.url_base):
            host = urlsplit(following).netloc
            message = (
                f"{self.name}: Calendly's next page lies on {host}, not on the host of `api_url`; "
                "the token is not sent there: correct `api_url`."
            )
            raise errors.CalendlyError(message)
        return following

    def _answer(self, request: requests.PreparedRequest, context: Context | None) -> Page:
        """Send a request once and read the answer, whose body is parsed here alone."""
        # Private in singer-sdk 0.54: signs, sends and validates, without the SDK's own paging.
        response = self._request(request, context)
        self.update_sync_costs(request, response, context)
        try:
            return page_of(response.json(), self.envelope, response)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise RetriableAPIError(errors.not_calendly(self.name, response), response) from None

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
            return
        message = errors.explain(self.name, self.requires, response)
        if errors.is_transient(response.status_code):
            raise RetriableAPIError(message, response)
        raise errors.RefusedError(message, response.status_code)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        raise NotImplementedError  # abstract in the SDK, and its callers are overridden

    @override
    def get_new_paginator(self) -> None:
        return None

    # Retries

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        """Try again what may pass; the SDK's own would log each failure a second time."""
        return backoff.on_exception(
            self.backoff_wait_generator,
            (RetriableAPIError, requests.ConnectionError, requests.Timeout, *BROKEN_OFF),
            max_tries=throttle.MAX_TRIES,
            on_backoff=self.backoff_handler,
            jitter=self.backoff_jitter,
            logger=None,
        )(func)

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
            self._begin()
        for record in self.read(context):
            self._rows += 1
            yield record
        if context is None:
            self._end()

    def read(self, context: Context | None) -> Iterator[Record]:
        """Read what a run has to give of the list.

        Args:
            context: The parent's context, None for a list without a parent.

        Yields:
            The rows, in the API's order; a row that changed under way comes again.
        """
        for last_try in (False, True):
            try:
                yield from self.settled(context)
                break
            except errors.RefusedError as error:
                if context is None or error.status != HTTPStatus.NOT_FOUND:
                    raise
                if last_try:  # what the rows belong to vanished after it was listed
                    self.logger.warning("%s Nothing is read of it.", error)
        if context is None and self._whole and self.read_since is not None:
            for stream in (self, *self.children):
                stream.capture(self.read_since)

    def settled(self, context: Context | None) -> Iterator[Record]:
        """Read a list until it holds still.

        A row that vanishes between two pages moves the others up, and one out of sight: a list of
        several pages is read until two readings name the same rows. A reading whose page token was
        refused is begun anew.

        Args:
            context: The parent's context, or the range to read.

        Yields:
            The rows; a row that changed between two readings comes again.

        Raises:
            CalendlyError: As in `fetch`; page tokens were refused in every reading.
        """
        since = self.oldest_wanted()
        known: dict[str, Record] = {}
        named: set[str] | None = None
        for reading in range(1, READINGS + 1):
            found: set[str] = set()
            pages = 0
            try:
                for page in self.pages(context):
                    self.read_since = self.read_since or page.answered
                    pages += 1
                    wanted = [row for row in page.rows if self._reaches(row, since)]
                    yield from (row for row in wanted if known.get(row["uri"]) != row)
                    found |= {row["uri"] for row in wanted}
                    if self.vanishing:
                        known |= {row["uri"]: row for row in wanted}
                    if len(wanted) < len(page.rows):
                        break
            except errors.RefusedError as error:
                refused = error.status == HTTPStatus.BAD_REQUEST and pages
                if not refused or reading == READINGS:
                    raise
                continue
            if not self.vanishing or pages == 1 or found == named:
                return
            named = found
        self._whole = False
        self.logger.warning("%s: rows came and went throughout the reading.", self.name)

    def oldest_wanted(self) -> datetime | None:
        """Decide where reading from the newest row down may stop.

        Returns:
            A moment (UTC): the bookmark less an overlap, or `start_date` if that is later and
            bounds this stream; None to read everything.
        """
        if not self.newest_first:
            return None
        bounds = []
        if (bookmark := self.bookmark) is not None:
            days = self.config["lookback_days"] if self.revisits else 0
            bounds.append(bookmark - timedelta(days=days) - sweep.OVERLAP)
        if self._oldest_row is not None:
            bounds.append(self._oldest_row)
        return max(bounds, default=None)

    @property
    def _oldest_row(self) -> datetime | None:
        """The setting `start_date`, where it bounds this stream."""
        return None if self.starts_at is None else self.tap.start_date

    def _reaches(self, row: Record, since: datetime | None) -> bool:
        value = row.get(str(self.replication_key))
        return since is None or value is None or settings.moment(value) >= since

    # State: the SDK would take the later of bookmark and start_date, cap it by the local clock and
    # set it from the rows. Here it is the moment at which the last complete reading began, in the
    # server's clock, so that nothing which changes during a run is lost.

    @property
    def about(self) -> str:
        """What the stream's state is about: whose data, and which rows of it.

        A state about something else is no use: rows that were left out then would never come.
        """
        maps = self.config.get("stream_maps") or {}
        about = self.tap.scope.name
        for stream in self.tap.streams.values():
            if stream is self or type(stream) is self.parent_stream_type:
                rule = (maps.get(stream.name) or {}).get("__filter__")
                about += f", {stream.name} where {rule}" if rule else ""
        return about

    @property
    def incremental(self) -> bool:
        """Whether this run continues from the state: the catalog may force a full table."""
        return self.replication_method == REPLICATION_INCREMENTAL

    @property
    def bookmark(self) -> datetime | None:
        """The moment (UTC) from which changes are not captured yet; None when nothing is."""
        if not self.incremental:
            return None
        return state.bookmark(self.name, self.stream_state, self.about, self._oldest_row)

    def capture(self, began: datetime) -> None:
        """Note in the state that everything up to a moment was read.

        Args:
            began: When the reading began (UTC, server's clock).
        """
        if self.selected and self.incremental:
            key = str(self.replication_key)
            state.write_bookmark(self.stream_state, key, began, self.about, self._oldest_row)
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

    def _begin(self) -> None:
        """Write the children's SCHEMA, so that their tables exist even without a row."""
        self.read_since = None
        for stream in self.children:
            stream._write_schema_message()  # noqa: SLF001 - the same class
        if self.replication_key is None:
            # Private in singer-sdk 0.54: what each record says it belongs to.
            self._stream_version = self._initialized_at

    def _end(self) -> None:
        """Say that a full table was read whole, so that a target can mark rows that vanished."""
        if self.selected and self._whole and self._stream_version is not None:
            # Private in singer-sdk 0.54, which writes it before the records: a run that dies in
            # between would delete good rows.
            self._write_activate_version_message(self._stream_version)

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        return False

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


def page_of(body: dict[str, Any], envelope: str, response: requests.Response) -> Page:
    """Read an answer.

    Args:
        body: Its JSON.
        envelope: The key that holds the rows, `collection`, or the one row, `resource`.
        response: The answer itself.

    Returns:
        The page.

    Raises:
        AttributeError: It is not what Calendly's API sends.
        KeyError: Likewise.
        TypeError: Likewise.
        ValueError: Likewise.
    """
    found = body[envelope]
    rows = found if envelope == "collection" else [found]
    if not isinstance(rows, list) or not all(isinstance(row["uri"], str) for row in rows):
        message = "rows that are no objects with a URI"
        raise TypeError(message)
    return Page(
        rows=rows,
        following=_following(body["pagination"], response) if envelope == "collection" else None,
        answered=parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc),
    )


def _following(pagination: dict[str, Any], response: requests.Response) -> str | None:
    """Give the address of the next page: Calendly binds page tokens to the exact query."""
    address, token = pagination["next_page"], pagination.get("next_page_token")
    if address is None and token is not None:
        parts = urlsplit(str(response.request.url))
        query = [pair for pair in parse_qsl(parts.query) if pair[0] != "page_token"]
        address = parts._replace(query=urlencode([*query, ("page_token", token)])).geturl()
    if address is not None and not isinstance(address, str):
        message = "an address that is no text"
        raise TypeError(message)
    return address


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
