"""Pipelines as a data engineer runs them: Meltano into real DuckDB and PostgreSQL databases.

Each Meltano project has its own folder, with this project's `meltano.yml` and the plugins that
`make test` installed, so that no state, file or `.env` of the checkout is used.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg

from tap_calendly.timestamps import parse
from tests.documents.generated import ROOT, SNAPSHOTS
from tests.singer import (
    NOT_BY_DEFAULT,
    STREAMS,
    Row,
    Tables,
    digest_of,
    fixture_rows,
    key_of,
    truth,
)

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.clock import SimulatedClock

BIN = Path(sys.executable).parent


class Project:
    """A Meltano project with its own folder and state."""

    def __init__(self, folder: Path, sandbox: Sandbox | None) -> None:
        """Set up the project.

        Args:
            folder: An empty folder.
            sandbox: Stands in for Calendly; None to set no token.
        """
        self.folder = folder
        shutil.copy(ROOT / "meltano.yml", folder)
        (folder / ".meltano").mkdir()
        (folder / "output").mkdir()
        for plugins in ("extractors", "loaders", "utilities"):
            (folder / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
        (folder / "transform").symlink_to(ROOT / "transform")
        self.environment = {
            **{name: value for name, value in os.environ.items() if "CALENDLY" not in name},
            "NO_COLOR": "1",
            "TAP_CALENDLY__SELECT": json.dumps([f"{stream}.*" for stream in STREAMS]),
        }
        if sandbox is not None:
            self.environment["TAP_CALENDLY_API_URL"] = sandbox.url
            self.environment["TAP_CALENDLY_PERSONAL_ACCESS_TOKEN"] = sandbox.token

    def run(self, target: str, **settings: str) -> str:
        """Run the pipeline into a target, and return its log."""
        return self.command(
            [BIN / "meltano", "run", "--no-install", "tap-calendly", target], **settings
        )

    def command(self, command: list[str | Path], **settings: str) -> str:
        """Run a command in the project, and return its output."""
        result = subprocess.run(  # noqa: S603 - our own Meltano
            command,
            cwd=self.folder,
            env={**self.environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout


def typed(tables: Tables) -> Tables:
    """Return the rows as a database returns them: with timestamps, and null for missing fields."""
    schemas = {
        file.stem: json.loads(file.read_text("utf-8"))["schema"]["properties"]
        for file in SNAPSHOTS.glob("*.json")
    }
    return {
        name: {
            uri: {
                column: parse(row[column])
                if schema.get("format") == "date-time" and row.get(column) is not None
                else row.get(column)
                for column, schema in schemas[name].items()
            }
            for uri, row in rows.items()
        }
        for name, rows in tables.items()
    }


def without_empty_strings(tables: Tables) -> Tables:
    """Return the rows as target-duckdb writes them: through CSV, which has no empty strings."""
    return {
        name: {
            uri: {column: None if value == "" else value for column, value in row.items()}
            for uri, row in rows.items()
        }
        for name, rows in tables.items()
    }


def in_duckdb(project: Project) -> Tables:
    """Return the rows of every table in a project's DuckDB file."""
    tables: Tables = {}
    with open_duckdb(project) as database:
        for (name,) in database.sql("SHOW TABLES").fetchall():
            relation = database.sql(f'SELECT * FROM "{name}"')  # noqa: S608
            as_json = [kind == "JSON" for kind in relation.types]
            rows = [
                {
                    str(column): json.loads(value)
                    if parse and value is not None
                    else _in_utc(value)
                    for column, value, parse in zip(relation.columns, row, as_json, strict=True)
                }
                for row in relation.fetchall()
            ]
            tables[str(name)] = {key_of(str(name), row): row for row in rows}
    return tables


def in_postgres(address: str, schema: str) -> Tables:
    """Return the rows of every table in a schema that are not marked as deleted."""
    tables: Tables = {}
    with psycopg.connect(address, row_factory=psycopg.rows.dict_row) as database:
        names = database.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema]
        ).fetchall()
        for name in (row["table_name"] for row in names):
            query = psycopg.sql.SQL("SELECT * FROM {} WHERE _sdc_deleted_at IS NULL").format(
                psycopg.sql.Identifier(schema, name)
            )
            rows: list[Row] = [
                {str(column): _in_utc(value) for column, value in row.items() if column[0] != "_"}
                for row in database.execute(query)
            ]
            tables[str(name)] = {key_of(str(name), row): row for row in rows}
    return tables


