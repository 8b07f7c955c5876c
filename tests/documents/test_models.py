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
from tests.documents.generated import MODELS, ROOT
from tests.documents.personal import values
from tests.transform import dbt

TEXT = MODELS.read_text("utf-8")


def test_every_field_that_a_diagram_joins_names_rows_of_the_other_tables() -> None:
    now = datetime(2026, 6, 17, tzinfo=timezone.utc)
    calendly = company.simulate(seed=1, size=120, now=now, plan="enterprise")
    rows = {**calendly.truth(), **calendly.more_truth()}
    unknown: dict[tuple[str, str], set[str]] = {}
    for one in REFERENCES:
        named = {value for row in rows[one.table] for value in values(row, one.field) if value}
        there = {value for row in rows[one.target] for value in values(row, one.key)}
        assert named & there, one
        left = unknown.setdefault((one.table, one.field), named)
        unknown[one.table, one.field] = left - there

    for at, uris in unknown.items():
        # Those who have left are no members any more.
        assert all(uri.startswith("https://api.calendly.com/users/") for uri in uris), at


def test_the_first_diagram_of_tables_shows_what_the_models_read() -> None:
    sources = (dbt.TRANSFORM / "models" / "staging" / "_sources.yml").read_text("utf-8")

    assert set(diagrams.READ_BY_MODELS) == set(
        re.findall(r"^ {6}- name: (\w+)", sources, re.MULTILINE)
    )


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
        for name in re.findall(r"""var\(["'](\w+)["']""", file.read_text("utf-8"))
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
            [ROOT / ".meltano" / "utilities" / "dbt-duckdb" / "venv" / "bin" / "dbt", command],
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
