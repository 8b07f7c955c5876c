"""The pipeline with an inbox: subscribed, received, and loaded, each by its own program."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.organization.clock import SimulatedClock
from tap_calendly.timestamps import parse
from tests.cases import crossed
from tests.pipelines.pipeline import (
    BIN,
    Project,
    in_duckdb,
    in_postgres,
    into_postgres,
    typed,
    without_empty_strings,
)
from tests.singer import Tables, truth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly

KEY = "a-signing-key-of-these-tests"
MEETING = "/scheduled_events/{uuid}"
HEALTH = "/webhook_subscriptions/{webhook_uuid}"


@contextmanager
def _receiver(project: Project) -> Iterator[str]:
    """Run `calendly-webhooks serve`, and yield where it receives."""
    options = ["--port", "0", "--path", "/calendly"]
    with subprocess.Popen(  # noqa: S603 - our own receiver
        [BIN / "calendly-webhooks", "--config", "ENV", "serve", *options],
        env=project.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        try:
            line = next(line for line in serving.stderr or () if "Receiving webhooks at " in line)
            yield line.split()[-1].rstrip(".")
        finally:
            serving.terminate()
            assert serving.wait(30) == 0


@pytest.mark.parametrize(
    ("target", "inbox"),
    crossed(
        ("duckdb", "postgres"),
        ("sqlite", "postgres"),
        quick=lambda target, inbox: (target, inbox) == ("duckdb", "sqlite"),
    ),
)
def test_what_webhooks_tell_is_loaded_by_the_next_pipeline(
    target: str, inbox: str, tmp_path: Path, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    calendly, project = sandbox.calendly, Project(tmp_path, sandbox)
    address = request.getfixturevalue("postgres") if "postgres" in {target, inbox} else ""
    project.environment |= {
        "TAP_CALENDLY_ORGANIZATION": calendly.organization["uri"],
        "TAP_CALENDLY_INBOX_URL": address if inbox == "postgres" else f"sqlite:///{tmp_path}/inbox",
        "TAP_CALENDLY_WEBHOOK_SIGNING_KEY": KEY,
        **(into_postgres(address, "calendly") if target == "postgres" else {}),
    }

    def load() -> Tables:
        sandbox.forget_requests()
        plugins = ["tap-calendly-meetings", f"target-{target}"]
        project.command([BIN / "meltano", "run", "--no-install", *plugins])
        return in_duckdb(project) if target == "duckdb" else in_postgres(address, "calendly")

    def expected() -> Tables:
        rows = typed(
            {name: truth(sandbox)[name] for name in ("scheduled_events", "event_invitees")}
        )
        return without_empty_strings(rows) if target == "duckdb" else rows

    with _receiver(project) as url:
        project.command(
            [BIN / "calendly-webhooks", "--config", "ENV", "subscribe", "--callback-url", url]
        )
        calendly.edit_event_type(uri=next(iter(calendly.event_types)), name="Renamed")
        assert [attempt.status for attempt in sandbox.deliver()] == [200]
        assert load() == expected()
        told = _live(calendly)
        assert [attempt.status for attempt in sandbox.deliver()] == [200] * len(told)

    assert load() == expected()
    requests = sandbox.requests_by_path()
    meetings = len(set(told))
    assert requests == {HEALTH: 1, MEETING: meetings, f"{MEETING}/invitees": meetings}


def _live(calendly: Calendly) -> list[str]:
    """Let things happen, and return the meeting of each event that is told."""
    assert isinstance(calendly.clock, SimulatedClock)
    calendly.clock.advance(timedelta(hours=1))
    now = calendly.clock.now()
    solo = [
        event
        for event in calendly.events.values()
        if event["invitees_counter"]["limit"] == 1 and event["status"] == "active"
    ]
    guests = {event["uri"]: calendly.invitees[event["uri"]][0]["uri"] for event in solo}
    canceled, moved = [one["uri"] for one in solo if parse(one["start_time"]) > now][:2]
    held = next(one["uri"] for one in solo if parse(one["end_time"]) < now)
    calendly.cancel(event=canceled, by="host", reason="Ill")
    new, _ = calendly.reschedule(invitee=guests[moved], start=now + timedelta(days=9))
    calendly.mark_no_show(invitee=guests[held])
    return [canceled, moved, new, held]
