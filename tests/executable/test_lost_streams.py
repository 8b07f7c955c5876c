"""The command and `--test` say which streams were loaded before and are refused now."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tests import singer
from tests.command import run_here
from tests.singer import config, sync

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock


@pytest.mark.usefixtures("waits")
def test_a_lost_stream_ends_the_command_with_status_1_and_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    select = {"event_types", "groups"}
    state = sync(sandbox, select=select).state
    _write(tmp_path, state=state, catalog=singer.catalog(select))
    sandbox.faults.add(Fault("/groups", status=403, times=None))

    given = ("--state", str(tmp_path / "state.json"), "--catalog", str(tmp_path / "catalog.json"))
    result = run_here(tmp_path, *given, config=config(sandbox))

    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert "groups: it was loaded before, and now Calendly answered 403 to GET /groups" in line
    assert line.endswith("or deselect the stream.")
    assert "Traceback" not in result.stderr
    assert '"ACTIVATE_VERSION"' not in result.stdout


@pytest.mark.parametrize("given", ["nothing", "state", "state and catalog"])
def test_test_mode_says_which_streams_were_lost_since_the_state_was_written(
    sandbox: Sandbox, tmp_path: Path, waits: list[float], clock: SimulatedClock, given: str
) -> None:
    state = sync(sandbox).state
    clock.advance(timedelta(days=1))
    _write(tmp_path, state=state, catalog=singer.catalog({*singer.FROM_API} - {"groups"}))
    sandbox.faults.add(Fault("/groups", status=403, times=None))
    sandbox.faults.add(Fault("/event_types", status=403, times=None))
    names = [name for name in ("state", "catalog") if name in given]
    options = [part for one in names for part in (f"--{one}", str(tmp_path / f"{one}.json"))]

    result = run_here(tmp_path, "--test", *options, config=config(sandbox))

    said = {line.split(": ")[0]: line for line in result.stdout.splitlines()}
    lost = {"nothing": set(), "state": {"event_types", "groups"}}.get(given, {"event_types"})
    for stream in ("event_types", "groups"):
        assert said[stream].startswith(f"{stream}: closed: {stream}: ")
        assert bool(re.search(r"it was loaded \w", said[stream])) == (stream in lost)
    assert result.returncode == bool(lost)
    ends = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert len(ends) == len(lost)
    assert all(any(line.endswith(said[name].split(": ", 2)[2]) for line in ends) for name in lost)
    assert not waits


def _write(folder: Path, **files: object) -> None:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
