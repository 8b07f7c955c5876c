"""The pipelines into DuckDB, PostgreSQL and JSONL: their tables equal Calendly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest

from sandbox.http.faults import Fault
from tap_calendly.timestamps import parse
from tests.documents import DOCS, ROOT
from tests.pipeline import (
    BIN,
    Project,
    in_duckdb,
    in_postgres,
    open_duckdb,
    sqlalchemy,
    typed,
    without_empty_strings,
)
from tests.singer import STREAMS, Tables, digest_of, key_of, truth

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock


@pytest.fixture
def project(tmp_path: Path, large_sandbox: Sandbox) -> Project:
    return Project(tmp_path, large_sandbox)


def test_duckdb_equals_calendly_field_by_field(
    project: Project, large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    project.run("target-duckdb")
    first = in_duckdb(project)
    assert len(first["scheduled_events"]) == 300
    assert first == without_empty_strings(typed(_core(large_sandbox)))

    log = project.run("target-duckdb")
    assert in_duckdb(project) == first
    assert "event_types: 0 rows, 1 request" in log  # it continues from the state of the first

    _live_on(large_sandbox, clock)
    project.run("target-duckdb")
    assert in_duckdb(project) == without_empty_strings(typed(_core(large_sandbox)))


def test_duckdb_has_keys_and_columns_to_work_with(project: Project) -> None:
    project.run("target-duckdb")

    with open_duckdb(project) as database:
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
    address = sqlalchemy(postgres)
    schema = "equals"
    load = {
        "TARGET_POSTGRES_SQLALCHEMY_URL": address,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }

    project.run("target-postgres", **load)
    first = in_postgres(postgres, schema)
    assert len(first["scheduled_events"]) == 300
    assert first == typed(_core(large_sandbox))

    project.run("target-postgres", **load)
    assert in_postgres(postgres, schema) == first

    _live_on(large_sandbox, clock)
    members = large_sandbox.calendly.memberships
    left = next(uri for uri, row in members.items() if row["role"] == "user")
    large_sandbox.calendly.remove_member(user=members[left]["user"]["uri"])
    project.run("target-postgres", **load)
    assert in_postgres(postgres, schema) == typed(_core(large_sandbox))
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
        "TARGET_POSTGRES_SQLALCHEMY_URL": sqlalchemy(postgres),
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "everything",
        "TAP_CALENDLY__SELECT": '["*.*"]',
    }

    project.run("target-postgres", **load)
    _live_on(large_sandbox, clock)
    calendly.delete_group(group=next(iter(calendly.groups)))
    calendly.invite(email="new@example.com")
    project.run("target-postgres", **load)

    expected = typed(truth(large_sandbox) | _costly(large_sandbox, clock.now()))
    for name, rows in typed(_costly(large_sandbox, clock.now())).items():
        expected[name] = {key_of(name, row): row for row in rows.values()}
    assert in_postgres(postgres, "everything") == expected
    assert all(expected.values())


def test_postgres_has_keys_and_columns_to_work_with(project: Project, postgres: str) -> None:
    project.run(
        "target-postgres",
        TARGET_POSTGRES_SQLALCHEMY_URL=sqlalchemy(postgres),
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


def test_only_some_streams_or_columns_are_loaded_as_the_recipe_says(
    project: Project, large_sandbox: Sandbox
) -> None:
    recipes, heading = DOCS / "recipes.md", "\n## Only some streams or columns\n"
    block = recipes.read_text("utf-8").split(heading)[1].split("```")[1].removeprefix("shell")
    del project.environment["TAP_CALENDLY__SELECT"]
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])

    project.command(["sh", "-euc", block], PATH=path)
    project.run("target-jsonl")

    files = (project.folder / "output").glob("*.jsonl")
    lines = {file.stem: file.read_text("utf-8").splitlines() for file in files}
    columns = set().union(*map(json.loads, lines["event_invitees"]))
    expected = truth(large_sandbox)["scheduled_events"]
    assert lines.keys() == {"scheduled_events", "event_invitees"}
    assert len(lines["scheduled_events"]) == len(expected)
    assert "cancel_url" in columns
    assert "tracking" not in columns


def test_the_main_job_without_a_token_says_so_and_loads_the_demo_organization(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path, None)

    printed = project.command([sys.executable, "-m", "sandbox.demo.sync"], PYTHONPATH=str(ROOT))

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


def test_what_does_not_fail_is_loaded_and_the_next_run_loads_the_rest(
    project: Project, large_sandbox: Sandbox
) -> None:
    large_sandbox.faults.add(Fault("/event_types", status=400, times=None))

    with pytest.raises(AssertionError, match="event_types: Calendly answered 400 to GET"):
        project.run("target-duckdb")

    expected = without_empty_strings(typed(_core(large_sandbox)))
    assert in_duckdb(project) == {**expected, "event_types": {}}
    large_sandbox.faults.clear()
    large_sandbox.forget_requests()
    project.run("target-duckdb")
    assert in_duckdb(project) == expected
    read = large_sandbox.requests_by_path()["/scheduled_events/{uuid}/invitees"]
    assert read < len(large_sandbox.calendly.events) / 4


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


def _number(cursor: psycopg.Cursor[Any]) -> int:
    (number,) = cursor.fetchone() or (None,)
    return int(str(number))
