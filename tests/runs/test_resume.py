"""A killed run is continued by the next one: nothing is lost, and hardly anything is repeated."""

from __future__ import annotations

import json
import signal
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.state import Bookmark, Captured, StreamState, note_full_table
from tap_calendly.sweep import plan
from tests.cases import cases
from tests.command import start_tap
from tests.singer import STREAMS, Run, Warehouse, config, size_of, sync

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.organization.clock import SimulatedClock

MEETINGS = {"scheduled_events", "event_invitees"}
INVITEES = "/scheduled_events/{uuid}/invitees"
PREFETCHED = 16
"""Meetings whose invitees were requested but not written when a run ended."""


pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.mark.parametrize(
    "killed_after",
    cases([*range(1, 40), *range(40, 100, 7)], quick=[*range(1, 40, 6), *range(40, 100, 28)]),
)
def test_a_run_killed_after_any_message_is_continued(
    sandbox: Sandbox, clock: SimulatedClock, small_pages: int, killed_after: int
) -> None:
    warehouse = Warehouse(sandbox)
    began = clock.now()
    killed = warehouse.run(select=MEETINGS, killed_after=killed_after)
    killed_with = warehouse.state
    read_by_then = _read(sandbox)
    clock.advance(timedelta(minutes=20))

    run = warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()
    assert len(_written(killed) & _written(run)) <= small_pages + _recent_and_past(sandbox)
    most = small_pages + PREFETCHED + _recent_and_past(sandbox)
    assert len(read_by_then & _read(sandbox)) <= most
    interrupted = [
        entry["sweep"] for entry in killed_with.get("bookmarks", {}).values() if "sweep" in entry
    ]
    assert {sweep["began"] for sweep in interrupted} <= {began.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_a_continued_full_scan_is_not_started_over(sandbox: Sandbox, clock: SimulatedClock) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS, killed_after=70)
    clock.advance(timedelta(minutes=20))
    warehouse.run(select=MEETINGS)
    clock.advance(timedelta(minutes=20))

    warehouse.run(select=MEETINGS)

    assert sandbox.requests_by_path().get(INVITEES, 0) <= _recent_and_past(sandbox)
    assert "sweep" not in warehouse.state["bookmarks"]["scheduled_events"]


def test_a_failed_run_is_continued_where_it_failed(
    sandbox: Sandbox, clock: SimulatedClock, waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=403, after=22, times=None))
    warehouse = Warehouse(sandbox)
    with pytest.raises(CalendlyError):
        warehouse.run(select=MEETINGS)
    sandbox.faults.clear()
    clock.advance(timedelta(minutes=20))

    run = sync(sandbox, select=MEETINGS, state=warehouse.state)

    assert 0 < max(waits) <= 5
    assert len(run.rows("scheduled_events")) < len(sandbox.calendly.events)


