"""target-duckdb, keeping the first row of every batch, and rows of any length.

target-duckdb 0.8.0 copies CSV files that have no header line and leaves it to DuckDB to see that.
DuckDB 1.3 and later takes the first row for a header when a timestamp in it ends in Z, and drops
it, which target-duckdb has mended after 0.8.0: with its next release, that can go. DuckDB also
refuses a line beyond 2 MB, which a meeting with long notes fills.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import target_duckdb

if TYPE_CHECKING:
    import duckdb


OPTIONS = "header false, max_line_size 134217728"
"""128 MiB: Meltano passes on messages of up to 50."""


class Headless:
    """A connection to DuckDB that says of every CSV file it copies what its lines are."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Stand before a connection.

        Args:
            connection: What executes the statements.
        """
        self._connection = connection

    def execute(self, statement: str, *parameters: Any) -> duckdb.DuckDBPyConnection:  # noqa: ANN401 - DuckDB's own
        """Execute a statement, with the options where it copies a file."""
        statement = re.sub(r"^(COPY .* FROM .* WITH \()", rf"\1{OPTIONS}, ", statement)
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        """Leave everything else to the connection."""
        return getattr(self._connection, name)


def main() -> None:
    """Run target-duckdb with such a connection."""
    connect = target_duckdb.duckdb_connect
    target_duckdb.duckdb_connect = lambda config: Headless(connect(config))
    target_duckdb.main()
