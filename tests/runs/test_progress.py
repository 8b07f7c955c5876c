"""A run logs its progress, and a summary at its end."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.singer import progress
from tests.command import run_tap
from tests.singer import config, sync

if TYPE_CHECKING:
    from pathlib import Path

MEETINGS = {"scheduled_events", "event_invitees"}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged at INFO and above."""
    caplog.set_level(logging.INFO, "tap-calendly")
    return caplog


def test_a_long_run_logs_its_progress(
    sandbox: Sandbox, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.2)
    with Sandbox(sandbox.calendly, latency=0.05) as slow:
        sync(slow, select=MEETINGS, max_concurrent_requests=2)

    lines = [line for line in log.messages if line.startswith("So far:")]
    assert 2 <= len(lines) <= 10
    line = lines[-1]
    assert re.search(r"scheduled_events \d+ \(up to 20\d\d-\d\d-\d\d\)", line)
    assert re.search(r"event_invitees \d+", line)
    assert re.search(r"; \d+ requests, \d[\d,]* a minute now, 0 s of waiting for the limit$", line)


def test_a_short_run_logs_no_progress(sandbox: Sandbox, log: pytest.LogCaptureFixture) -> None:
    sync(sandbox)

    assert not [line for line in log.messages if line.startswith("So far:")]


def test_the_summary_counts_rows_requests_and_waiting(
    sandbox: Sandbox, log: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    with Sandbox(sandbox.calendly, requests_per_minute=20) as limited:
        run = sync(limited, select=MEETINGS | {"event_types"})

    summary = log.messages
    requests = limited.requests_by_path()
    events, invitees, types = (
        len(run.rows(name)) for name in ("scheduled_events", "event_invitees", "event_types")
    )
    assert requests["/scheduled_events"] == requests["/event_types"] == 1
    assert f"scheduled_events: {events} rows, 1 request" in summary
    assert f"event_types: {types} rows, 1 request" in summary
    per_meeting = requests["/scheduled_events/{uuid}/invitees"]
    assert f"event_invitees: {invitees} rows, {per_meeting} requests" in summary
    assert ", routing_forms, " in next(line for line in summary if line.startswith("Not selected"))
    waited = re.fullmatch(
        rf"{len(limited.requests)} requests in \d+ s, (\d+) s of them waiting for the limit",
        summary[-1],
    )
    assert waited
    assert abs(int(waited[1]) - sum(waits)) <= 1


def test_a_failed_run_logs_a_summary_too(
    sandbox: Sandbox, log: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=403, after=5, times=None))

    with pytest.raises(CalendlyError):
        sync(sandbox)

    assert waits
    assert any(line.startswith("event_types: 13 rows, ") for line in log.messages)
    assert "waiting for the limit" in log.messages[-1]


def test_the_parents_requests_are_reported_when_only_its_children_are_selected(
    sandbox: Sandbox, log: pytest.LogCaptureFixture
) -> None:
    sync(sandbox, select={"event_invitees"})

    assert "scheduled_events: 1 request for its child streams" in log.messages


def test_progress_goes_to_standard_error_only(sandbox: Sandbox, tmp_path: Path) -> None:
    result = run_tap(tmp_path, config=config(sandbox))

    assert all(line.startswith("{") for line in result.stdout.splitlines())
    assert "waiting for the limit" in result.stderr


def test_a_run_does_not_start_with_a_line_for_each_child_stream(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    result = run_tap(tmp_path, config=config(sandbox))

    assert result.returncode == 0
    assert "child stream" not in result.stderr
