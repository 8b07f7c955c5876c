"""CalendlyStream: what is read of the API, written as Singer messages by one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

from singer_sdk import Tap
from singer_sdk.helpers.types import Context as SingerContext
from singer_sdk.helpers.types import Record
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_calendly.reading.conform import CoercionIssue, Columns
from tap_calendly.reading.endpoint import Endpoint
from tap_calendly.reading.outcome import UNEXPECTED, Outcome
from tap_calendly.reading.parent import Context, Parent
from tap_calendly.reading.prefetch import Batch, Prefetch, Prefetcher, in_order
from tap_calendly.reading.reader import Reader
from tap_calendly.reading.replication import FullTable, Replication
from tap_calendly.reading.source import Found, Lookup, Row, gather, rows_for, whole_list
from tap_calendly.reporting import errors, messages
from tap_calendly.run import Run
from tap_calendly.singer.sdk import SingerStream
from tap_calendly.state import Bookmark, StreamState, loaded_full_tables, note_full_table

T = TypeVar("T")

PAGES_AHEAD = 5
"""Pages of a row's own list that are read before its turn has come."""


class ChildFetch(NamedTuple):
    """What is being read for a row, by the name of the stream."""

    uri: str | None  # what the children are read for; None for the row's own details
    batches: Mapping[str, Iterable[list[Record]]]
    found: Iterable[Found] = ()  # instead of them, for a row that is looked up


