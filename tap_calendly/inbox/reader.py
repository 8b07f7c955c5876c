"""Reads an inbox for the tap, which never creates or changes one."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from weakref import finalize

import msgspec
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from tap_calendly import timestamps
from tap_calendly.inbox import tables
from tap_calendly.inbox.delivery import HINTS, LAG, Delivery, Received
from tap_calendly.inbox.tables import DELIVERIES, FACTS
from tap_calendly.reporting import errors, messages

AT_ONCE = 500
"""Deliveries that are held in memory at a time."""


class Subscription(msgspec.Struct, frozen=True):
    """The subscription whose deliveries an inbox holds, as `calendly-webhooks subscribe` noted it.

    Attributes:
        about: Whose events it tells, as query parameters: see `Scope.parameters`.
        since: The inbox's last position before it was created.
    """

    uri: str
    about: dict[str, str]
    since: int


class InboxReader:
    """An inbox as it was when it was opened: what comes later is for the next run.

    Attributes:
        identity: Tells it from all others, and from itself once it was wiped.
        subscription: Whose deliveries it holds; None before `calendly-webhooks subscribe`.
        last: The last position.
        removed: The highest position that was removed; 0 for none.
        beat: When a receiver last ran (UTC, the inbox's clock); None if none ever did.
        settled: The last position that is an hour old: what came later may not show in the API yet.
    """

    def __init__(self, text: str) -> None:
        """Open the inbox at a URL, and read what it is.

        Raises:
            CalendlyError: There is none, or it cannot be read.
        """
        try:
            url = tables.url_of(text)
            file = tables.file_of(url)
            if file is not None and not file.exists():
                raise errors.CalendlyError(messages.INBOX_ABSENT)
            self._engine: Engine = tables.reading_engine(url)
            finalize(self, self._engine.dispose)
            with self.connection() as connection:
                self._read(connection)
        except (OSError, KeyError, ValueError, ModuleNotFoundError) as error:
            raise unreadable(error) from None

    def _read(self, connection: Connection) -> None:
        rows = connection.execute(select(FACTS.c.name, FACTS.c.value))
        facts: dict[str, str] = {row.name: row.value for row in rows}
        version = int(facts[tables.SCHEMA_VERSION])
        if version > tables.VERSION:
            raise errors.CalendlyError(messages.INBOX_FROM_LATER_VERSION)
        self.identity = facts[tables.IDENTITY]
        self.removed = int(facts.get(tables.REMOVED, 0))
        last = connection.execute(select(func.max(DELIVERIES.c.position))).scalar()
        self.last = max(last or 0, self.removed)
        noted, beat = facts.get(tables.SUBSCRIPTION), facts.get(tables.BEAT)
        self.subscription = None if noted is None else msgspec.json.decode(noted, type=Subscription)
        self.beat = None if beat is None else timestamps.parse(beat)
        self.settled = self.last if self.beat is None else self._settled(connection, self.beat)

    def _settled(self, connection: Connection, beat: datetime) -> int:
        older = DELIVERIES.c.received_at <= timestamps.in_request(beat - LAG)
        found = connection.execute(select(func.max(DELIVERIES.c.position)).where(older)).scalar()
        return max(found or 0, self.removed)

    def has_removed_after(self, position: int) -> bool:
        """Whether deliveries after a position were removed, perhaps since this was opened."""
        with self.connection() as connection:
            return _number(connection, tables.REMOVED) > position

    def has_gap_after(self, position: int) -> bool:
        """Whether no receiver ran for a while after a position was given out."""
        return self._last_of(DELIVERIES.c.id.is_(None), after=position) is not None

    def has_unclear_hint_after(self, position: int) -> bool:
        """Whether a delivery should have named a meeting, and does not."""
        unclear = DELIVERIES.c.scheduled_event_uri.is_(None)
        hints = DELIVERIES.c.event.in_(sorted(HINTS))
        return self._last_of(unclear, hints, after=position) is not None

    def has_delivery_after(self, position: int) -> bool:
        """Whether anything was delivered after a position was given out."""
        with self.connection() as connection:
            if _number(connection, tables.REMOVED_DELIVERY) > position:
                return True
        return self._last_of(DELIVERIES.c.id.is_not(None), after=position) is not None

    def is_recent(self, received: Received) -> bool:
        """Whether the API may still be behind a delivery."""
        return self.beat is None or self.beat - received.received_at < LAG

    def after(self, position: int, events: Collection[str] | None = None) -> Iterator[Received]:
        """Yield the deliveries after a position, in that order; of some events, or of all.

        Raises:
            CalendlyError: The inbox cannot be read any more.
        """
        wanted = [DELIVERIES.c.id.is_not(None), DELIVERIES.c.position <= self.last]
        if events is not None:
            wanted.append(DELIVERIES.c.event.in_(sorted(events)))
        query = select(DELIVERIES).where(*wanted).order_by(DELIVERIES.c.position).limit(AT_ONCE)
        while found := self._rows(query.where(DELIVERIES.c.position > position)):
            yield from found
            position = found[-1].position

    def about(self, invitees: Collection[str]) -> Iterator[Received]:
        """Yield all deliveries about some invitees, in the order of their positions."""
        uris = sorted(invitees)
        for first in range(0, len(uris), AT_ONCE):
            some = DELIVERIES.c.invitee_uri.in_(uris[first : first + AT_ONCE])
            known = DELIVERIES.c.position <= self.last
            query = select(DELIVERIES).where(some, known).order_by(DELIVERIES.c.position)
            yield from self._rows(query)

    def _last_of(self, *conditions: Any, after: int = 0) -> int | None:  # noqa: ANN401 - SQLAlchemy's
        """Return the last position of rows that meet conditions; None for no such row."""
        within = DELIVERIES.c.position.between(after + 1, self.last)
        query = select(func.max(DELIVERIES.c.position)).where(within, *conditions)
        with self.connection() as connection:
            found: int | None = connection.execute(query).scalar()
        return found

    def _rows(self, query: Any) -> list[Received]:  # noqa: ANN401 - SQLAlchemy's
        with self.connection() as connection:
            return [_received(row) for row in connection.execute(query)]

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Read in a transaction.

        Raises:
            CalendlyError: The inbox cannot be read any more.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise unreadable(error) from None


def unreadable(error: Exception) -> errors.CalendlyError:
    """Report that an inbox cannot be read or written; SQLite's own words hold no secrets."""
    cause = getattr(error, "orig", None) or error
    said = str(cause) if isinstance(cause, sqlite3.Error) else type(cause).__name__
    return errors.CalendlyError(messages.INBOX_UNREADABLE, kind=said)


def _number(connection: Connection, name: str) -> int:
    value = connection.execute(select(FACTS.c.value).where(FACTS.c.name == name)).scalar()
    return int(value or 0)


def _received(row: Any) -> Received:  # noqa: ANN401 - SQLAlchemy's
    delivery = Delivery(
        row.id, row.event, row.created_at, row.scheduled_event_uri, row.invitee_uri, row.body
    )
    return Received(row.position, timestamps.parse(row.received_at), delivery)