def test_a_change_of_the_selection_starts_a_new_sweep(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run(select={"scheduled_events"}, killed_after=20)
    clock.advance(timedelta(minutes=20))

    warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()


def test_a_sweep_that_one_of_its_streams_has_overtaken_is_continued_for_the_other(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS, killed_after=30)
    for selected in ({"event_invitees"}, MEETINGS):
        clock.advance(timedelta(hours=1))
        warehouse.run(select=selected)

    assert warehouse.equals_calendly()


def test_a_state_is_small_and_readable_whatever_the_volume(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    states = []
    warehouse = Warehouse(large_sandbox)
    for _ in range(3):
        run = warehouse.run(select=set(STREAMS))
        states += [message["value"] for message in run.of("STATE")]
        clock.advance(timedelta(days=5))

    assert max(map(size_of, states)) <= 2048
    assert "page_token" not in json.dumps(states)


@pytest.mark.parametrize("killed_after", cases(range(1, 30), quick=range(8, 30, 3)))
def test_simultaneous_meetings_are_not_lost_at_the_end_of_a_page(
    empty_sandbox: Sandbox, clock: SimulatedClock, small_pages: int, killed_after: int
) -> None:
    """Four at the same time, two on each side of the end of a page, and a run killed in between."""
    calendly = empty_sandbox.calendly
    for number in range(small_pages + 5):
        host = calendly.add_member(name=f"Host {number}", email=f"host-{number}@example.com")
        call = calendly.add_event_type(owner=host, name="Call", duration=30)
        together = small_pages - 2 <= number < small_pages + 2
        hours = small_pages if together else number + (number > small_pages)
        start = clock.now() + timedelta(days=1, hours=hours)
        calendly.book(event_type=call, start=start, name="Ada", email="ada@example.com")
    with Sandbox(calendly, requests_per_minute=100_000) as generous:
        warehouse = Warehouse(generous)
        warehouse.run(select=MEETINGS, killed_after=killed_after)
        warehouse.run(select=MEETINGS)

        assert warehouse.equals_calendly()


def test_a_continued_sweep_is_followed_by_a_fresh_one(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    """What was read before the interruption may have changed since."""
    warehouse = Warehouse(sandbox)
    week_ago = (clock.now() - timedelta(days=7)).isoformat()
    warehouse.run(select=MEETINGS, killed_after=75)
    recent = next(
        uri
        for uri, event in warehouse.tables["scheduled_events"].items()
        if event["start_time"] > week_ago
    )
    clock.advance(timedelta(hours=1))
    sandbox.calendly.edit_notes(event=recent, plain="Since")
    clock.advance(timedelta(hours=1))

    warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()
    bookmark = warehouse.state["bookmarks"]["scheduled_events"]["replication_key_value"]
    assert bookmark == clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_bookmark_of_a_continued_sweep_is_its_original_start(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox)
    began = clock.now()
    warehouse.run(select=MEETINGS, killed_after=60)
    clock.advance(timedelta(hours=1))

    run = warehouse.run(select=MEETINGS)

    bookmarks = [
        state["value"]["bookmarks"]["scheduled_events"].get("replication_key_value")
        for state in run.of("STATE")
    ]
    first = next(bookmark for bookmark in bookmarks if bookmark is not None)
    assert first == began.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("number", cases([signal.SIGKILL, signal.SIGTERM], quick=[signal.SIGKILL]))
def test_a_killed_process_leaves_a_state_to_continue_from(
    large_sandbox: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    process = start_tap(tmp_path, config(large_sandbox))
    assert process.stdout is not None
    run = Run()
    for line in process.stdout:
        run.messages.append(json.loads(line))
        if len(run.rows("scheduled_events")) == 250:
            process.send_signal(number)
            break
    run.messages += [json.loads(line) for line in process.stdout if line.endswith("\n")]
    process.communicate(timeout=10)
    warehouse = Warehouse(large_sandbox, tables=run.tables(), state=run.state)

    warehouse.run()

    assert process.returncode == (-9 if number == signal.SIGKILL else 143)
    assert warehouse.equals_calendly()
    assert len(_read(large_sandbox)) < 150


@pytest.mark.parametrize("lookback", [1, 7])
def test_the_state_for_the_longest_history_is_below_2_kb(lookback: int) -> None:
    now = datetime(2026, 3, 4, 9, 30, 12, tzinfo=timezone.utc)
    founded = datetime(2013, 9, 1, 9, 30, tzinfo=timezone.utc)  # as old as Calendly itself
    rules = plan.Rules(timedelta(days=lookback), timedelta(days=7), founded)
    captured = Captured(now, now, now, founded, founded)
    in_progress = plan.incremental_scan([captured], now + timedelta(hours=1), rules)
    scope = f"organization {'a' * 36}"
    entries: dict[str, dict[str, object]] = {stream: {} for stream in STREAMS}
    states = {
        name: StreamState(name, entry, scope, "updated_at") for name, entry in entries.items()
    }
    for stream in STREAMS[:2]:
        states[stream].write(captured)
    for stream in ("event_types", "routing_form_submissions"):
        states[stream].write(Bookmark(now, founded))
    states["scheduled_events"].write_interrupted(in_progress, list(STREAMS[:2]))
    state: dict[str, object] = {"bookmarks": entries}
    for stream in ("organization_memberships", "routing_forms"):
        note_full_table(state, stream, scope)

    assert size_of(state) <= 2048


def _read(sandbox: Sandbox) -> set[str]:
    """Return the paths of the invitees that were requested."""
    return {request.path for request in sandbox.requests if request.template == INVITEES}


def _written(run: Run) -> set[str]:
    """Return the meetings whose invitees were written."""
    return {row["event_uri"] for row in run.rows("event_invitees")}


def _recent_and_past(sandbox: Sandbox) -> int:
    """Count the meetings whose invitees are read in every run."""
    now = sandbox.calendly.clock.now()
    recent = (now - timedelta(days=8)).isoformat()
    return sum(
        recent <= event["start_time"] <= now.isoformat() or event["invitees_counter"]["limit"] > 1
        for event in sandbox.calendly.events.values()
    )
