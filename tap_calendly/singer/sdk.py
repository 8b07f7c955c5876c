"""What the tap uses and overrides of the SDK's private or final members (singer-sdk 0.54).

One contract test holds what is relied on here; it fails when a release of the SDK changes it.
"""

from __future__ import annotations

import ast
import logging
import signal
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from types import FrameType
from typing import Any, NoReturn, TypeVar

from singer_sdk import Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context, Record
from singer_sdk.mapper import MAPPER_FILTER_OPTION, CustomStreamMap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.catalog import Catalog
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_calendly.reporting import errors, messages

S = TypeVar("S", bound=Stream)

ConfigInput = _ConfigInput
"""The settings given by `--config`, and whether the environment has others."""


class SingerStream(Stream):
    """A stream that keeps its own state, and logs little.

    The SDK would take the later of bookmark and `start_date`, cap it by the local clock and set it
    from the rows. A stream of this tap writes its bookmark itself. `rows_out` counts the rows
    written so far, `last_out` is the last of them.
    """

    # One bookmark per stream; the SDK would keep one for every parent.
    state_partitioning_keys = ()
    # What was parsed from JSON can be written as JSON: the API's own values, unchanged.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, schema: dict[str, Any]) -> None:
        """Start with nothing written."""
        super().__init__(tap, schema=schema)
        self.rows_out = 0
        self.last_out: Record = {}
        self._has_schema_out = False

    @abstractmethod
    def load(self, sync: Callable[[], None], context: Context | None) -> None:
        """Load the stream by `sync`, the SDK's own, which reads records and writes messages."""

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """Have `load` decide what a failure means (final in the SDK; there is no other place)."""
        self.load(partial(super().sync, context), context)

    def siblings(self, kind: type[S]) -> list[S]:
        """Return the streams of a class that belong to the same tap."""
        return [one for one in self._tap.streams.values() if isinstance(one, kind)]

    def begin_full_table(self) -> None:
        """Give each record the version of the table that it belongs to."""
        self._stream_version = self._initialized_at

    def end_full_table(self) -> None:
        """Tell the target that all rows of this version of the table are out."""
        # The SDK does so before the records: a run that dies in between would delete good rows.
        if self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def write_schema(self) -> None:
        """Write SCHEMA, unless it was written."""
        self._write_schema_message()

    def write_rows(self, rows: Iterable[Record]) -> None:
        """Write rows outside the stream's own turn; nothing is read for them."""
        self.write_schema()
        for row in rows:
            if (record := self.post_process(row)) is not None:
                self._write_record_message(record)

    def write_state(self) -> None:
        """Write STATE."""
        self.note_state_change()
        self._write_state_message()

    def note_state_change(self) -> None:
        """Have STATE written at the next opportunity."""
        self.state_manager.is_flushed = False

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        return None

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        return False

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Leave the state alone."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave the state alone."""

    @override
    def _write_schema_message(self) -> None:
        """Write SCHEMA once; the SDK repeats it for every parent."""
        if not self._has_schema_out:
            self._has_schema_out = True
            super()._write_schema_message()

    @override
    def _write_record_message(self, record: Record) -> None:
        """Count what is written, which a stream map may leave out."""
        try:
            for message in self._generate_record_messages(record):
                self._tap.write_message(message)
                self.rows_out += 1
        except RecursionError:
            raise errors.CalendlyError(messages.NESTED_TOO_DEEPLY, stream=self.name) from None
        self.last_out = record
        self.note_state_change()

    @override
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log at the level DEBUG what the SDK says, five lines for every parent."""
        super().log(message, *args, level=logging.DEBUG, **kwargs)

    @override
    def log_sync_costs(self) -> None:
        """Log nothing: the summary at the end of the run does."""


class SingerTap(Tap):
    """A tap that decides for itself how a run ends."""

    @abstractmethod
    def load(self, sync: Callable[[], None]) -> None:
        """Load all streams by `sync`, the SDK's own, which loads one after the other."""

    @abstractmethod
    def test_access(self) -> None:
        """Print for each stream whether the token gives access to it (`--test`)."""

    @abstractmethod
    def check_config(self, config: dict[str, Any], *, raise_errors: bool) -> list[str]:
        """Fill in the configuration's defaults, and return or raise a sentence for each problem."""

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Have `load` decide what a failure means (final in the SDK; there is no other place)."""
        self.load(super().sync_all)

    @override  # type: ignore[misc]
    def run_connection_test(self) -> bool:
        """Print more than whether a row can be read (final in the SDK)."""
        self.test_access()
        return True

    @override  # type: ignore[misc]
    def load_streams(self) -> list[Stream]:
        """Make the streams without logging a line for each child (final in the SDK)."""
        level = self.logger.level
        if not self.logger.isEnabledFor(logging.DEBUG):
            self.logger.setLevel(logging.WARNING)
        try:
            return super().load_streams()
        finally:
            self.logger.setLevel(level)

    def map_streams(self, selected: Catalog) -> None:
        """Set up the mapper, with a map for every stream and errors without expressions."""
        # The next but one: the next would map what is not selected without any column, and then
        # miss the key. Yet it has a map, as it may be read for the sake of its children.
        super(Tap, self).setup_mapper()
        self.mapper.register_raw_streams_from_catalog(selected)
        for name in self.streams.keys() - self.mapper.stream_maps:
            stream = self.streams[name]
            self.mapper.register_raw_stream_schema(name, stream.schema, stream.primary_keys)
        for stream_maps in self.mapper.stream_maps.values():
            for stream_map in stream_maps:
                if isinstance(stream_map, CustomStreamMap):
                    stream_map.__class__ = StreamMap  # the SDK has no setting for the class

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, in sentences for the user."""
        # The SDK's own check prints the offending value, which may be a secret, accepts any
        # `start_date`, and is silent about unknown names.
        self.append_builtin_config(self.config_jsonschema)
        problems = self.check_config(self._config, raise_errors=raise_errors)
        if not self.logger.isEnabledFor(logging.DEBUG):
            # Four metrics for every meeting would bury the lines worth reading.
            self.metrics_logger.setLevel(logging.WARNING)
        return problems

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        """Exit with 128 + the signal's number; the SDK would exit with 0."""
        # Nothing is written here, as a message may be half written: each state was written as soon
        # as it was reached.
        self.logger.warning(
            "Stopped by %s: the next run continues from the last state written.",
            signal.Signals(signum).name,
        )
        sys.exit(128 + signum)


class StreamMap(CustomStreamMap):
    """A stream map whose errors name the column, without the expression."""

    @override
    def _eval(
        self, expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None
    ) -> str | int | float:
        try:
            return super()._eval(expr, expr_parsed, record, property_name)
        except Exception as error:  # noqa: BLE001 - an expression can raise anything
            raise errors.CalendlyError(
                messages.MAP_FAILED,
                stream=self.stream_name,
                part=property_name or MAPPER_FILTER_OPTION,
                kind=type(error).__name__,
            ) from None
