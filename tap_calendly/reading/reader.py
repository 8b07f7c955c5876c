"""Reads one list of the API: its pages, until it is stable, and its rows with their keys."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

import msgspec
import requests

from tap_calendly.api.client import Request
from tap_calendly.api.page import Page, Record, digest, page_of
from tap_calendly.api.retry import PAUSE
from tap_calendly.reading import endpoint
from tap_calendly.reading.endpoint import Endpoint, Paged
from tap_calendly.reading.outcome import Outcome
from tap_calendly.reading.parent import Context, Parent
from tap_calendly.reading.replication import Replication
from tap_calendly.reporting import errors, messages
from tap_calendly.run import Run

LONGEST_LIST = 100_000
"""Pages after which a list is taken for endless."""

READINGS = 5
"""How often a list is read at most until it is stable."""


class Declaration(Protocol):
    """What a stream declares, as far as reading needs it (see `CalendlyStream`)."""

    name: str
    primary_keys: Sequence[str]
    endpoint: ClassVar[Endpoint]
    parent: ClassVar[Parent | None]
    replication: ClassVar[Replication]
    requires: ClassVar[errors.Requires]
    derived: ClassVar[Mapping[str, Callable[[Record], object]]]

    @property
    def root_name(self) -> str:
        """The name of the parent, or of the stream itself if it has none."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of its table, before stream maps."""