class CalendlyStream(SingerStream):
    """A list of Calendly's API; most streams only fill in the class attributes.

    Attributes:
        essential: Whether the run fails if the token gives no access to the stream.
        from_api: Whether it is read from Calendly's API, by requests.
        derived: Columns that the API leaves out, with the function that computes each from a row.
        coercion_issues: How often each column had a value that could not be kept.
        prefetcher: The threads that read ahead for the stream and its children, once started.
    """

    name: str
    schema: dict[str, Any]
    endpoint: ClassVar[Endpoint]
    parent: ClassVar[Parent | None] = None
    replication: ClassVar[Replication] = FullTable()
    requires: ClassVar[errors.Requires]
    essential: ClassVar[bool] = False
    from_api: ClassVar[bool] = True
    derived: ClassVar[Mapping[str, Callable[[Record], object]]] = {}
    primary_keys: Sequence[str] = ("uri",)

    @override
    def __init_subclass__(cls) -> None:
        """Declare to the SDK what it needs to know."""
        cls.replication_key = cls.replication.key  # type: ignore[assignment, method-assign]
        cls.parent_stream_type = None if cls.parent is None else cls.parent.stream

    def __init__(self, tap: Tap, run: Run, parent_stream: CalendlyStream | None = None) -> None:
        """Prepare; nothing is asked yet."""
        super().__init__(tap, self.schema)
        self.run = run
        self.outcome = Outcome(self.name, self.logger)
        self.reader = Reader(self, run, self.outcome)
        self.coercion_issues: Counter[CoercionIssue] = Counter()
        self._parent_stream = parent_stream
        self._unknown: set[str] = set()
        self.prefetcher: Prefetcher | None = None
        self._child_fetches: list[ChildFetch] = []
        self._batches: Iterable[list[Record]] = ()

    # Relatives

    @property
    def root(self) -> CalendlyStream:
        """The parent, or the stream itself if it has none."""
        return self._parent_stream or self

    @property
    def root_name(self) -> str:
        """The name of `root`."""
        return self.root.name

    @property
    def children(self) -> list[CalendlyStream]:
        """The selected streams whose rows are read for each row of this one."""
        children = (one for one in self.child_streams if isinstance(one, CalendlyStream))
        return [child for child in children if child.selected]

    @property
    def family(self) -> list[CalendlyStream]:
        """This stream and those whose rows are read for each row of it."""
        return [self, *self.children]

    # State: its bookmark is when the last complete reading began, by the server's clock, so that
    # nothing that changes during a run is lost.

    @property
    def _state_scope(self) -> str:
        """What the stream's state is about: whose data, and which rows of it."""
        stream_maps = self.config.get("stream_maps") or {}
        scope = self._whose_rows
        for stream in sorted({self, self.root}, key=lambda stream: stream.name):
            if isinstance(stream.stream_maps[0], RemoveRecordTransform):
                scope += f", without {stream.name}"
            elif rule := (stream_maps.get(stream.name) or {}).get("__filter__"):
                scope += f", {stream.name} where {rule}"
        return scope

    @property
    def _whose_rows(self) -> str:
        of_token_user = self.endpoint.whose == "token_user"
        return self.run.scope.own_name if of_token_user else self.run.scope.name

    @cached_property
    def entry(self) -> StreamState | None:
        """The stream's entry in the state; a full table, which the catalog may force, has none."""
        return self._kept if self.replication_method == REPLICATION_INCREMENTAL else None

    @cached_property
    def _kept(self) -> StreamState | None:
        """The entry, which a full table that the catalog forces leaves as it was."""
        if (key := self.replication_key) is None:
            return None
        scope = self._state_scope
        return StreamState(self.name, self.stream_state, scope, key, self.note_state_change)

    @property
    def bookmark(self) -> datetime | None:
        """The time (UTC) from which changes are not captured yet; None when nothing is."""
        return None if self.entry is None else self.entry.bookmark(self._start_date)

    @property
    def _start_date(self) -> datetime | None:
        return self.replication.start_date(self.run.settings)

    @property
    def _whose_table(self) -> str:
        """Whose data a full table holds, as far as the token tells."""
        scope = self.run.scope
        return scope.own_name if self.endpoint.whose == "token_user" else scope.known_name

    def note_loaded(self) -> None:
        """Note until when the stream was loaded, by the state, and whether it must not be lost."""
        if not self.selected:
            return
        outcome = self.outcome
        listed = self.name in loaded_full_tables(self.tap_state, self._whose_table)
        kept = self.entry if listed else self._kept
        if kept is not None and (reached := kept.reached) is not None:
            outcome.last_loaded = f"until {reached:%Y-%m-%d %H:%M} UTC"
        elif listed:
            outcome.last_loaded = "before"
        outcome.required = self.essential or outcome.last_loaded is not None

    def _run_fails_without(self, stream: CalendlyStream) -> bool:
        """Whether the run fails if the token gives no access to a stream of the family."""
        if self.run.settings.on_unavailable == "fail":
            return True
        others = (one for one in self.siblings(CalendlyStream) if one not in stream.family)
        none_is_open = all(one.outcome.unavailable is not None for one in others if one.selected)
        return none_is_open or any(one.outcome.required for one in stream.family)

    def first_row(self, context: Context | None = None) -> Record | None:
        """Ask for one row, of those for a row of the parent if given; None if there is none."""
        self.reader.rows_a_page = 1
        return next(iter(self.reader.first_page(context).rows), None)

    # Reading ahead

    def source(self) -> Iterator[Batch[Row]]:
        """Read a stream without a parent; this runs in reader threads."""
        children = [child.reader for child in self.children]
        return whole_list(self.reader, children, self._note_read)

    def sources(self) -> Iterator[Iterator[Batch[Row | Lookup]]]:
        """Yield one or more sources; each begins once everything of the one before is out."""
        yield self.source()

    @override
    def load(self, sync: Callable[[], None], context: SingerContext | None) -> None:
        """Load the stream; if it fails, the run goes on with the others."""
        if context is None and self.from_api and self.run.client.is_down:
            return
        self.outcome.started = True
        try:
            sync()
        except errors.FatalError:
            raise
        except (errors.CalendlyError, *UNEXPECTED) as error:
            prefetcher = self.root.prefetcher
            if context is not None and prefetcher is not None and prefetcher.failure is error:
                raise  # it ended the reading of the parent, and was met while waiting
            self.outcome.fail(error)
        finally:
            self.stop()

    def stop(self) -> None:
        """Let the threads that read ahead end, whether the run ended well or not."""
        if self.prefetcher is not None:
            self.prefetcher.stop()

    @override
    def get_records(self, context: SingerContext | None) -> Iterator[Record]:
        return self._rows() if context is None else self._child_rows()

    @override
    def generate_child_contexts(
        self, record: Record, context: SingerContext | None
    ) -> Iterator[SingerContext | None]:
        for fetch in self._child_fetches:
            if fetch.uri is not None:
                for child in self.children:
                    child.expect(fetch.batches.get(child.name, ()))
                yield {"uri": fetch.uri}

    def expect(self, batches: Iterable[list[Record]]) -> None:
        """Take what was read ahead for a row of the parent, whose turn has come."""
        self._batches = batches

    def _rows(self) -> Iterator[Record]:
        """Yield the rows of a list without a parent, and read ahead what belongs to them."""
        self._begin()
        eager = self.ABORT_AT_RECORD_COUNT is None  # the SDK's own test takes one row
        threads = self.run.settings.max_concurrent_requests if eager else 1
        with Prefetcher(threads, eager=eager, wake=self.run.client.throttle.wake) as prefetcher:
            self.prefetcher = prefetcher
            for stream in self.family:
                stream.reader.stopped = prefetcher.stopped
            begin = partial(self._fetch_for, prefetcher)
            rows = (
                found
                for source in self.sources()
                for batches in (Prefetch(prefetcher, source, first=True),)
                for found in in_order(batches, prefetcher, begin, self._gather)
            )
            for row, fetches in self._unless_refused(rows):
                if not (self.selected or any(child.outcome.goes_on for child in self.children)):
                    break
                if isinstance(row, Row):
                    self._child_fetches = fetches
                    yield from self._with_details(row, fetches)
                for found in chain.from_iterable(fetch.found for fetch in fetches):
                    if self.stream_maps[0].get_filter_result(found.record):
                        self._child_fetches = [ChildFetch(found.record["uri"], found.children)]
                        yield found.record

    def _with_details(self, row: Row, fetches: list[ChildFetch]) -> Iterator[Record]:
        """Yield a row, or what was read of it at its own URI."""
        if not self._takes_details:
            return iter([row.record])
        details, *_ = fetches
        return chain.from_iterable(details.batches[self.name])

    def _child_rows(self) -> Iterator[Record]:
        """Yield what was read ahead for a row of the parent."""
        batches, self._batches = self._batches, ()
        yield from chain.from_iterable(batches)
        for refused in self.outcome.take_refused():
            yield from chain.from_iterable(rows_for(self.reader, refused))

    def _begin(self) -> None:
        """Prepare what the threads read; write the children's SCHEMA, for tables without a row."""
        self.run.scope.parameters(self.endpoint.whose)  # which may have to ask whose data it is
        for stream in self.family:
            stream.note_loaded()
        for stream in self.family:
            stream.outcome.refusal_fails_run = self._run_fails_without(stream)
        for stream in self.family:
            # What is read for each row of a stream must have been read up to then, too.
            bookmarks = [one.bookmark for one in stream.family if one.selected]
            stream.reader.since = stream.replication.since(bookmarks, self.run.settings)
            if stream.replication_key is None:
                stream.begin_full_table()
        if self.children and isinstance(self.stream_maps[0], RemoveRecordTransform):
            names = ", ".join(child.name for child in self.children)
            raise errors.FatalError(messages.PARENT_MAPPED_OUT, stream=self.name, children=names)
        for stream in self.children:
            stream.write_schema()

    def _unless_refused(self, rows: Iterator[T]) -> Iterator[T]:
        """Yield rows; none if the token gives no access to the list, which is noted."""
        try:
            yield from rows
        except errors.RefusedError as error:
            if not self.outcome.is_refused_by(error):
                raise
            self.outcome.refuse(error)
            for child in self.children:
                if child.outcome.required and self.outcome.skipped:
                    child.outcome.refuse(error)
                else:
                    child.outcome.unavailable = error

    def _gather(self, rows: Sequence[Row | Lookup]) -> None:
        """Group rows for a child that asks for several at once; filtered ones are left out."""
        for child in self.children:
            if child.parent is not None and child.parent.at_once > 1:
                is_wanted = self.stream_maps[0].get_filter_result
                listed = (row for row in rows if isinstance(row, Row))
                gather([row for row in listed if is_wanted(row.record)], child.name)

    def _fetch_for(self, prefetcher: Prefetcher, row: Row | Lookup) -> list[ChildFetch]:
        """Begin to read what belongs to a row, unless a stream map leaves the row out."""
        if isinstance(row, Lookup):
            return [ChildFetch(None, {}, Prefetch(prefetcher, row.read()))]
        fetches = []
        if self._takes_details:
            details = Prefetch(prefetcher, self.reader.details(row.record))
            fetches.append(ChildFetch(None, {self.name: details}))
        if row.contexts and self.stream_maps[0].get_filter_result(row.record):
            contexts = ((child, row.contexts.get(child.name)) for child in self.children)
            batches = {
                child.name: Prefetch(
                    prefetcher, rows_for(child.reader, context), at_once=PAGES_AHEAD
                )
                for child, context in contexts
                if context is not None and context.parent.applies_to(row.record)
            }
            uri = next(iter(row.contexts.values())).uri
            fetches.append(ChildFetch(uri, batches))
        return fetches

    @property
    def _takes_details(self) -> bool:
        """Whether each row is read again at its own URI: not if only its children are wanted."""
        return self.endpoint.with_details is not None and self.selected

    def _note_read(self, began: datetime | None) -> None:
        for stream in self.family:
            stream.outcome.settle(last=True)
            if stream.outcome.goes_on and stream.selected:
                stream.note_read(began)

    def note_read(self, began: datetime | None) -> None:
        """Write down that all up to a time was read, and that a full table has no other rows.

        Where something could not be asked for, a full table was loaded, but may have other rows.
        """
        complete = self.outcome.complete
        if self.entry is None:
            state = cast("dict[str, Any]", self.tap_state)
            note_full_table(state, self.name, self._whose_table)
            self.note_state_change()
        elif complete and began is not None:
            self.entry.refuse_future(self.run.client.now)
            self.entry.write(Bookmark(began, self._start_date))
        if complete:
            self.end_full_table()

    # Records

    @override
    def post_process(self, row: Record, context: SingerContext | None = None) -> Record:
        """Leave out fields that the schema does not have, and coerce the others to their types."""
        if self._coercion.fits(row):
            return row
        if unknown := row.keys() - self.columns:
            if unknown - self._unknown:
                self._unknown |= unknown
                self.logger.warning(
                    "%s: fields that this version of tap-calendly does not know are left out: %s.",
                    self.name,
                    ", ".join(sorted(self._unknown)),
                )
            row = {name: value for name, value in row.items() if name in self.columns}
        coerced, issues = self._coercion.coerce(row)
        self.coercion_issues.update(issues)
        for name in self.primary_keys if issues else ():
            if coerced[name] is None:
                raise errors.CalendlyError(messages.UNREADABLE_KEY, stream=self.name, field=name)
        return coerced

    @cached_property
    def _coercion(self) -> Columns:
        flattened = self.config.get("flattening_enabled", False)
        levels = self.config.get("flattening_max_depth", 0) if flattened else 0
        return Columns(self.effective_schema, levels)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of the table, before stream maps."""
        return frozenset(self.effective_schema["properties"])
