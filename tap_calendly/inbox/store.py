"""Writes an inbox: `calendly-webhooks` alone does.

A position, once committed, never appears below one that was visible before. Every transaction that
gives positions out waits for the one before it to be committed: in PostgreSQL it locks the row with
the inbox's identity, in SQLite it begins with the lock for writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4
from weakref import finalize

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from tap_calendly import timestamps
from tap_calendly.inbox import tables
from tap_calendly.inbox.delivery import Delivery
from tap_calendly.inbox.reader import AT_ONCE, InboxReader, Subscription, unreadable
from tap_calendly.inbox.tables import DELIVERIES, FACTS
from tap_calendly.reporting import errors, messages

LONGEST_PAUSE = timedelta(minutes=1)
"""After how long without a receiver's beat a gap is noted."""

LEAP = 1_000_000
"""By how many positions a gap is marked above the last: more than were lost with any backup."""

REFUSED_KEPT = timedelta(hours=25)
"""How long the numbers of refused deliveries are kept: 24 hours, and the hour they begin in."""

CREATION = 0x63616C656E646C79
"""PostgreSQL's advisory lock under which the tables are created."""


class Store:
    """An inbox, created if there is none.

    All methods raise CalendlyError if the database refuses or does not answer. After that they
    look anew at what is there: a database may come back empty.
    """

    def __init__(self, text: str) -> None:
        """Open the inbox at a URL."""
        self._text = text
        try:
            self._url = tables.url_of(text)
            self._engine = tables.writing_engine(self._url)
            finalize(self, self._engine.dispose)
        except (ValueError, ModuleNotFoundError) as error:
            raise unreadable(error) from None
        self._file = tables.file_of(self._url)
        self._opened: object = None
        self._open()

    def add(self, delivery: Delivery, now: datetime) -> None:
        """Keep a delivery; an identical one is moved to a new position, as it is news again."""
        self.add_all([delivery], now)

    def add_all(self, deliveries: Iterable[Delivery], now: datetime) -> None:
        """Keep deliveries, all or none; see `add`."""
        rows = {
            one.id: {
                "id": one.id,
                "event": one.event,
                "created_at": one.created_at,
                "received_at": timestamps.in_request(now),
                "scheduled_event_uri": one.scheduled_event_uri,
                "invitee_uri": one.invitee_uri,
                "body": one.body,
            }
            for one in deliveries
        }
        with self._transaction() as connection:
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(rows)))
            connection.execute(insert(DELIVERIES), list(rows.values()))

    def beat(self, now: datetime, refused: Mapping[str, int] | None = None) -> None:
        """Say that a receiver runs; after a pause, mark a gap: deliveries may have been missed.

        `refused` are the deliveries that were refused since the last beat, by reason.
        """
        with self._transaction() as connection:
            last = _fact(connection, tables.BEAT)
            if last is not None and abs(now - timestamps.parse(last)) > LONGEST_PAUSE:
                _mark_gap(connection, now)
            _note(connection, tables.BEAT, timestamps.in_request(now))
            for reason, number in (refused or {}).items():
                name = f"{tables.refused_at(now)} {reason}"
                _note(connection, name, str(int(_fact(connection, name) or 0) + number))
            old = FACTS.c.name.between(tables.REFUSED, tables.refused_at(now - REFUSED_KEPT))
            connection.execute(delete(FACTS).where(old))

    def note_subscription(self, uri: str, about: dict[str, str]) -> None:
        """Say whose deliveries these are from now on."""
        with self._transaction() as connection:
            last = connection.execute(select(func.max(DELIVERIES.c.position))).scalar() or 0
            since = max(last, int(_fact(connection, tables.REMOVED) or 0))
            noted = msgspec.json.encode(Subscription(uri, about, since))
            _note(connection, tables.SUBSCRIPTION, noted.decode())

    def prune(self, before: datetime) -> int:
        """Remove what was received before a time; return how many rows that were."""
        return self._remove(DELIVERIES.c.received_at < timestamps.in_request(before))

    def forget(self, email: str) -> int:
        """Remove the deliveries about whoever has an email address; return how many those were.

        Those are the deliveries that name it, and those about the same invitees.

        Raises:
            CalendlyError: Some may be left in SQLite's log, which another program is reading.
        """
        named = [one.delivery for one in InboxReader(self._text).after(0)]
        named = [one for one in named if one.names(email)]
        invitees = {one.invitee_uri for one in named if one.invitee_uri is not None}
        columns = {DELIVERIES.c.id: [one.id for one in named], DELIVERIES.c.invitee_uri: invitees}
        removed = sum(
            self._remove(column.in_(part))
            for column, found in columns.items()
            for part in _parts(found)
        )
        if self._file is not None:
            with _reported(), closing(self._engine.raw_connection()) as connection:
                cursor = connection.cursor()
                is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if is_busy:
                raise errors.CalendlyError(messages.LOG_IN_USE)
        return removed

    def _remove(self, condition: ColumnElement[bool]) -> int:
        """Remove rows, and note the highest position among them."""
        of_deliveries = and_(condition, DELIVERIES.c.id.is_not(None))
        noted = {tables.REMOVED: condition, tables.REMOVED_DELIVERY: of_deliveries}
        with self._transaction() as connection:
            for name, which in noted.items():
                query = select(func.max(DELIVERIES.c.position)).where(which)
                if (highest := connection.execute(query).scalar()) is not None:
                    before = int(_fact(connection, name) or 0)
                    _note(connection, name, str(max(highest, before)))
            return connection.execute(delete(DELIVERIES).where(condition)).rowcount

    def _open(self) -> None:
        """Create what is missing, one process at a time, and check the version."""
        with _reported():
            if self._file is not None and not self._file.exists():
                _create_file(self._file)
            with self._engine.begin() as connection:
                if self._file is None:
                    connection.execute(select(func.pg_advisory_xact_lock(CREATION)))
                tables.METADATA.create_all(connection)
                if _fact(connection, tables.IDENTITY) is None:
                    _note(connection, tables.IDENTITY, uuid4().hex)
                    _note(connection, tables.SCHEMA_VERSION, str(tables.VERSION))
                version = int(_fact(connection, tables.SCHEMA_VERSION) or 0)
            if version > tables.VERSION:
                raise errors.CalendlyError(messages.INBOX_FROM_LATER_VERSION)
            self._opened = self._present()

    def _present(self) -> object:
        """Return what tells SQLite's file from another at its place; None if it is gone."""
        if self._file is None:
            return True
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Write in a transaction that waits for all others."""
        if self._opened is None or self._opened != self._present():
            self._engine.dispose()
            self._open()
        try:
            with _reported(), self._engine.begin() as connection:
                _take_turn(connection)
                yield connection
        except errors.CalendlyError:
            self._opened = None
            raise


@contextmanager
def _reported() -> Iterator[None]:
    """Turn what the database raises into one line."""
    try:
        yield
    except (SQLAlchemyError, OSError, ValueError, ModuleNotFoundError) as error:
        raise unreadable(error) from None


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield values in parts that fit into a query."""
    rest = sorted(values)
    for first in range(0, len(rest), AT_ONCE):
        yield rest[first : first + AT_ONCE]