def _in_utc(value: object) -> object:
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def open_duckdb(project: Project, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """Open a project's DuckDB file."""
    return duckdb.connect(str(project.folder / "output" / "calendly.duckdb"), read_only=read_only)


def sqlalchemy(address: str) -> str:
    """Return a database URL as target-postgres expects it."""
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def into_postgres(address: str, schema: str) -> dict[str, str]:
    """Return the settings that make target-postgres load into a schema."""
    return {
        "TARGET_POSTGRES_SQLALCHEMY_URL": sqlalchemy(address),
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }


@dataclass
class Loaded:
    """What a database holds after a first run, and after a second one a day later.

    Attributes:
        first: The tables after the first run.
        first_expected: The tables as they should be then.
        second: The tables after the second run.
        second_expected: The tables as they should be then.
        second_log: The log of the second run.
    """

    first: Tables
    first_expected: Tables
    second: Tables
    second_expected: Tables
    second_log: str


def core(sandbox: Sandbox) -> Tables:
    """Return the expected tables of the core streams."""
    expected = truth(sandbox)
    return {stream: expected[stream] for stream in STREAMS}


def off_by_default(calendly: Calendly) -> Tables:
    """Return the expected tables of the streams that are off by default."""
    rows = calendly.more_truth()
    soon = calendly.clock.now() + timedelta(minutes=1)
    busy = [
        {"user_uri": member["user"]["uri"], **row}
        for member in calendly.memberships.values()
        for row in calendly.busy(member["user"]["uri"], soon, soon + timedelta(days=7))
    ]
    for row in busy:
        visible = {name: value for name, value in row.items() if name != "user_uri"}
        row["id"] = digest_of(visible)
    found = {
        **{name: each for name, each in fixture_rows().items() if name in NOT_BY_DEFAULT},
        "meeting_recap_transcripts": [
            {**row, "recap_uri": recap["uri"], "recap_updated_at": recap["updated_at"]}
            for row in rows["meeting_recap_transcripts"]
            for recap in rows["meeting_recaps"]
            if recap["transcript"] == row["uri"]
        ],
        "notes": rows["notes"],
        "user_locations": [{"user_uri": row.pop("user"), **row} for row in rows["user_locations"]],
        "user_busy_times": busy,
        "event_type_available_times": [
            {"event_type_uri": uri, **row}
            for uri, event_type in calendly.event_types.items()
            if event_type["deleted_at"] is None
            for row in calendly.openings(uri, soon, soon + timedelta(days=31))
        ],
    }
    return {name: {key_of(name, row): row for row in each} for name, each in found.items()}


def let_a_day_pass(calendly: Calendly, clock: SimulatedClock) -> None:
    """Let a day pass with changes of every kind."""
    clock.advance(timedelta(days=1))
    upcoming = [
        event
        for event in calendly.events.values()
        if event["status"] == "active" and parse(event["start_time"]) > clock.now()
    ]
    solo = [event for event in upcoming if event["invitees_counter"]["limit"] == 1]
    recent = clock.now() - timedelta(days=6)
    past = [
        invitee
        for event in calendly.events.values()
        if event["status"] == "active" and recent < parse(event["end_time"]) < clock.now()
        for invitee in calendly.invitees[event["uri"]]
        if invitee["status"] == "active" and invitee["no_show"] is None
    ]
    calendly.cancel(event=solo[0]["uri"], by="host", reason='Ill; "back" on Monday,\nsorry')
    calendly.reschedule(
        invitee=calendly.invitees[solo[1]["uri"]][0]["uri"], start=clock.now() + timedelta(days=3)
    )
    calendly.mark_no_show(invitee=past[0]["uri"])
    calendly.edit_notes(event=past[1]["event"], plain='1st line\n2nd, "quoted"\r\n\t3rd 😀 שלום')
    calendly.edit_event_type(uri=next(iter(calendly.event_types)), name="Renamed")
    calendly.add_member(name="Zoë", email="zoe@example.com")
