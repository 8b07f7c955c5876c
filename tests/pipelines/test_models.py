"""Pipelines that build the models once the tables are loaded, as jobs and schedules do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.documents.generated import ROOT
from tests.pipelines.pipeline import BIN, Project, into_postgres, open_duckdb

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox

pytestmark = pytest.mark.exhaustive

BOOKINGS = "SELECT count(*) FROM calendly_analytics.calendly__bookings"


@pytest.mark.xdist_group("duckdb")
def test_one_command_loads_duckdb_and_builds_the_models(
    tmp_path: Path, busy_sandbox: Sandbox
) -> None:
    project = Project(tmp_path, busy_sandbox)

    log = project.command(
        [
            BIN / "meltano",
            "run",
            "--no-install",
            "tap-calendly",
            "target-duckdb",
            "dbt-duckdb:build",
        ]
    )

    assert "Completed successfully" in log
    with open_duckdb(project) as database:
        assert database.execute(BOOKINGS).fetchall() > [(100,)]


@pytest.mark.xdist_group("duckdb")
def test_make_report_builds_the_models_whatever_dbt_project_the_user_has(
    tmp_path: Path, busy_sandbox: Sandbox
) -> None:
    project = Project(tmp_path, busy_sandbox)
    project.run("target-duckdb")

    said = project.command(
        [sys.executable, "-m", "report.dbt"],
        PYTHONPATH=str(ROOT),
        DBT_PROFILES_DIR=str(tmp_path),
        DBT_PROJECT_DIR=str(tmp_path),
        DBT_TARGET="prod",
    )

    assert said == ""
    with open_duckdb(project) as database:
        assert database.execute(BOOKINGS).fetchall() > [(100,)]


@pytest.mark.xdist_group("postgres")
def test_the_schedule_of_the_models_loads_postgres_and_builds_them(
    tmp_path: Path, busy_sandbox: Sandbox, postgres: str
) -> None:
    project = Project(tmp_path, busy_sandbox)
    parts = psycopg.conninfo.conninfo_to_dict(postgres)

    log = project.command(
        [BIN / "meltano", "schedule", "run", "calendly-models-hourly"],
        **into_postgres(postgres, "calendly"),
        TARGET_POSTGRES_HOST=str(parts["host"]),
        TARGET_POSTGRES_USER=str(parts["user"]),
        TARGET_POSTGRES_DATABASE=str(parts["dbname"]),
    )

    assert "Completed successfully" in log
    with psycopg.connect(postgres) as database:
        assert database.execute(BOOKINGS).fetchall() > [(100,)]


@pytest.mark.xdist_group("duckdb")
def test_a_failed_test_of_the_models_fails_the_run(tmp_path: Path, busy_sandbox: Sandbox) -> None:
    """And names what is wrong."""
    project = Project(tmp_path, busy_sandbox)
    project.run("target-duckdb")
    with open_duckdb(project, read_only=False) as database:
        database.execute("ALTER TABLE event_types RENAME COLUMN uri TO was_uri")
        database.execute("ALTER TABLE event_types ADD COLUMN uri VARCHAR")

    with pytest.raises(AssertionError, match="not_null_stg_calendly__event_types_event_type_uri"):
        project.command([BIN / "meltano", "run", "--no-install", "dbt-duckdb:build"])
