"""The tables of an inbox, and how its databases are connected to.

An inbox is two tables: the deliveries, in the order of their positions, and facts about the inbox
itself. SQLite and PostgreSQL hold the same.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tap_calendly import timestamps

VERSION = 1
"""The version of these tables; a higher one comes from a later version of the package."""

BUSY_SECONDS = 10
"""How long to wait for other writers, and for PostgreSQL to answer at all."""

METADATA = MetaData()

DELIVERIES = Table(
    "calendly_deliveries",
    METADATA,
    # Never used twice, even if the last row is removed.
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(64), unique=True),  # null marks a gap, as `event` and the others are then
    Column("event", Text),
    Column("created_at", Text),
    Column("received_at", Text, nullable=False, index=True),
    Column("scheduled_event_uri", Text, index=True),
    Column("invitee_uri", Text, index=True),
    Column("body", Text),
    sqlite_autoincrement=True,
)
"""What was delivered, and a row without an `id` after each gap in which no receiver ran."""

FACTS = Table(
    "calendly_inbox",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the inbox, by name: see `IDENTITY` and the other names here."""

IDENTITY = "identity"
"""Made up when the inbox was created: a wiped or replaced inbox has another."""

SCHEMA_VERSION = "schema_version"

SUBSCRIPTION = "subscription"
"""The webhook subscription whose deliveries these are: JSON (see `reader.Subscription`)."""

REMOVED = "removed"
"""The highest position that was removed."""

REMOVED_DELIVERY = "removed_delivery"
"""The highest position of a delivery that was removed: it may have marked a gap instead."""

BEAT = "beat"
"""When a receiver last said that it runs: ISO 8601, UTC, by the receiver's clock."""

REFUSED = "refused"
"""How many deliveries were refused: a fact for each hour and reason, `refused HOUR REASON`."""


def url_of(text: str) -> URL:
    """Parse the setting `inbox_url`.

    Raises:
        ValueError: It is no URL of SQLite with a file, or of PostgreSQL.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise ValueError from None  # the text may hold a password
    backend, _, driver = url.drivername.partition("+")
    if backend in {"postgresql", "postgres"} and driver in {"", "psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and not driver and url.database not in {None, "", ":memory:"}:
        return url
    raise ValueError


def refused_at(time: datetime) -> str:
    """Return how the names of the facts about deliveries refused in an hour begin."""
    return f"{REFUSED} {timestamps.in_request(time)[: len('2026-03-04T09')]}"


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def log_of(file: Path) -> Path:
    """Return where SQLite keeps what is committed, but not yet in the file itself."""
    return file.with_name(f"{file.name}-wal")


def writing_engine(url: URL) -> Engine:
    """Return an engine whose commits last, and which waits for other writers, but not for ever."""
    if file_of(url) is None:
        engine = _postgres(url)
        event.listen(engine, "connect", _configure_postgres)
        return engine
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:  # noqa: ANN401 - of whatever driver
        connection.isolation_level = None  # `BEGIN` is ours to write
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is removed is personal data

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reading_engine(url: URL) -> Engine:
    """Return an engine that neither creates nor changes anything."""
    if (file := file_of(url)) is None:
        return _postgres(url).execution_options(postgresql_readonly=True)
    # Connected anew for each transaction: what the log of a receiver adds is never missed.
    return create_engine("sqlite://", creator=partial(_reading, file), poolclass=NullPool)


def _reading(file: Path) -> sqlite3.Connection:
    """Connect to a SQLite file, whatever its receiver does or did, and whatever we may do."""
    if log_of(file).exists() or (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        # Not `ro`, as that could not read what a receiver that was killed left in its log.
        query = "mode=rw"
    else:
        # SQLite would want to write a log, or leave one behind that the receiver cannot write.
        query = "mode=ro&immutable=1"
    uri = f"{file.absolute().as_uri()}?{query}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _postgres(url: URL) -> Engine:
    connect = {
        "connect_timeout": BUSY_SECONDS,
        "keepalives_idle": BUSY_SECONDS,
        "tcp_user_timeout": BUSY_SECONDS * 1000,  # else a machine that is gone is waited for
    }
    return create_engine(
        url, pool_pre_ping=True, connect_args=connect, isolation_level="READ COMMITTED"
    )


def _configure_postgres(connection: Any, _: object) -> None:  # noqa: ANN401 - of whatever driver
    # Whatever is the default of the database or the role.
    for name, value in (("synchronous_commit", "on"), ("lock_timeout", f"{BUSY_SECONDS}s")):
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.commit()
