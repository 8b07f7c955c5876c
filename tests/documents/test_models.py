"""docs/models.md describes the models and the tables that they read as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from sandbox.demo import company
from tests.documents import diagrams, models
from tests.documents.diagrams import REFERENCES
from tests.documents.generated import MODELS, ROOT, catalog_entries
from tests.documents.personal import fields, is_among, values
from tests.singer import Row
from tests.transform import dbt

TEXT = MODELS.read_text("utf-8")

NOT_JOINED = {
    "activity_log_entries.details",  # depends on the action
    "event_invitees.event",  # as event_uri
    "event_type_availability_schedules.availability_rule.user",  # as user_uri
    "event_type_availability_schedules.event_type",  # as event_type_uri
    "event_type_memberships.event_type",  # a copy of the event type
    "meeting_recaps.transcript",  # the other way round, and some have none
    "organization_memberships.user.uri",  # what others name
}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    """What Calendly has, by stream."""
    now = datetime(2026, 6, 17, tzinfo=timezone.utc)
    calendly = company.simulate(seed=1, size=120, now=now, plan="enterprise")
    return {**calendly.truth(), **calendly.more_truth()}


def test_every_field_that_a_diagram_joins_names_rows_of_the_other_tables(
    rows: dict[str, list[Row]],
) -> None:
    unknown: dict[tuple[str, str], set[str]] = {}
    for one in REFERENCES:
        named = {value for row in rows[one.table] for value in _texts(row, one.field)}
        there = {value for row in rows[one.target] for value in values(row, one.key)}
        assert named & there, one
        # A field may name rows of either of two tables.
        unknown[one[:2]] = unknown.get(one[:2], named) - there

    for at, left in unknown.items():
        # Who has left is no member any more, and forms also lead to pages and messages.
        uris = {one for one in left if one.startswith("https://api.calendly.com/")}
        assert all(one.startswith("https://api.calendly.com/users/") for one in uris), (at, uris)


def test_no_field_that_names_a_row_is_missing_in_the_diagrams(rows: dict[str, list[Row]]) -> None:
    joined = {f"{one.table}.{one.field}" for one in diagrams.all_references()}
    there = {row["uri"] for some in rows.values() for row in some if "uri" in row}
    there |= {row["user"]["uri"] for row in rows["organization_memberships"]}
    there -= {row["uri"] for row in rows["organizations"]}

    for stream, entry in catalog_entries().items():
        for field in fields(entry["schema"]):
            named = {value for row in rows.get(stream, ()) for value in _texts(row, field)}
            if named & there and field != "uri":
                assert is_among(f"{stream}.{field}", joined | NOT_JOINED), (stream, field)


def _texts(row: Row, path: str) -> list[str]:
    return [value for value in values(row, path) if isinstance(value, str)]


def test_the_first_diagram_of_tables_shows_what_the_models_read() -> None:
    sources = (dbt.TRANSFORM / "models" / "staging" / "_sources.yml").read_text("utf-8")

    (source,) = yaml.safe_load(sources)["sources"]
    assert set(diagrams.READ_BY_MODELS) == {table["name"] for table in source["tables"]}


def _node(name: str, *columns: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "fqn": ["calendly", "marts", name],
        "name": name,
        "columns": dict.fromkeys(columns),
    }


def _test(model: str, name: str, column: str | None = None, **kwargs: object) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "fqn": ["calendly", "marts", f"{name}_{model}_{column}"],
        "attached_node": model,
        "column_name": column,
        "test_metadata": {"name": name, "kwargs": kwargs},
    }


def test_the_diagram_of_models_shows_what_dbt_tests() -> None:
    nodes = [
        _node("meetings", "uri", "ticket", "day"),
        _node("guests", "meeting_uri", "place", "friend_uri"),
        _test("meetings", "unique", "uri"),
        _test("meetings", "unique", "ticket"),
        _test("guests", "unique_together", columns=["meeting_uri", "place"]),
        _test("guests", "not_null", "meeting_uri"),
        _test("guests", "relationships", "meeting_uri", to="ref('meetings')", field="uri"),
        _test("guests", "refers_to", "friend_uri", to="ref('guests')", field="place"),
        _test("meetings", "accepted_values", "day", values=["Monday"]),
    ]
    manifest = {"nodes": {node.get("name", str(at)): node for at, node in enumerate(nodes)}}
    types = {(node["name"], column): "text" for node in nodes[:2] for column in node["columns"]}

    assert diagrams.of_models(manifest, types).splitlines() == [
        "```mermaid",
        "erDiagram",
        "    guests {",
        "        text meeting_uri PK, FK",
        "        text place PK",
        "        text friend_uri FK",
        "    }",
        "    meetings {",
        "        text uri PK",
        "        text ticket UK",
        "        text day",
        "    }",
        '    guests }o--|| meetings : "meeting_uri"',
        '    guests }o--o| guests : "friend_uri"',
        "```",
    ]


def test_every_model_and_every_question_is_in_the_docs() -> None:
    """After an intended change: `make docs`."""
    asked = re.findall(r"^### (\d+\. .+)$", TEXT, re.MULTILINE)
    marts = sorted(file.stem for file in (dbt.TRANSFORM / "models" / "marts").glob("*.sql"))

    assert asked == [
        f"{number}. {_question(file)}" for number, file in enumerate(models.QUESTIONS, 1)
    ]
    assert re.findall(r"^\| `(calendly__\w+)` \|", TEXT, re.MULTILINE) == marts
    assert re.findall(r"^    (calendly__\w+) {$", TEXT, re.MULTILINE) == marts


def _question(file: Path) -> str:
    return file.read_text("utf-8").splitlines()[0].removeprefix("-- ")


def test_every_variable_of_the_models_is_in_the_docs() -> None:
    files = [*dbt.TRANSFORM.glob("macros/*.sql"), *dbt.TRANSFORM.glob("models/**/*.*")]
    used = {
        name
        for file in files
        for name in re.findall(r"""\bvar\(["'](\w+)["']""", file.read_text("utf-8"))
    }

    assert set(re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", TEXT, re.MULTILINE)) == used


@pytest.mark.exhaustive
def test_the_models_and_answers_in_the_docs_are_those_of_the_demo(tmp_path: Path) -> None:
    """After an intended change: `make docs`."""
    database = models.demo(tmp_path)

    assert models.with_models(TEXT, database) == TEXT
    assert models.with_answers(TEXT, database) == TEXT


@pytest.mark.exhaustive
def test_another_dbt_project_can_import_the_models_as_the_docs_say(tmp_path: Path) -> None:
    packages, variables = (
        yaml.safe_load(one.split("```")[0]) for one in TEXT.split("```yaml\n")[1:]
    )
    (package,) = packages["packages"]
    assert (ROOT / package["subdirectory"]).samefile(dbt.TRANSFORM)
    _write(tmp_path / "packages.yml", packages=[{"local": str(dbt.TRANSFORM)}])
    _write(tmp_path / "dbt_project.yml", name="own", profile="own", **variables)
    target = {"type": "duckdb", "path": str(tmp_path / "own.duckdb"), "schema": "mart"}
    _write(tmp_path / "profiles.yml", own={"target": "dev", "outputs": {"dev": target}})
    (tmp_path / "models").mkdir()
    query = "SELECT day, outcome FROM {{ ref('calendly', 'calendly__meetings') }}"
    (tmp_path / "models" / "days.sql").write_text(query)
    with duckdb.connect(target["path"]) as database:
        database.execute("CREATE SCHEMA calendly")
        database.execute(
            "CREATE TABLE calendly.scheduled_events AS SELECT 'a' AS uri, 'active' AS status, "
            "TIMESTAMP '2026-01-05 23:30:00' AS start_time, NULL::JSON AS event_memberships"
        )

    for command in ("deps", "run"):
        result = subprocess.run(  # noqa: S603 - our own dbt
            [dbt.program("duckdb"), command],
            cwd=tmp_path,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, result.stdout

    with duckdb.connect(target["path"]) as database:
        assert database.sql("FROM mart.days").fetchall() == [(date(2026, 1, 6), "held")]
        schemas = database.sql("SELECT DISTINCT table_schema FROM information_schema.tables")
        assert {name for (name,) in schemas.fetchall()} == {
            *("calendly", "mart", "mart_calendly_analytics", "mart_calendly_analytics_staging")
        }


def _write(file: Path, **content: object) -> None:
    file.write_text(json.dumps(content), "utf-8")
