"""Reads from DuckDB or PostgreSQL."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from report.answer import Rows


POSTGRES = re.compile(r"\s*postgres(ql)?(\+\w+)?:", re.IGNORECASE)
"""How a URL begins; SQLAlchemy's name a driver, which libpq does not know."""

NOT_BUILT = (
    duckdb.CatalogException,
    duckdb.BinderException,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)
"""What is raised if a model or a column of it is missing."""


class UnreadableError(Exception):
    """The database cannot be read; the message says why, in one line."""


class Cursor(Protocol):
    """What the drivers of both databases have in common."""

    @property
    def description(self) -> Sequence[Any] | None:
        """The columns of the result; each begins with its name."""

    def execute(self, query: Any, /) -> object:  # noqa: ANN401 - psycopg wants literal strings
        """Run a query."""

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        """Return its rows."""


@contextmanager
def opened(database: str) -> Iterator[Cursor]:
    """Open a database, to read from it only.

    Args:
        database: The path of a DuckDB file, or the URL or connection string of a PostgreSQL
            database.

    Yields:
        A cursor.

    Raises:
        UnreadableError: It cannot be opened; what may be a password is not in the message.
    """
    postgres = _connection_string(database)
    try:
        connection = (
            duckdb.connect(database, read_only=True) if postgres is None else _postgres(postgres)
        )
    except psycopg.Error as error:
        # What is quoted there may be a part of the password, if the URL is mistyped.
        reason = re.sub("[\"'].*", "…", _first_line(error).rpartition(" failed: ")[2])
        message = f"cannot connect to PostgreSQL: {reason}"
        raise UnreadableError(message) from error
    except duckdb.Error as error:
        message = f"cannot open {database}: {_first_line(error)}"
        raise UnreadableError(message) from error
    with closing(connection):
        yield connection.cursor()


def source(database: str, cursor: Cursor) -> str:
    """Return how to call an open database: its file, or its name and host without a password."""
    if isinstance(cursor, psycopg.Cursor):
        info = cursor.connection.info
        return f"PostgreSQL database {info.dbname} on {info.host}"
    return database


def read(cursor: Cursor, query: str) -> Rows:
    """Return the rows of a query.

    Raises:
        UnreadableError: It fails, for example because a model is missing.
    """
    try:
        cursor.execute(query)
        rows = cursor.fetchall()
    except (duckdb.Error, psycopg.Error) as error:
        message = _first_line(error)
        if isinstance(error, NOT_BUILT):
            message += (
                "; run `make report` or `dbt build`, which build the models"
                if isinstance(error, duckdb.Error)
                else "; run `dbt build`, which builds the models"
            )
        raise UnreadableError(message) from error
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _connection_string(database: str) -> str | None:
    """Return what libpq connects to, or nothing if it is a file, which exists."""
    if scheme := POSTGRES.match(database):
        return f"postgresql:{database[scheme.end() :]}"
    if not database.strip():
        message = "--database is empty; name a DuckDB file or a postgresql:// URL"
        raise UnreadableError(message)
    try:
        Path(database).stat()
    except OSError as error:
        if "=" in database and "://" not in database:
            return database
        if ":" in database or "@" in database:  # there may be a password in it
            message = "--database is neither a DuckDB file nor a postgresql:// URL"
        elif isinstance(error, FileNotFoundError):
            message = f"there is no {database}; run `make sync` first, then `make report`"
        else:
            message = f"cannot open {database}: {error.strerror}"
        raise UnreadableError(message) from error
    return None


def _postgres(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, connect_timeout=10)
    connection.read_only = True
    return connection


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