def _mark_gap(connection: Connection, now: datetime) -> None:
    """Mark a gap far above all positions, which a backup that was restored gives out again."""
    last = connection.execute(select(func.max(DELIVERIES.c.position))).scalar() or 0
    position = max(last, int(_fact(connection, tables.REMOVED) or 0)) + LEAP
    gap = {"position": position, "received_at": timestamps.in_request(now)}
    connection.execute(insert(DELIVERIES).values(gap))
    if connection.dialect.name == "postgresql":  # SQLite goes on from there by itself
        sequence = func.pg_get_serial_sequence(DELIVERIES.name, "position")
        connection.execute(select(func.setval(sequence, position)))


def _create_file(file: Path) -> None:
    """Create an empty file that nobody else may read, unless another process just did."""
    with suppress(FileExistsError):
        file.touch(mode=0o600, exist_ok=False)


def _take_turn(connection: Connection) -> None:
    """Wait for all transactions that began earlier."""
    first = select(FACTS.c.value).where(FACTS.c.name == tables.IDENTITY).with_for_update()
    if connection.execute(first).scalar() is None:  # wiped
        raise errors.CalendlyError(messages.INBOX_ABSENT)


def _fact(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(
        select(FACTS.c.value).where(FACTS.c.name == name)
    ).scalar()
    return value


def _note(connection: Connection, name: str, value: str) -> None:
    changed = connection.execute(update(FACTS).where(FACTS.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(FACTS).values(name=name, value=value))
