"""Runs of the tap as a target sees them: messages in, tables upserted by key."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

from sandbox.organization import fixtures
from tap_calendly.streams import STREAMS as ALL
from tap_calendly.tap import TapCalendly

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk.singerlib import Message

    from sandbox.http.server import Sandbox

Row = dict[str, Any]


STREAMS = (
    "scheduled_events",
    "event_invitees",
    "event_types",
    "organization_memberships",
    "routing_forms",
    "routing_form_submissions",
)


NOT_BY_DEFAULT = [stream.name for stream in ALL if not stream.selected_by_default]
"""Streams that read the future, and those that cost most."""

FROM_API = [stream.name for stream in ALL if stream.from_api]
"""All streams but those that are read from the inbox."""

KEYS = {stream.name: stream.primary_keys for stream in ALL}


class Killed(BaseException):
    """Ends a run that cannot react to it."""


@dataclass
class Run:
    """What one run of the tap wrote.

    Attributes:
        messages: Every message, as a target reads it.
        killed_after: Number of messages after which the run is killed; None for never.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    killed_after: int | None = None

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        """Return the messages of a kind, such as RECORD, in the order written."""
        return [
            message
            for message in self.messages
            if message["type"] == kind and stream in {None, message.get("stream")}
        ]

    def rows(self, stream: str) -> list[Row]:
        """Return the records of a stream, in the order written."""
        return [message["record"] for message in self.of("RECORD", stream)]

    @property
    def state(self) -> dict[str, Any]:
        """The last state; empty if there is none."""
        states = self.of("STATE")
        return states[-1]["value"] if states else {}

    def tables(self, before: Mapping[str, Mapping[str, Row]] | None = None) -> Tables:
        """Load the messages into tables, like a target that upserts by key and applies deletions.

        Args:
            before: Tables as an earlier run left them.

        Returns:
            Rows by stream and key.
        """
        tables: Tables = {name: dict(rows) for name, rows in (before or {}).items()}
        for message in self.messages:
            if message["type"] == "SCHEMA":
                tables.setdefault(message["stream"], {})
            elif message["type"] == "RECORD":
                stream, row = message["stream"], message["record"]
                tables[stream][key_of(stream, row)] = row
            elif message["type"] == "ACTIVATE_VERSION":
                stream = message["stream"]
                tables[stream] = {
                    key_of(stream, record["record"]): record["record"]
                    for record in self.of("RECORD", stream)
                    if record["version"] == message["version"]
                }
        return tables


Tables = dict[str, dict[str, Row]]


class _Collector(MsgSpecWriter):
    """Writes messages into a run instead of to standard output."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    @override
    def write_message(self, message: Message) -> None:
        if len(self._run.messages) == self._run.killed_after:
            raise Killed
        self._run.messages.append(json.loads(self.format_message(message)))


def sync(  # noqa: PLR0913 - all but the first by keyword
    sandbox: Sandbox,
    *,
    select: Collection[str] | None = None,
    state: Mapping[str, Any] | None = None,
    forced_method: str | None = None,
    into: Run | None = None,
    full_catalog: dict[str, Any] | None = None,
    **settings: object,
) -> Run:
    """Run the tap against the sandbox.

    Args:
        sandbox: What stands in for Calendly.
        select: The streams to select; None for those selected by default.
        state: The state to continue from.
        forced_method: The replication method that the catalog forces, if any.
        into: Run that collects the messages, to keep those of a run that fails.
        full_catalog: A catalog to use in place of one made from the arguments above.
        **settings: Settings besides the URL and the token.

    Returns:
        What the run wrote.
    """
    run = Run() if into is None else into
    TapCalendly(
        config=config(sandbox, **settings),
        catalog=full_catalog or catalog(select, forced_method),
        state=copy.deepcopy(dict(state or {})),
        message_writer=_Collector(run),
    ).sync_all()
    return run


@dataclass
class Warehouse:
    """Tables and state, kept from run to run.

    Attributes:
        sandbox: What stands in for Calendly.
        settings: The settings of every run.
        tables: Rows by stream and key.
        state: The last state.
    """

    sandbox: Sandbox
    settings: dict[str, Any] = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def run(self, *, select: Collection[str] | None = None, killed_after: int | None = None) -> Run:
        """Run the tap from the last state, and load what it writes.

        Args:
            select: The streams to select; None for those selected by default.
            killed_after: Number of messages after which it is killed; None for never.

        Returns:
            What the run wrote; the sandbox then holds the requests of this run only.
        """
        run = Run(killed_after=killed_after)
        self.sandbox.forget_requests()
        try:
            with suppress(Killed):
                sync(self.sandbox, select=select, state=self.state, into=run, **self.settings)
        finally:
            self.tables = run.tables(self.tables)
            self.state = run.state or self.state
        return run

    def equals_calendly(self) -> bool:
        """Return whether every table loaded so far equals Calendly's rows."""
        expected = truth(self.sandbox)
        return self.tables == {stream: expected[stream] for stream in self.tables}


