"""CalendlyStream: a resource of Calendly's API as a Singer stream.

How lists, pages, bookmarks and children work is said here once, so that a stream says only what it
is.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_calendly import state, timestamps
from tap_calendly.api.client import REQUEST_TIME, Request
from tap_calendly.api.page import Page, digest, page_of
from tap_calendly.reading.conform import CoercionIssue, Columns
from tap_calendly.reading.prefetch import Batch, Prefetch, Prefetcher, in_order
from tap_calendly.reporting import errors
from tap_calendly.sweep import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import requests
    from singer_sdk import typing as th
    from singer_sdk.helpers.types import Context, Record

    from tap_calendly.tap import TapCalendly

T = TypeVar("T")

FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What Python says of a fault in the tap, or of data that nobody has thought of."""

PAGE_SIZE = 100
"""The most rows that Calendly puts on a page of most lists."""

LONGEST_LIST = 100_000
"""Pages after which a list is taken for one without end."""

READINGS = 5
"""How often a list is read at most until it holds still."""

PAGES_AHEAD = 5
"""Pages of a row's own list that are read before its turn has come."""


class Row(NamedTuple):
    """A row that was read.

    Attributes:
        record: The row.
        contexts: The contexts in which the children are to be read for it.
    """

    record: Record
    contexts: list[Context]


class ChildFetch(NamedTuple):
    """What is read for a row.

    Attributes:
        context: The context of the children; None for the row's own details.
        readings: The rows of each child that has any, under way, by its name.
    """

    context: Context | None
    readings: dict[str, Prefetch[list[Record]]]


