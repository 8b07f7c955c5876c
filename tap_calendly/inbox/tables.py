"""The tables of an inbox, and how its databases are connected to.

An inbox is two tables: the deliveries, in the order of their positions, and facts about the inbox
itself. SQLite and PostgreSQL hold the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

VERSION = 1
"""The version of these tables; a higher one comes from a later version of the package."""

BUSY_SECONDS = 10
"""How long to wait for SQLite's other writers, and for a connection to PostgreSQL."""

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
"""The webhook subscription whose deliveries these are: a JSON object (see `inbox.Subscription`)."""

REMOVED = "removed"
"""The highest position that was removed."""

BEAT = "beat"
"""When a receiver last said that it runs: ISO 8601, UTC, by the receiver's clock."""


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


def writing_engine(url: URL) -> Engine:
    """Return an engine whose transactions take SQLite's lock for writing at their beginning."""
    if url.get_backend_name() != "sqlite":
        return _postgres(url)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:  # noqa: ANN401 - of whatever driver
        connection.isolation_level = None  # `BEGIN` is ours to write
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reading_engine(url: URL) -> Engine:
    """Return an engine that neither creates nor changes anything."""
    if url.get_backend_name() != "sqlite":
        return _postgres(url).execution_options(postgresql_readonly=True)
    file = Path(str(url.database)).absolute().as_uri()
    # Not `mode=ro`, as that could not read what a receiver that was killed left in its log.
    read = url.set(database=file, query={"mode": "rw", "uri": "true"})
    engine = create_engine(read, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:  # noqa: ANN401 - of whatever driver
        connection.execute("PRAGMA query_only = ON")

    return engine


def _postgres(url: URL) -> Engine:
    connect = {"connect_timeout": BUSY_SECONDS}
    return create_engine(url, pool_pre_ping=True, connect_args=connect)
