"""A stopped run says so, in its exit status too, and leaves a state to continue from."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from tests.command import start_tap
from tests.singer import config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_stopped_run_does_not_pass_for_a_finished_one(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with Sandbox(sandbox.calendly, latency=0.05) as slow:
        process = start_tap(tmp_path, config(slow))
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("stream") == "event_types":
                break
        process.send_signal(number)
        rest = list(process.stdout)
        _, log = process.communicate(timeout=10)

    assert process.returncode == status
    assert f"Stopped by {number.name}" in log
    assert "Traceback" not in log
    assert all("type" in json.loads(line) for line in rest)