def size_of(state: Mapping[str, Any]) -> int:
    """Return the number of bytes in which the tap writes a state."""
    return len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode())


def config(sandbox: Sandbox, **settings: object) -> dict[str, Any]:
    """Return settings that point the tap at the sandbox."""
    return {"api_url": sandbox.url, "personal_access_token": sandbox.token, **settings}


def catalog(
    select: Collection[str] | None, forced_method: str | None = None
) -> dict[str, Any] | None:
    """Return a catalog that selects some streams; None if the default one will do."""
    if select is None and forced_method is None:
        return None
    found = copy.deepcopy(_discovered())
    for stream in found["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])["metadata"]
        if select is not None:
            root["selected"] = stream["tap_stream_id"] in select
        if forced_method is not None:
            stream["replication_method"] = forced_method
    return found


@functools.cache
def _discovered() -> dict[str, Any]:
    return TapCalendly(config={}, validate_config=False, setup_mapper=False).catalog_dict


def truth(sandbox: Sandbox) -> Tables:
    """Return the expected tables: Calendly's own rows, and what the tap adds for joins."""
    calendly = sandbox.calendly
    rows = {**calendly.truth(), **calendly.more_truth(), **fixture_rows()}
    for invitee in rows["event_invitees"]:
        invitee["event_uri"] = invitee["event"]
    for host in rows["event_type_memberships"]:
        host["event_type_uri"] = host["event_type"]["uri"]
    for hours in rows["event_type_availability_schedules"]:
        hours["event_type_uri"] = hours["event_type"]
        hours["user_uri"] = hours["availability_rule"]["user"]
    for message in rows["outgoing_communications"]:
        message["id"] = digest_of(message)
    rows["webhook_subscriptions"] = [
        row for row in rows["webhook_subscriptions"] if row["scope"] == "organization"
    ]
    for deselected in NOT_BY_DEFAULT:
        rows.pop(deselected, None)
    return {name: {key_of(name, row): row for row in found} for name, found in rows.items()}


def fixture_rows() -> dict[str, list[Row]]:
    """Return the rows of the sandbox's fixtures, with the columns that the tap adds."""
    rows = {name: fixture.rows for name, fixture in fixtures.read().items()}
    names: dict[type, str] = {stream: stream.name for stream in ALL}
    for stream in (stream for stream in ALL if stream.name in rows):
        for row in rows[stream.name]:
            uri = row.pop("parent", None)
            row.update({column: compute(row) for column, compute in stream.derived.items()})
            if stream.parent is not None:
                contexts = map(stream.parent.context, rows[names[stream.parent.stream]])
                (columns,) = [found.columns for found in contexts if found and found.uri == uri]
                row.update(columns)
    return rows


def digest_of(row: Row) -> str:
    """Return the id of a row that has none from Calendly."""
    content = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def key_of(stream: str, row: Row) -> str:
    """Return a row's key as text."""
    return " ".join(str(row[name]) for name in KEYS[stream])
