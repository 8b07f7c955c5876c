"""A run that was killed is continued by the next: nothing is lost, and hardly anything repeated."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.faults import Fault
from tap_calendly.errors import CalendlyError
from tests.singer import Warehouse, sync

if TYPE_CHECKING:
    from sandbox.clock import SimulatedClock
    from sandbox.server import Sandbox

MEETINGS = {"scheduled_events", "event_invitees"}
INVITEES = "/scheduled_events/{uuid}/invitees"


pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.mark.parametrize("killed_after", [*range(1, 40), *range(40, 100, 7)])
def test_a_run_killed_after_any_message_is_continued(
    sandbox: Sandbox, clock: SimulatedClock, small_pages: int, killed_after: int
) -> None:
    warehouse = Warehouse(sandbox)
    began = clock.now()
    warehouse.run(select=MEETINGS, killed_after=killed_after)
    killed_with = warehouse.state
    read_by_then = _read(sandbox)
    clock.advance(timedelta(minutes=20))

    warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()
    assert len(read_by_then & _read(sandbox)) <= small_pages + _recent_and_past(sandbox)
    interrupted = [
        entry["sweep"] for entry in killed_with.get("bookmarks", {}).values() if "sweep" in entry
    ]
    assert {sweep["began"] for sweep in interrupted} <= {began.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_the_bookmark_of_a_continued_sweep_is_its_first_beginning(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    """A change between the beginning and the continuation shows after the continuing run."""
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS, killed_after=60)
    done = next(iter(warehouse.tables["event_invitees"].values()))
    clock.advance(timedelta(hours=1))
    sandbox.calendly.cancel(event=_an_upcoming(sandbox))
    sandbox.calendly.scrub_invitee(email=done["email"])

    warehouse.run(select=MEETINGS)

    for uri, event in warehouse.tables["scheduled_events"].items():
        assert event == sandbox.calendly.events[uri]


def test_a_continued_full_scan_is_not_begun_again(sandbox: Sandbox, clock: SimulatedClock) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS, killed_after=70)
    clock.advance(timedelta(minutes=20))
    warehouse.run(select=MEETINGS)
    clock.advance(timedelta(minutes=20))

    warehouse.run(select=MEETINGS)

    assert sandbox.requests_by_path().get(INVITEES, 0) <= _recent_and_past(sandbox)
    assert "sweep" not in warehouse.state["bookmarks"]["scheduled_events"]


def test_a_run_that_failed_is_continued_where_it_failed(
    sandbox: Sandbox, clock: SimulatedClock, waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=403, after=22))
    warehouse = Warehouse(sandbox)
    with pytest.raises(CalendlyError):
        warehouse.run(select=MEETINGS)
    clock.advance(timedelta(minutes=20))

    run = sync(sandbox, select=MEETINGS, state=warehouse.state)

    assert not waits
    assert len(run.rows("scheduled_events")) < len(sandbox.calendly.events)


def test_a_change_of_the_selection_begins_a_new_sweep(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run(select={"scheduled_events"}, killed_after=20)
    clock.advance(timedelta(minutes=20))

    warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()


def test_a_state_is_small_and_readable_whatever_the_volume(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    states = []
    warehouse = Warehouse(large_sandbox)
    for _ in range(3):
        run = warehouse.run()
        states += [message["value"] for message in run.of("STATE")]
        clock.advance(timedelta(days=5))

    assert max(len(json.dumps(state)) for state in states) <= 2048
    assert "page_token" not in json.dumps(states)


def _read(sandbox: Sandbox) -> set[str]:
    """Give the meetings whose invitees were asked for."""
    return {request.path for request in sandbox.requests if request.template == INVITEES}


def _recent_and_past(sandbox: Sandbox) -> int:
    """Count the meetings whose invitees are read in every run."""
    now = sandbox.calendly.clock.now()
    recent = (now - timedelta(days=8)).isoformat()
    return sum(
        recent <= event["start_time"] <= now.isoformat() or event["invitees_counter"]["limit"] > 1
        for event in sandbox.calendly.events.values()
    )


def _an_upcoming(sandbox: Sandbox) -> str:
    now = sandbox.calendly.clock.now().isoformat()
    return next(
        uri
        for uri, event in sandbox.calendly.events.items()
        if event["status"] == "active" and event["start_time"] > now
    )
