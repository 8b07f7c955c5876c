"""Writes an inbox: `calendly-webhooks` alone does.

A position, once committed, never appears below one that was visible before. Every transaction that
gives positions out waits for the one before it to be committed: in PostgreSQL it locks the row with
the inbox's identity, in SQLite it begins with the lock for writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from tap_calendly import timestamps
from tap_calendly.inbox import tables
from tap_calendly.inbox.delivery import Delivery
from tap_calendly.inbox.reader import Subscription, subscription_as_json, unreadable
from tap_calendly.inbox.tables import DELIVERIES, FACTS
from tap_calendly.reporting import errors, messages

LONGEST_PAUSE = timedelta(minutes=1)
"""After how long without a receiver's beat a gap is noted."""


class Store:
    """An inbox, created if there is none.

    All methods raise CalendlyError if the database refuses or does not answer.
    """

    def __init__(self, text: str) -> None:
        """Open the inbox at a URL."""
        try:
            self._engine = tables.writing_engine(tables.url_of(text))
            tables.METADATA.create_all(self._engine)
        except (SQLAlchemyError, ValueError, ModuleNotFoundError) as error:
            raise unreadable(error) from None
        with self._transaction() as connection:
            if _fact(connection, tables.IDENTITY) is None:
                _note(connection, tables.IDENTITY, uuid4().hex)
                _note(connection, tables.SCHEMA_VERSION, str(tables.VERSION))
            version = int(_fact(connection, tables.SCHEMA_VERSION) or 0)
            if version > tables.VERSION:
                raise errors.CalendlyError(messages.INBOX_FROM_LATER_VERSION)

    def add(self, delivery: Delivery, now: datetime) -> None:
        """Keep a delivery; an identical one is moved to a new position, as it is news again."""
        row = {
            "id": delivery.id,
            "event": delivery.event,
            "created_at": delivery.created_at,
            "received_at": timestamps.in_request(now),
            "scheduled_event_uri": delivery.scheduled_event_uri,
            "invitee_uri": delivery.invitee_uri,
            "body": delivery.body,
        }
        with self._transaction() as connection:
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id == delivery.id))
            connection.execute(insert(DELIVERIES).values(row))

    def beat(self, now: datetime) -> None:
        """Say that a receiver runs; after a pause, mark a gap: deliveries may have been missed."""
        with self._transaction() as connection:
            last = _fact(connection, tables.BEAT)
            if last is not None and abs(now - timestamps.parse(last)) > LONGEST_PAUSE:
                gap = {"received_at": timestamps.in_request(now)}
                connection.execute(insert(DELIVERIES).values(gap))
            _note(connection, tables.BEAT, timestamps.in_request(now))

    def note_subscription(self, uri: str, about: dict[str, str]) -> None:
        """Say whose deliveries these are from now on."""
        with self._transaction() as connection:
            last = connection.execute(select(func.max(DELIVERIES.c.position))).scalar() or 0
            since = max(last, int(_fact(connection, tables.REMOVED) or 0))
            subscription = subscription_as_json(Subscription(uri, about, since))
            _note(connection, tables.SUBSCRIPTION, subscription)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Write in a transaction that waits for all others."""
        first = select(FACTS.c.value).where(FACTS.c.name == tables.IDENTITY).with_for_update()
        try:
            with self._engine.begin() as connection:
                connection.execute(first)
                yield connection
        except SQLAlchemyError as error:
            raise unreadable(error) from None


def _fact(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(
        select(FACTS.c.value).where(FACTS.c.name == name)
    ).scalar()
    return value


def _note(connection: Connection, name: str, value: str) -> None:
    changed = connection.execute(update(FACTS).where(FACTS.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(FACTS).values(name=name, value=value))
