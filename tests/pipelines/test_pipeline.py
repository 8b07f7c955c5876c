"""Meltano pipelines: selection, failures, and a first run without a token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from sandbox.http.faults import Fault
from tests.documents.generated import DOCS, ROOT
from tests.pipelines.pipeline import (
    BIN,
    Project,
    core,
    in_duckdb,
    typed,
    without_empty_strings,
)
from tests.singer import truth

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox


@pytest.fixture
def project(tmp_path: Path, large_sandbox: Sandbox) -> Project:
    return Project(tmp_path, large_sandbox)


@pytest.mark.exhaustive
def test_jsonl_has_a_file_for_each_stream(project: Project, large_sandbox: Sandbox) -> None:
    project.run("target-jsonl")

    loaded = {
        file.stem: {
            row["uri"]: row for row in map(json.loads, file.read_text("utf-8").splitlines())
        }
        for file in (project.folder / "output").glob("*.jsonl")
    }
    assert loaded == core(large_sandbox)


@pytest.mark.exhaustive
def test_the_recipe_for_only_some_streams_or_columns_works(
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


@pytest.mark.exhaustive
def test_make_sync_without_a_token_says_so_and_loads_the_demo_organization(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path, None)

    output = project.command([sys.executable, "-m", "sandbox.demo.sync"], PYTHONPATH=str(ROOT))

    assert "No token is set (TAP_CALENDLY_PERSONAL_ACCESS_TOKEN" in output
    assert "demo organization" in output
    assert "No-shows by event type" in output
    with duckdb.connect(str(tmp_path / "output" / "demo.duckdb"), read_only=True) as database:
        (loaded,) = database.sql("SELECT count(*) FROM scheduled_events").fetchall()[0]
    assert loaded == 600
    assert not (tmp_path / "output" / "calendly.duckdb").exists()


@pytest.mark.exhaustive
def test_a_failed_run_makes_meltano_fail_and_says_why(project: Project) -> None:
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


@pytest.mark.exhaustive
def test_streams_that_do_not_fail_are_loaded_and_the_next_run_loads_the_rest(
    project: Project, large_sandbox: Sandbox
) -> None:
    large_sandbox.faults.add(Fault("/event_types", status=400, times=None))

    with pytest.raises(AssertionError, match="event_types: Calendly answered 400 to GET"):
        project.run("target-duckdb")

    expected = without_empty_strings(typed(core(large_sandbox)))
    assert in_duckdb(project) == {**expected, "event_types": {}}
    large_sandbox.faults.clear()
    large_sandbox.forget_requests()
    project.run("target-duckdb")
    assert in_duckdb(project) == expected
    read = large_sandbox.requests_by_path()["/scheduled_events/{uuid}/invitees"]
    assert read < len(large_sandbox.calendly.events) / 4
