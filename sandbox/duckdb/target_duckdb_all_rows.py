"""target-duckdb, keeping the first row of every batch.

target-duckdb 0.8.0 copies CSV files that have no header line and leaves it to DuckDB to see that.
DuckDB 1.3 and later takes the first row for a header when a timestamp in it ends in Z, and drops
it. target-duckdb has mended this after 0.8.0: with its next release, this can go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import target_duckdb

if TYPE_CHECKING:
    import duckdb


class Headless:
    """A connection to DuckDB that says of every CSV file it copies that it has no header."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Stand before a connection.

        Args:
            connection: What executes the statements.
        """
        self._connection = connection

    def execute(self, statement: str, *parameters: Any) -> duckdb.DuckDBPyConnection:  # noqa: ANN401 - DuckDB's own
        """Execute a statement, with the option where it copies a file."""
        statement = re.sub(r"^(COPY .* FROM .* WITH \()", r"\1header false, ", statement)
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        """Leave everything else to the connection."""
        return getattr(self._connection, name)


def main() -> None:
    """Run target-duckdb with such a connection."""
    connect = target_duckdb.duckdb_connect
    target_duckdb.duckdb_connect = lambda config: Headless(connect(config))
    target_duckdb.main()
