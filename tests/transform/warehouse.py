"""Databases that the tap loads through a target, and in which the questions are asked."""

from __future__ import annotations

import json
import os
import subprocess
from abc import ABC, abstractmethod
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
import psycopg
from typing_extensions import override

from tests.documents.generated import ROOT
from tests.pipelines.pipeline import sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.singer import Run
    from tests.transform.answers import Answer


class Database(ABC):
    """A database with what the tap has read.

    Attributes:
        adapter: dbt's name for its kind.
        target: The program that loads it.
        schema: The schema that the target loads into.
        keeps: The streams whose rows it keeps when they vanish from Calendly; None for all.
        environment: Where it is, as dbt's profile reads it.
    """

    adapter: ClassVar[str]
    target: ClassVar[str]
    schema: ClassVar[str]
    keeps: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, folder: Path, environment: Mapping[str, str], **settings: object) -> None:
        """Start empty; `settings` are the target's."""
        self.environment = environment
        self.folder = folder
        self._config = folder / f"{self.target}.json"
        self._config.write_text(json.dumps(settings))

    def load(self, run: Run) -> None:
        """Load what a run of the tap wrote."""
        loader = ROOT / ".meltano" / "loaders" / f"target-{self.adapter}" / "venv" / "bin"
        result = subprocess.run(  # noqa: S603 - our own target
            [loader / self.target, "--config", self._config],
            env={**os.environ, "PGTZ": "UTC"},
            input="".join(f"{json.dumps(message)}\n" for message in run.messages),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, result.stdout

    def ask(self, query: str, zone: str = "UTC") -> tuple[str, Answer]:
        """Return the columns and rows of a query's result, from a session in a time zone."""
        columns, rows = self._ask(f"SET TimeZone = '{zone}'", query)
        return ", ".join(columns), [tuple(map(_exact, row)) for row in rows]

    def rows(self, table: str, zone: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return a table's columns and rows, in some order that is the same in all databases."""
        columns, rows = self._ask(f"SET TimeZone = '{zone}'", f"SELECT * FROM {table}")  # noqa: S608
        return columns, sorted(rows, key=str)

    def tables(self, schema: str) -> list[str]:
        """Return the names of a schema's tables and views."""
        query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"  # noqa: S608
        return sorted(str(name) for (name,) in self.ask(query)[1])

    @contextmanager
    def without(self, names: Sequence[str]) -> Iterator[None]:
        """Hide tables and columns (`table.column`) of the tap by renaming them."""
        for name in names:
            self._rename(name, f"hidden_{name.rpartition('.')[2]}")
        try:
            yield
        finally:
            for name in names:
                before, dot, last = name.rpartition(".")
                self._rename(f"{before}{dot}hidden_{last}", last)

    def _rename(self, name: str, new: str) -> None:
        table, _, column = name.partition(".")
        what = f'RENAME COLUMN "{column}" TO "{new}"' if column else f'RENAME TO "{new}"'
        self.execute(f'ALTER TABLE {self.schema}."{table}" {what}')

    def multiply(self, copies: int) -> None:
        """Add so many copies of each meeting with its invitees, under URIs of their own."""
        own = {"scheduled_events": ("uri",), "event_invitees": ("uri", "event_uri", "old_invitee")}
        for table, uris in own.items():
            columns, _ = self.rows(f"{self.schema}.{table} LIMIT 0", "UTC")
            copied = [
                f"\"{name}\" || '-' || copy" if name in uris else f'"{name}"' for name in columns
            ]
            self.execute(
                f"INSERT INTO {self.schema}.{table} SELECT {', '.join(copied)} "  # noqa: S608
                f"FROM {self.schema}.{table}, generate_series(1, {copies}) AS copies (copy)"
            )

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Change something."""

    @abstractmethod
    def _ask(self, setting: str, query: str) -> tuple[list[str], Sequence[tuple[Any, ...]]]: ...


class DuckDB(Database):
    """A DuckDB file."""

    adapter, target, schema = "duckdb", "target-duckdb-all-rows", "main"

    def __init__(self, folder: Path) -> None:
        """Start with no file yet."""
        self._file = str(folder / "calendly.duckdb")
        environment = {"TARGET_DUCKDB_FILEPATH": self._file}
        super().__init__(folder, environment, filepath=self._file, default_target_schema="main")

    @override
    def execute(self, statement: str) -> None:
        with duckdb.connect(self._file) as database:
            database.execute(statement)

    @override
    def _ask(self, setting: str, query: str) -> tuple[list[str], Sequence[tuple[Any, ...]]]:
        with duckdb.connect(self._file, read_only=True) as database:
            database.execute(setting)
            relation = database.sql(query)
            return relation.columns, relation.fetchall()


class Postgres(Database):
    """A PostgreSQL database."""

    adapter, target, schema = "postgres", "target-postgres", "calendly"
    keeps = ("scheduled_events", "event_invitees", "event_types", "routing_form_submissions")

    def __init__(self, folder: Path, address: str) -> None:
        """Start with the empty database at `address`."""
        self._address = address
        parts = psycopg.conninfo.conninfo_to_dict(address)
        names = {"HOST": "host", "PORT": "port", "USER": "user", "DATABASE": "dbname"}
        environment = {
            "TARGET_POSTGRES_PASSWORD": "none is asked for",
            **{
                f"TARGET_POSTGRES_{name}": str(parts[part])
                for name, part in names.items()
                if part in parts
            },
        }
        super().__init__(
            folder,
            environment,
            sqlalchemy_url=sqlalchemy(address),
            default_target_schema="calendly",
        )

    @override
    def execute(self, statement: str) -> None:
        with psycopg.connect(self._address) as database:
            database.execute(statement.encode())

    @override
    def _ask(self, setting: str, query: str) -> tuple[list[str], Sequence[tuple[Any, ...]]]:
        with psycopg.connect(self._address) as database:
            database.execute(setting.encode())
            cursor = database.execute(query.encode())
            return [one.name for one in cursor.description or ()], cursor.fetchall()


def _exact(value: object) -> object:
    """Return a value as answers have it, a float as a decimal; fail if it is of another type."""
    if isinstance(value, float):
        return Decimal(str(value))
    assert not isinstance(value, datetime), "a day is a date"
    assert value is None or isinstance(value, int | str | date | Decimal), type(value)
    return value
