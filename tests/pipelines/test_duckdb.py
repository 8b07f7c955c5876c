"""The pipeline into DuckDB: its tables equal Calendly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipelines.pipeline import (
    Loaded,
    Project,
    core,
    in_duckdb,
    let_a_day_pass,
    open_duckdb,
    typed,
    without_empty_strings,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock
    from tests.singer import Tables

pytestmark = pytest.mark.xdist_group("duckdb")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, busy_sandbox: Sandbox) -> Project:
    return Project(tmp_path_factory.mktemp("duckdb"), busy_sandbox)


@pytest.fixture(scope="module")
def loaded(pipeline: Project, busy_sandbox: Sandbox, busy_clock: SimulatedClock) -> Loaded:
    """The tables after two runs, a day apart."""
    pipeline.run("target-duckdb")
    first, first_expected = in_duckdb(pipeline), _expected(busy_sandbox)
    let_a_day_pass(busy_sandbox.calendly, busy_clock)
    log = pipeline.run("target-duckdb")
    return Loaded(first, first_expected, in_duckdb(pipeline), _expected(busy_sandbox), log)


def test_duckdb_equals_calendly_field_by_field(loaded: Loaded) -> None:
    assert len(loaded.first["scheduled_events"]) == 120
    assert loaded.first == loaded.first_expected


def test_duckdb_equals_calendly_after_a_day_and_a_second_run(
    loaded: Loaded,
) -> None:
    # One was renamed; meetings of two others changed.
    assert "event_types: 3 rows, 2 requests" in loaded.second_log
    assert loaded.second == loaded.second_expected
    assert loaded.second != loaded.first


@pytest.mark.usefixtures("loaded")
def test_duckdb_tables_have_primary_keys_and_fitting_column_types(pipeline: Project) -> None:
    with open_duckdb(pipeline) as database:
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
        (not_counts,) = database.sql(
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
    assert joined == invitees > 120
    assert not_counts == 0


@pytest.mark.exhaustive
def test_a_second_run_without_changes_leaves_duckdb_unchanged(
    tmp_path: Path, large_sandbox: Sandbox
) -> None:
    project = Project(tmp_path, large_sandbox)
    project.run("target-duckdb")
    first = in_duckdb(project)

    log = project.run("target-duckdb")

    assert in_duckdb(project) == first
    assert "event_types: 0 rows, 1 request" in log  # it continues from the first run's state


def _expected(sandbox: Sandbox) -> Tables:
    return without_empty_strings(typed(core(sandbox)))
