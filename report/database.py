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
        database: The path of a DuckDB file, or the URL of a PostgreSQL database.

    Yields:
        A cursor.

    Raises:
        UnreadableError: It cannot be opened.
    """
    is_url = database.startswith(("postgresql://", "postgres://"))
    if not is_url and not Path(database).exists():
        message = f"there is no {database}; run `make sync` first, then `make report`"
        raise UnreadableError(message)
    try:
        connection = _postgres(database) if is_url else duckdb.connect(database, read_only=True)
    except psycopg.Error as error:
        # What is quoted there may be a part of the password, if the URL is mistyped.
        reason = re.sub(r"""(["']).*?\1""", "…", _first_line(error))
        message = f"cannot connect to PostgreSQL: {reason}"
        raise UnreadableError(message) from error
    except duckdb.Error as error:
        message = f"cannot open {database}: {_first_line(error)}"
        raise UnreadableError(message) from error
    with closing(connection):
        yield connection.cursor()


def read(cursor: Cursor, query: str) -> Rows:
    """Return the rows of a query.

    Raises:
        UnreadableError: A table or a column is missing.
    """
    try:
        cursor.execute(query)
        rows = cursor.fetchall()
    except (duckdb.Error, psycopg.Error) as error:
        message = f"{_first_line(error)}; run `make report` or `dbt build`, which build the models"
        raise UnreadableError(message) from error
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _postgres(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, connect_timeout=10)
    connection.read_only = True
    return connection


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
