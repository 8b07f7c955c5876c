"""The twelve questions, asked in a database, have the answers that Calendly's records have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.documents import models
from tests.documents.generated import MODELS
from tests.transform import life
from tests.transform.answers import QUESTIONS
from tests.transform.conftest import Company
from tests.transform.dbt import TRANSFORM, Node
from tests.transform.warehouse import Database, DuckDB, Postgres

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("models")

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"


@pytest.fixture(scope="module")
def duckdb(eventful: Company, tmp_path_factory: pytest.TempPathFactory) -> DuckDB:
    """A DuckDB file with what the tap has loaded."""
    database = DuckDB(tmp_path_factory.mktemp("duckdb"))
    eventful.load(database)
    return database


@pytest.fixture(scope="module")
def nodes(eventful: Company, duckdb: DuckDB) -> dict[str, Node]:
    """What became of the models and their tests in that file."""
    return eventful.build(duckdb, NEW_YORK)


def test_all_models_are_built_and_pass_their_tests(nodes: dict[str, Node]) -> None:
    assert len(nodes) > 20
    assert not {name: node for name, node in nodes.items() if node.failed}


@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_one_in_the_records(
    question: str, eventful: Company, duckdb: DuckDB
) -> None:
    columns, rows = duckdb.ask(_query(question), NEW_YORK)

    assert columns == QUESTIONS[question].columns
    assert rows == QUESTIONS[question].answer(eventful.meaning(NEW_YORK))


@pytest.mark.usefixtures("nodes")
def test_every_delivery_is_a_change(eventful: Company, duckdb: DuckDB) -> None:
    _, found = duckdb.ask("SELECT delivery_id FROM calendly_analytics.calendly__changes")

    assert len(found) == len(eventful.calendly.announcements) > 100


@pytest.mark.usefixtures("nodes")
def test_the_list_and_the_diagram_of_models_in_the_docs_match_the_models(duckdb: DuckDB) -> None:
    """After an intended change: `make docs`."""
    text = MODELS.read_text("utf-8")

    assert models.with_models(text, duckdb) == text


@pytest.mark.exhaustive
@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
def test_all_answers_are_right_in_other_time_zones_and_after_a_month(
    adapter: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database
    if adapter == "duckdb":
        database = DuckDB(tmp_path)
    else:
        database = Postgres(tmp_path, request.getfixturevalue("postgres"))
    company = Company(tmp_path)
    with company.sandbox:
        company.load(database)
        _assert_right(company, database, TOKYO)

        life.go_on(company.calendly, company.clock)
        company.load(database)
        _assert_right(company, database, NEW_YORK)


def _assert_right(company: Company, database: Database, zone: str) -> None:
    nodes = company.build(database, zone)
    assert not {name: node for name, node in nodes.items() if node.failed}
    for name, question in QUESTIONS.items():
        expected = question.answer(company.meaning(zone))
        assert database.ask(_query(name), zone) == (question.columns, expected), name


def _query(question: str) -> str:
    return (TRANSFORM / "questions" / f"{question}.sql").read_text("utf-8")