class Reader:
    """Reads one stream's list, in whatever thread asks; knows nothing of Singer.

    Methods that read raise RefusedError when Calendly refused, and CalendlyError when no usable
    answer came, however often it was tried.

    Attributes:
        since: The time before which rows are left out; None to read everything.
        rows_a_page: How many rows to ask for at once; None for as many as Calendly gives.
        stopped: Set when nobody waits for what is read any more.
        hides_rows: Whether the token was refused single rows, though others can be read.
    """

    def __init__(self, stream: Declaration, run: Run, outcome: Outcome) -> None:
        """Prepare; nothing is asked yet."""
        self.since: datetime | None = None
        self.rows_a_page: int | None = None
        self.stopped = threading.Event()
        self.hides_rows = False
        self.stream = stream
        self.outcome = outcome
        self.run = run

    def first_page(
        self, context: Context | None = None, bounds: Mapping[str, str] | None = None
    ) -> Page:
        """Read the first page of a list; `bounds` are parameters that narrow it down."""
        stream, run = self.stream, self.run
        url = self._address(context)
        if (known := run.account.answers.get(url)) is not None:
            return known
        query: dict[str, Any] = dict(run.scope.parameters(stream.endpoint.whose))
        if context is not None and context.parent.parameter:
            # Several URIs repeat the parameter, OpenAPI's default; Calendly does not say how.
            query[context.parent.parameter] = context.uris
        query |= stream.endpoint.parameters(run.client.now)
        query |= stream.replication.parameters(self.since) | dict(bounds or {})
        if isinstance(stream.endpoint, Paged):
            size = stream.endpoint.page_size or endpoint.PAGE_SIZE
            query["count"] = str(self.rows_a_page or size)
        return self.page(url, context, query)

    def page(
        self, url: str, context: Context | None, query: Mapping[str, Any] | None = None
    ) -> Page:
        """Read the page of a list at an address."""
        page = self._get(url, partial(self._page, context), query)
        self.outcome.note_answer()
        return page

    def pages(
        self, context: Context | None = None, bounds: Mapping[str, str] | None = None
    ) -> Iterator[Page]:
        """Read a list page by page, each when it is asked for; raise CalendlyError for a loop."""
        mark: object = None
        page = self.first_page(context, bounds)
        for number in range(1, LONGEST_LIST):
            yield page
            if page.next_page is None:
                return
            # A page is known by its rows, as the address may change in every round.
            content = [self.key_of(row) for row in page.rows] or page.next_page
            if content == mark:
                break
            if number & (number - 1) == 0:  # a power of two: circles of any length come back to it
                mark = content
            page = self.page(page.next_page, context)
        raise self.endless()

    def read_until_stable(
        self,
        context: Context | None = None,
        bounds: Mapping[str, str] | None = None,
        *,
        once: bool = False,
    ) -> Iterator[Page]:
        """Read a list until it is stable.

        A row that vanishes between two pages moves the others up, and one out of sight: a list of
        several pages is read until two readings name the same rows. A reading whose page token is
        refused starts over, as long as each gets further than those before it. With `once`, the
        first complete reading will do, as the caller can spare rows out of sight.

        Yields:
            Pages with the rows that are wanted; rows that changed between two readings come again.

        Raises:
            CalendlyError: No two readings named the same rows.
            RefusedError: Page tokens were refused again and again, or something else was.
        """
        append_only, replication = self.stream.endpoint.append_only or once, self.stream.replication
        known: dict[str, bytes] = {}
        named: set[str] | None = None
        furthest = readings = 0
        while readings < READINGS:
            found: set[str] = set()
            pages = 0
            try:
                for page in self.pages(context, bounds):
                    pages += 1
                    wanted = [row for row in page.rows if replication.wants(row, self.since)]
                    news = wanted
                    if not append_only:
                        digests = {self.key_of(row): digest(row) for row in wanted}
                        news = [r for r in wanted if known.get(k := self.key_of(r)) != digests[k]]
                        found |= digests.keys()
                        known |= digests
                    # A page without news is passed over: the next page token may not live long.
                    if news or pages > furthest:
                        yield msgspec.structs.replace(page, rows=news)
                    if replication.ends_reading(older=len(wanted) < len(page.rows)):
                        break
            except errors.RefusedError as error:
                readings += pages <= furthest
                furthest = max(furthest, pages)
                token_refused = error.status == HTTPStatus.BAD_REQUEST and pages
                if not token_refused or readings == READINGS:
                    raise
                continue
            readings, furthest = readings + 1, max(furthest, pages)
            if append_only or pages == 1 or found == named:
                return
            named = found
        raise errors.CalendlyError(messages.NEVER_STABLE, stream=self.stream.name)

    def details(self, record: Record) -> Iterator[list[Record]]:
        """Read a row at its own URI; nothing, with a warning, if it has vanished meanwhile."""
        has_details = self.stream.endpoint.with_details
        if has_details is None or not has_details(record):
            yield [record]
            return
        key, url = self.key_of(record), f"{self._address(None)}/{id_in(record['uri'])}"
        try:
            yield [self._resource(url, lambda row: self.key_of(row) == key)]
        except errors.RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            listed = next((row for row in self._all_rows() if self.key_of(row) == key), None)
            if listed is not None and has_details(listed):
                raise
            if listed is None:
                self.run.logger.warning("%s It has vanished since it was listed.", error)
            else:
                yield [listed]

    def _all_rows(self) -> Iterator[Record]:
        for part in self.stream.endpoint.parts:
            for page in self.pages(bounds=part):
                yield from page.rows

    def row_at(self, uri: str) -> Record | None:
        """Read a row of whatever stream at its URI; None where it is gone or hidden."""
        *_, collection, uuid = uri.split("/")
        url = f"{self.run.client.url}/{quote(collection, safe='')}/{quote(uuid, safe='')}"
        try:
            return self._resource(url, lambda row: bool(id_in(row["uri"])), may_be_hidden=True)
        except errors.RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            if not errors.is_forbidden(error):
                raise
            if self.hides_rows:
                return None
            # A user who was removed may be hidden, but the first such refusal may also pass.
            self.run.logger.warning(messages.ASKING_AGAIN, self.stream.name, error.status, PAUSE)
        self.run.client.throttle.rest(PAUSE, self.stopped)
        self.hides_rows = True
        row = self.row_at(uri)
        self.hides_rows = row is None
        return row

    def key_of(self, row: Record) -> str:
        """Return what tells a row from all others: the values of its key, joined.

        One of `errors.UNREADABLE` is raised if a value is missing, not a string, or empty, which is
        null in some databases.
        """
        values = [row[name] for name in self.stream.primary_keys]
        if not all(values):
            message = "an empty key"
            raise ValueError(message)
        return " ".join(values)

    def endless(self) -> errors.CalendlyError:
        """Return the error to raise when the pages of the list do not end."""
        return errors.CalendlyError(messages.ENDLESS_PAGES, stream=self.stream.name)

    def _resource(
        self, url: str, is_right: Callable[[Record], bool], *, may_be_hidden: bool = False
    ) -> Record:
        """Read a single row, and again if it is not the right one."""

        def read(body: Any, response: requests.Response) -> Page:  # noqa: ANN401 - JSON
            page = page_of("resource", body, response, paged=False)
            if not is_right(page.rows[0]):
                message = "another row than was asked for"
                raise ValueError(message)
            return page

        (row,) = self._get(url, read, may_be_hidden=may_be_hidden).rows
        return row

    def _get(
        self,
        url: str,
        read: Callable[[Any, requests.Response], Page],
        query: Mapping[str, Any] | None = None,
        *,
        may_be_hidden: bool = False,
    ) -> Page:
        """Read an answer; a 403 that would fail the run is asked again once, as it may pass."""
        stream, client = self.stream, self.run.client
        request = Request(stream.name, stream.root_name, stream.requires, url, query or {})
        try:
            return client.send(request, read, self.stopped)
        except errors.RefusedError as error:
            if may_be_hidden or not self.outcome.asks_again(error):
                raise
        client.throttle.rest(PAUSE, self.stopped)
        try:
            return client.send(request, read, self.stopped)
        except errors.RefusedError as error:
            self.outcome.confirm(error)
            raise

    def _address(self, context: Context | None) -> str:
        path, ids = self.stream.endpoint.path, {}
        if context is not None:
            ids["uuid"] = id_in(context.uri)
        if "{organization}" in path:
            ids["organization"] = id_in(self.run.scope.organization)
        return self.run.client.url + path.format_map(ids)

    def _page(self, context: Context | None, body: Any, response: requests.Response) -> Page:  # noqa: ANN401 - JSON
        """Read an answer, which must give every row its key."""
        source = self.stream.endpoint
        page = page_of(source.envelope, body, response, paged=source.paged)
        rows = [self._with_columns(row, context) for row in page.rows]
        for row in rows:
            self.key_of(row)
        return msgspec.structs.replace(page, rows=rows)

    def _with_columns(self, row: Record, context: Context | None) -> Record:
        """Add what a join or a key needs and the API leaves out."""
        derived = self.stream.derived
        if context is None and not derived:
            return row
        added = {column: compute(row) for column, compute in derived.items()}
        if context is not None:
            known = self.stream.columns
            added |= {c: value for c, value in context.columns.items() if c in known}
        return {**row, **added}


def sha256_of(row: Record) -> str:
    """Return an ID for a row that has none: the hash of its content."""
    return hashlib.sha256(msgspec.json.encode(row, order="sorted")).hexdigest()


def id_in(uri: str) -> str:
    """Return the last segment of a URI as a part of a path."""
    return quote(uri.rsplit("/", 1)[-1], safe="")