class CalendlyStream(Stream):
    """A list of Calendly's API.

    Attributes:
        path: The list's path; `{name}` stands for the last segment of the context's URI `name`.
        envelope: The key of the answer that holds the row or rows.
        properties: The fields of a row.
        requires: The scope and the plan that reading takes.
        of_own_user: Whether the API gives the rows of the token's user alone.
        whose: Whose rows the API is asked for: the organization's, those of the people in the run's
            scope, or nobody's in particular.
        parent_parameter: The parameter that takes the URI in the parent's context, if any.
        sort: The order that is asked for, if any.
        paged: Whether the API gives the list in pages.
        page_size: The most rows that the API puts on a page.
        detailed: Whether a row of the list lacks fields that the API gives at the row's own URI.
        link: The field of the parent's row that holds this list's address, if any; null is none.
        tolerated: Further statuses that say of a row of the parent that nothing can be read for it.
        horizon: How far into the future the API is asked, for what is to come.
        since_parameter: The parameter by which the API leaves out rows before a moment, if any.
        newest_first: Whether the API sorts the list by the replication key, from the newest row
            down; reading then stops at the bookmark.
        revisits: Whether rows are read again for `lookback_days`, because they change afterwards
            without moving the replication key.
        starts_at: The timestamp that the setting `start_date` bounds, if any.
        append_only: Whether rows never vanish from the list.
    """

    path: ClassVar[str]
    primary_keys: Sequence[str] = ("uri",)
    envelope: ClassVar[str] = "collection"
    properties: ClassVar[th.PropertiesList]
    requires: ClassVar[errors.Requires]
    replication_key: str | None = None
    of_own_user: ClassVar[bool] = False
    whose: ClassVar[Literal["organization", "people"] | None] = None
    parent_parameter: ClassVar[str | None] = None
    sort: ClassVar[str | None] = None
    paged: ClassVar[bool] = True
    page_size: ClassVar[int | None] = None
    detailed: ClassVar[bool] = False
    link: ClassVar[str | None] = None
    tolerated: ClassVar[frozenset[int]] = frozenset()
    horizon: ClassVar[timedelta | None] = None
    since_parameter: ClassVar[str | None] = None
    newest_first: ClassVar[bool] = False
    revisits: ClassVar[bool] = False
    starts_at: ClassVar[str | None] = None
    append_only: ClassVar[bool] = False

    # One bookmark per stream; the SDK would keep one for every parent.
    state_partitioning_keys = ()
    # What was parsed from JSON can be written as JSON: the API's own values, unchanged.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapCalendly) -> None:
        """Take the place among the tap's streams.

        Args:
            tap: The tap, which knows the settings and whose token it is.
        """
        self.tap = tap
        super().__init__(tap, schema=self.properties.to_dict())
        self.rows_a_page: int | None = None
        self.rows_out = 0
        self.last_out: Record = {}
        self._announced = False
        self.coercion_issues: Counter[CoercionIssue] = Counter()
        self._unknown: set[str] = set()
        self._since: datetime | None = None
        self._stopped = threading.Event()
        self._child_fetches: list[ChildFetch] = []
        self._ahead: Iterable[list[Record]] | None = None
        self.unavailable: errors.RefusedError | None = None
        self.failed: errors.CalendlyError | None = None
        self.tried = False
        self._opened = False
        self._refusal: errors.RefusedError | None = None
        self._whole = True
        self._lookahead: Prefetcher | None = None

    # Requests

    def query(self, context: Context | None) -> dict[str, Any]:
        """Give the parameters of the list's first page, but for a moment and the size of a page.

        Args:
            context: The parent's context, or the range to read.

        Returns:
            Names and values, as the API wants them.
        """
        query: dict[str, Any] = {}
        if self.whose == "organization":
            query["organization"] = self.tap.scope.organization
        elif self.whose == "people":
            query |= self.tap.scope.of_people
        if self.parent_parameter is not None and context:
            query[self.parent_parameter] = next(iter(context.values()))
        if self.sort is not None:
            query["sort"] = self.sort
        if self.horizon is not None:
            query |= self.tap.api.coming(self.horizon)
        return query

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
            url, query = self._address(context), self.query(context)
            if self.since_parameter is not None and self._since is not None:
                query |= {self.since_parameter: self._since.strftime(REQUEST_TIME)}
            if self.paged and self.envelope == "collection":
                query |= {"count": str(self.rows_a_page or self.page_size or PAGE_SIZE)}
        else:
            url, query = following, {}
        request = self._request(url, query)
        page = self.tap.api.get(request, partial(self._page, context), self._stopped)
        self._opened = True
        return page

    def _request(self, url: str, query: Mapping[str, Any] | None = None) -> Request:
        return Request(self.name, self.leading.name, self.requires, url, query or {})

    def prepare(self, row: Record, context: Context | None) -> Record:
        """Add to a row what a join needs and the API leaves out.

        Args:
            row: The row, as the API gives it.
            context: The parent's context.

        Returns:
            The row with those fields of the context for which the table has a column, and a digest
            of it as `id` where that is the key.
        """
        if not context and "id" not in self.primary_keys:
            return row
        added = {name: value for name, value in (context or {}).items() if name in self._fields}
        if "id" in self.primary_keys:
            content = msgspec.json.encode(row, order="sorted")
            added["id"] = hashlib.sha256(content).hexdigest()
        return {**row, **added}

    def key_of(self, row: Record) -> str:
        """Give what tells a row from all others.

        Args:
            row: The row, prepared.

        Returns:
            The values of its key, joined.

        Raises:
            KeyError: It lacks one of them.
            TypeError: One of them is no text.
            ValueError: One of them is empty, which is null in some databases.
        """
        values = [row[name] for name in self.primary_keys]
        if not all(values):
            message = "an empty key"
            raise ValueError(message)
        return " ".join(values)

    def _address(self, context: Context | None) -> str:
        known = dict(context or {})
        if "{organization}" in self.path:
            known["organization"] = self.tap.scope.organization
        ids = {name: _id(str(uri)) for name, uri in known.items()}
        return self.tap.api.url + self.path.format_map(ids)

    def _page(self, context: Context | None, body: Any, response: requests.Response) -> Page:  # noqa: ANN401
        page = page_of(self.envelope, body, response, paged=self.paged)
        rows = [self.prepare(row, context) for row in page.rows]
        for row in rows:
            self.key_of(row)  # an answer whose rows lack their key is no answer
        return replace(page, rows=rows)

    def pages(self, context: Context | None) -> Iterator[Page]:
        """Read the list page by page.

        Args:
            context: The parent's context, None for a list without a parent.

        Yields:
            The pages, each when the one before it is done with.

        Raises:
            CalendlyError: As in `fetch`, and when the pages go round in a circle.
        """
        mark: object = None
        page = self.fetch(context)
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
            page = self.fetch(context, page.next_page)
        raise self._endless()

    def _endless(self) -> errors.CalendlyError:
        message = f"{self.name}: Calendly's pages go round in a circle: run again later."
        return errors.CalendlyError(message)

    # Reading: in the threads of the look-ahead, which change nothing but what is read next.

    def read(self) -> Iterator[Batch[Row]]:
        """Read what a run has to give of a list without a parent.

        Yields:
            The rows, in the API's order; a row that changed under way comes again. A batch's note
            writes down how far reading has come.
        """
        began = None
        for page in self.read_until_stable(None):
            began = began or page.answered
            yield Batch([Row(row, list(self.contexts(row))) for row in page.rows])
        yield Batch([], partial(self._note_read, began))

    def read_for(self, context: Context) -> Iterator[list[Record]]:
        """Read what a run has to give of a list that belongs to a row of the parent.

        Args:
            context: The parent's context.

        Yields:
            The rows, in the API's order; a row that changed under way comes again.
        """
        try:
            yield from self._found_for(context)
        except errors.FatalError:
            raise
        except (errors.CalendlyError, *FAULTS) as error:
            self.fail(error)

    def _found_for(self, context: Context) -> Iterator[list[Record]]:
        for last_try in (False, True):
            if not self.goes_on:
                return
            try:
                yield from (page.rows for page in self.read_until_stable(context))
                break
            except errors.RefusedError as error:
                if error.status == HTTPStatus.FORBIDDEN and not self._opened:
                    self._refusal = self._refusal or error
                    if error.names_scopes:
                        self._close(error)
                    break
                if error.status in self.tolerated:
                    self._whole = False  # there may be rows that could not be asked for
                elif error.status != HTTPStatus.NOT_FOUND:
                    raise
                if last_try:
                    self._pass_over(error, context)

    def _pass_over(self, error: errors.RefusedError, context: Context) -> None:
        """Leave out a row of the parent, if it is true that there is nothing to read for it."""
        if error.status == HTTPStatus.NOT_FOUND:
            *_, collection, uuid = str(next(iter(context.values()))).split("/")
            url = f"{self.tap.api.url}/{quote(collection, safe='')}/{quote(uuid, safe='')}"
            request = self._request(url)
            read = partial(page_of, "resource", paged=False)
            try:
                (parent,) = self.tap.api.get(request, read, self._stopped).rows
            except errors.RefusedError as refused:
                # A user who was removed may be hidden; all else is not found.
                if refused.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                    raise
            else:
                if self.link is None or parent.get(self.link) is not None:
                    raise error
        self.logger.warning("%s Nothing is read of it.", error)

    def read_until_stable(self, context: Context | None) -> Iterator[Page]:
        """Read a list until it holds still.

        A row that vanishes between two pages moves the others up, and one out of sight: a list of
        several pages is read until two readings name the same rows. A reading whose page token was
        refused is begun anew.

        Args:
            context: The parent's context, or the range to read.

        Yields:
            Pages with the rows that are wanted; one that changed between two readings comes again.

        Raises:
            CalendlyError: As in `fetch`; no two readings named the same rows, or page tokens were
                refused in every one.
        """
        known: dict[str, bytes] = {}
        named: set[str] | None = None
        for reading in range(1, READINGS + 1):
            found: set[str] = set()
            pages = 0
            try:
                for page in self.pages(context):
                    pages += 1
                    wanted = [row for row in page.rows if self._reaches(row, self._since)]
                    news = wanted
                    if not self.append_only:
                        digests = {self.key_of(row): digest(row) for row in wanted}
                        news = [
                            row
                            for row in wanted
                            if known.get(self.key_of(row)) != digests[self.key_of(row)]
                        ]
                        found |= digests.keys()
                        known |= digests
                    yield replace(page, rows=news)
                    if self.newest_first and len(wanted) < len(page.rows):
                        break
            except errors.RefusedError as error:
                refused = error.status == HTTPStatus.BAD_REQUEST and pages
                if not refused or reading == READINGS:
                    raise
                continue
            if self.append_only or pages == 1 or found == named:
                return
            named = found
        message = f"{self.name}: rows came and went throughout the reading: run again later."
        raise errors.CalendlyError(message)

    def _detail(self, record: Record) -> Iterator[list[Record]]:
        """Read a row at its own URI."""
        url = f"{self._address(None)}/{_id(record['uri'])}"
        request = self._request(url)
        try:
            yield self.tap.api.get(request, partial(self._page_of, record), self._stopped).rows
        except errors.RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND or self._lists(self.key_of(record)):
                raise
            self.logger.warning("%s It has vanished since it was listed.", error)

    def _page_of(self, record: Record, body: Any, response: requests.Response) -> Page:  # noqa: ANN401
        page = page_of("resource", body, response, paged=False)
        if self.key_of(page.rows[0]) != self.key_of(record):
            message = "another row than was asked for"
            raise ValueError(message)
        return page

    def _lists(self, key: str) -> bool:
        """Tell whether a row is still in the list."""
        return any(self.key_of(row) == key for page in self.pages(None) for row in page.rows)

    def concerns(self, record: Record) -> bool:  # noqa: ARG002 - for those with a choice
        """Tell whether a row of the parent has anything to read for this stream.

        Args:
            record: The parent's row.

        Returns:
            Whether a request is made for it.
        """
        return True

    def contexts(self, record: Record) -> Iterable[Context]:  # noqa: ARG002 - for those with some
        """Give the contexts in which the children are to be read for a row.

        Args:
            record: The row.

        Returns:
            None without children.
        """
        return ()

    def _reaches(self, row: Record, since: datetime | None) -> bool:
        if since is None:
            return True
        changed = timestamps.of(row, str(self.replication_key))
        return changed is None or changed >= since

    # Records: in the one thread that writes messages.

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """Load the stream; if it fails, the run goes on with the others.

        Final in singer-sdk 0.54, which has no other place around a stream whether it ends well or
        not.
        """
        if context is None and self.tap.api.is_out:
            return
        self.tried = True
        try:
            super().sync(context)
        except errors.FatalError:
            raise
        except (errors.CalendlyError, *FAULTS) as error:
            if context is not None and self.leading.is_behind(error):
                raise
            self.fail(error)
        finally:
            self.stop()

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        if context is None:
            yield from self._rows()
        else:
            yield from self._rows_for(context)

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterator[Context | None]:
        for child_fetch in self._child_fetches:
            if child_fetch.context is None:
                continue
            for child in self.children:
                child._ahead = child_fetch.readings.get(child.name, ())  # noqa: SLF001 - the same class
            yield child_fetch.context

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Leave out fields that the schema does not know, and put the others into its form."""
        if self._columns.fits(row):
            return row
        if unknown := row.keys() - self._fields:
            if unknown - self._unknown:
                self._unknown |= unknown
                self.logger.warning(
                    "%s: fields that this version of tap-calendly does not know are left out: %s.",
                    self.name,
                    ", ".join(sorted(self._unknown)),
                )
            row = {name: value for name, value in row.items() if name in self._fields}
        fitted, coercion_issues = self._columns.coerce(row)
        if coercion_issues:
            self.coercion_issues.update(coercion_issues)
            for name in self.primary_keys:
                if fitted[name] is None:
                    message = (
                        f"{self.name}: Calendly gave a row whose `{name}` cannot be read, which is "
                        "part of its key: report this line."
                    )
                    raise errors.CalendlyError(message)
        return fitted

    @cached_property
    def _columns(self) -> Columns:
        levels = self.config.get("flattening_max_depth", 0)
        flattened = self.config.get("flattening_enabled", False)
        return Columns(self.effective_schema, levels if flattened else 0)

    @cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(self.effective_schema["properties"])

    def _rows(self) -> Iterator[Record]:
        """Read a list without a parent, and ahead what belongs to its rows."""
        self._begin()
        # `--test` takes one row of each stream.
        eager = self.ABORT_AT_RECORD_COUNT is None
        threads = self.config["max_concurrent_requests"] if eager else 1
        with Prefetcher(threads, eager=eager, wake=self.tap.api.throttle.wake) as ahead:
            self._lookahead = ahead
            children = self.children
            for stream in (self, *children):
                stream._stopped = ahead.stopped  # noqa: SLF001 - the same class
            batches = Prefetch(ahead, self.read(), first=True)
            begin = partial(self._child_fetches_for, ahead, children)
            for row, child_fetches in self._open(in_order(batches, ahead, begin)):
                if not (self.selected or any(child.goes_on for child in children)):
                    break
                self._child_fetches = child_fetches
                if self._takes_details:
                    yield from self._detailed(child_fetches)
                else:
                    yield row.record

    def _open(self, rows: Iterator[T]) -> Iterator[T]:
        """Give rows; none where the token does not open the list, which is noted."""
        try:
            yield from rows
        except errors.RefusedError as error:
            if error.status != HTTPStatus.FORBIDDEN or self._opened or error.stream != self.name:
                raise
            self._close(error)
            for child in self.children:
                child.unavailable = error

    def _close(self, error: errors.RefusedError) -> None:
        """Note that the token does not open the list; warn at the first word of it."""
        if self.unavailable is None:
            self.unavailable = error
            self.logger.warning("Skipped: %s", error)

    @cached_property
    def leading(self) -> CalendlyStream:
        """The stream with which this one is read: the parent, or itself."""
        return next(
            (one for one in self.tap.calendly_streams if type(one) is self.parent_stream_type), self
        )

    @property
    def goes_on(self) -> bool:
        """Whether the stream has neither failed nor turned out to be closed."""
        return self.unavailable is None and self.failed is None

    def fail(self, error: Exception) -> None:
        """Note that the stream cannot go on, and say so; the others can.

        Args:
            error: Why.
        """
        if not isinstance(error, errors.CalendlyError):
            self.logger.debug("Where it happened:", exc_info=error)
            error = errors.unexpected(self.name, error)
        if self.failed is None:
            self.failed = error
            self.logger.warning("%s The other streams go on.", error)

    def is_behind(self, error: BaseException) -> bool:
        """Tell whether an error is this stream's, though another met it while it waited for rows.

        Args:
            error: The error.

        Returns:
            Whether it has ended the reading ahead: what is read for a row fails its own stream.
        """
        return self._lookahead is not None and self._lookahead.failure is error

    def stop(self) -> None:
        """Let the threads that read ahead end: the run is over, whether it ended well or not."""
        if self._lookahead is not None:
            self._lookahead.stop()

    def _rows_for(self, context: Context) -> Iterator[Record]:
        """Take what was read ahead for a row of the parent."""
        self._check_access()
        reading, self._ahead = self._ahead, None
        for rows in self.read_for(context) if reading is None else reading:
            yield from rows

    def _child_fetches_for(
        self, ahead: Prefetcher, children: list[CalendlyStream], row: Row
    ) -> list[ChildFetch]:
        """Begin to read what belongs to a row, unless a stream map leaves the row out."""
        child_fetches = []
        if self._takes_details:
            child_fetches.append(
                ChildFetch(None, {self.name: Prefetch(ahead, self._detail(row.record))})
            )
        if children and row.contexts and self.stream_maps[0].get_filter_result(row.record):
            child_fetches += [
                ChildFetch(
                    context,
                    {
                        child.name: Prefetch(ahead, child.read_for(context), at_once=PAGES_AHEAD)
                        for child in children
                        if child.concerns(row.record)
                    },
                )
                for context in row.contexts
            ]
        return child_fetches

    @property
    def _takes_details(self) -> bool:
        """Whether a request is made for each row: not where only its children are wanted."""
        return self.detailed and self.selected

    def _detailed(self, child_fetches: list[ChildFetch]) -> Iterator[Record]:
        """Give a row with all its fields; nothing if it vanished after it was listed."""
        for child_fetch in child_fetches:
            for rows in child_fetch.readings[self.name] if child_fetch.context is None else ():
                yield from rows

    def _begin(self) -> None:
        """Write the children's SCHEMA, so that their tables exist even without a row."""
        self.query(None)  # asks whose data it is, if need be, before the threads begin
        for stream in (self, *self.children):
            stream._since = stream.oldest_wanted()  # noqa: SLF001 - the same class
            if stream.replication_key is None:
                # Private in singer-sdk 0.54: what each record says it belongs to.
                stream._stream_version = stream._initialized_at  # noqa: SLF001
        if self.children and isinstance(self.stream_maps[0], RemoveRecordTransform):
            names = ", ".join(child.name for child in self.children)
            message = (
                f"Setting `stream_maps` takes {self.name} out, for whose rows {names} are read: "
                f"name `{self.name}: {{}}` in it, and deselect the stream in the catalog instead."
            )
            raise errors.FatalError(message)
        for stream in self.children:
            stream._write_schema_message()  # noqa: SLF001 - the same class

    def _note_read(self, began: datetime | None) -> None:
        """Note what was read whole; say so of a full table, too.

        A target can then mark rows that vanished.
        """
        for stream in (self, *self.children):
            stream._check_access(last=True)  # noqa: SLF001 - the same class
            if stream.goes_on and stream._whole:  # noqa: SLF001 - the same class
                stream._note_whole(began)  # noqa: SLF001 - the same class

    def _check_access(self, *, last: bool = False) -> bool:
        """Decide what refusals for some rows of the parent mean.

        If the list is open for others, it has failed; if it is not open for any, it is closed.

        Args:
            last: Whether all rows of the parent were tried.

        Returns:
            Whether that is decided.
        """
        if self._refusal is not None and self._opened:
            self.fail(self._refusal)
        elif self._refusal is not None and last:
            self._close(self._refusal)
        return self._refusal is None or not self.goes_on

    def _note_whole(self, began: datetime | None) -> None:
        if began is not None:
            self.capture(began)
        if self.selected and self._stream_version is not None:
            # Private in singer-sdk 0.54, which writes it before the records: a run that dies in
            # between would delete good rows.
            self._write_activate_version_message(self._stream_version)

    # State: the SDK would take the later of bookmark and start_date, cap it by the local clock and
    # set it from the rows. Here it is the moment at which the last complete reading began, in the
    # server's clock, so that nothing which changes during a run is lost.

    @property
    def state_scope(self) -> str:
        """What the stream's state is about: whose data, and which rows of it.

        A state about something else is no use: rows that were left out then would never come.
        """
        maps = self.config.get("stream_maps") or {}
        about = self.tap.scope.own_name if self.of_own_user else self.tap.scope.name
        for stream in self.tap.streams.values():
            if stream is self or type(stream) is self.parent_stream_type:
                if isinstance(stream.stream_maps[0], RemoveRecordTransform):
                    about += f", without {stream.name}"
                elif rule := (maps.get(stream.name) or {}).get("__filter__"):
                    about += f", {stream.name} where {rule}"
        return about

    @property
    def incremental(self) -> bool:
        """Whether this run continues from the state: the catalog may force a full table."""
        by_state = self.replication_method == REPLICATION_INCREMENTAL
        return by_state and self.replication_key is not None

    @property
    def bookmark(self) -> datetime | None:
        """The moment (UTC) from which changes are not captured yet; None when nothing is."""
        if not self.incremental:
            return None
        return state.bookmark(self.name, self.stream_state, self.state_scope, self._oldest_row)

    def capture(self, began: datetime) -> None:
        """Note in the state that everything up to a moment was read.

        Args:
            began: When the reading began (UTC, server's clock).
        """
        if self.selected and self.incremental:
            key = str(self.replication_key)
            state.refuse_future(self.name, self.stream_state, self.state_scope, self.tap.api.now)
            state.write_bookmark(self.stream_state, key, began, self.state_scope, self._oldest_row)
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

    def oldest_wanted(self) -> datetime | None:
        """Decide which rows are old enough to be left out.

        Returns:
            A moment (UTC): the bookmark less an overlap, or `start_date` if that is later and
            bounds this stream; None to read everything.
        """
        if not (self.newest_first or self.since_parameter or self.detailed):
            return None
        # What is read for each row of this stream must have been read up to then, too.
        captured = [stream.bookmark for stream in self.written]
        bounds = [] if self._oldest_row is None else [self._oldest_row]
        days = self.config["lookback_days"] if self.revisits else 0
        known = [bookmark for bookmark in captured if bookmark is not None]
        if len(known) == len(captured):
            bounds.append(min(known) - timedelta(days=days) - plan.OVERLAP)
        return max(bounds, default=None)

    @property
    def _oldest_row(self) -> datetime | None:
        """The setting `start_date`, where it bounds this stream."""
        return None if self.starts_at is None else self.tap.start_date

    # Messages

    @property
    def children(self) -> list[CalendlyStream]:
        """The selected streams whose rows are read for each row of this one."""
        return [
            stream
            for stream in self.child_streams
            if isinstance(stream, CalendlyStream) and stream.selected
        ]

    @property
    def written(self) -> list[CalendlyStream]:
        """The selected ones among this stream and those that belong to its rows."""
        return [stream for stream in (self, *self.children) if stream.selected]

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
    def _write_record_message(self, record: Record) -> None:
        """Count what is written, which a stream map may leave out (private in singer-sdk 0.54)."""
        try:
            for message in self._generate_record_messages(record):
                self._tap.write_message(message)
                self.rows_out += 1
        except RecursionError:
            text = f"{self.name}: Calendly gave a row that is nested too deep: report this line."
            raise errors.CalendlyError(text) from None
        self.last_out = record
        self.state_manager.is_flushed = False

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
    def log_sync_costs(self) -> None:
        """Say nothing: the summary at the end of the run does."""


def _id(uri: str) -> str:
    """Give the last segment of a URI as a part of a path."""
    return quote(uri.rsplit("/", 1)[-1], safe="")
