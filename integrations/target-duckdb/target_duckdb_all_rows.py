"""target-duckdb that keeps the first row of every batch, and rows longer than 2 MB.

target-duckdb 0.8.0 copies CSV files without a header line, and does not tell DuckDB so. DuckDB 1.3
and later takes the first row for a header if a timestamp in it ends in Z, and drops it. Releases
after 0.8.0 fix this. DuckDB also rejects lines beyond 2 MB, which a meeting with long notes can
have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import target_duckdb

if TYPE_CHECKING:
    import duckdb


OPTIONS = "header false, max_line_size 134217728"
"""128 MiB, as Meltano passes on messages of up to 50 MiB."""


class PatchedConnection:
    """A connection to DuckDB that adds the options whenever it copies a CSV file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wrap ``connection``."""
        self._connection = connection

    def execute(self, statement: str, *parameters: Any) -> duckdb.DuckDBPyConnection:  # noqa: ANN401 - DuckDB's own
        """Execute a statement; add the options if it copies a file."""
        statement = re.sub(r"^(COPY .* FROM .* WITH \()", rf"\1{OPTIONS}, ", statement)
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        """Pass everything else on."""
        return getattr(self._connection, name)


def main() -> None:
    """Run target-duckdb with patched connections."""
    connect = target_duckdb.duckdb_connect
    target_duckdb.duckdb_connect = lambda config: PatchedConnection(connect(config))
    target_duckdb.main()
