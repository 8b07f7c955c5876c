"""A run makes no more requests than its guarantees take."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests.cases import cases
from tests.conftest import NOW
from tests.singer import STREAMS, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("cost")

MEETINGS = {"scheduled_events", "event_invitees"}
MEETING_LIST = "/scheduled_events"
INVITEES = "/scheduled_events/{uuid}/invitees"


@pytest.fixture(scope="module")
def shared_clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture(scope="module")
def loaded(shared_clock: SimulatedClock) -> Iterator[Warehouse]:
    """2,000 meetings more than a month ahead, all of them loaded."""
    calendly = Calendly(shared_clock, seed=1, plan="enterprise")
    call = calendly.add_event_type(owner=calendly.owner, name="Call", duration=30)
    for number in range(2_000):
        start = NOW + timedelta(days=40, minutes=30 * number)
        calendly.book(event_type=call, start=start, name="Ada", email="ada@example.com")
    shared_clock.advance(timedelta(minutes=10))  # beyond the overlap of two runs
    with Sandbox(calendly, requests_per_minute=100_000) as generous:
        warehouse = Warehouse(generous)
        warehouse.run(select=MEETINGS)
        yield warehouse


@pytest.fixture
def warehouse(loaded: Warehouse, shared_clock: SimulatedClock) -> Warehouse:
    """2,000 upcoming meetings, loaded a day ago, including what another test has changed."""
    shared_clock.advance(timedelta(hours=1))
    loaded.run(select=MEETINGS)
    shared_clock.advance(timedelta(days=1))
    return loaded


def test_2000_meetings_of_which_20_changed_take_at_most_50_requests(
    warehouse: Warehouse,
) -> None:
    calendly = warehouse.sandbox.calendly
    for uri in list(calendly.events)[::100]:
        calendly.edit_notes(event=uri, plain="Moved to room 7")

    warehouse.run(select=MEETINGS)

    requests = warehouse.sandbox.requests_by_path()
    assert requests[INVITEES] == 20
    assert sum(requests.values()) <= 20 + 30
    assert warehouse.equals_calendly()


def test_a_run_without_changes_reads_no_invitees(warehouse: Warehouse) -> None:
    warehouse.run(select=MEETINGS)

    assert warehouse.sandbox.requests_by_path() == {"/users/me": 1, MEETING_LIST: 21}


def test_a_full_scan_of_unchanged_meetings_reads_no_invitees(
    warehouse: Warehouse, shared_clock: SimulatedClock
) -> None:
    shared_clock.advance(timedelta(days=6, hours=1))

    warehouse.run(select=MEETINGS)

    assert INVITEES not in warehouse.sandbox.requests_by_path()
    full_scan = warehouse.state["bookmarks"]["event_invitees"]["full_scan"]
    assert full_scan == shared_clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("days", cases([1, 7, 30, 100], quick=[7]))
def test_a_run_makes_one_request_per_page_and_per_meeting_that_is_due(
    large_sandbox: Sandbox, clock: SimulatedClock, days: int
) -> None:
    warehouse = Warehouse(large_sandbox)
    warehouse.run(select=set(STREAMS))
    clock.advance(timedelta(days=days))

    run = warehouse.run(select=set(STREAMS))

    requests = large_sandbox.requests_by_path()
    bands = 6  # the doublings of the lookback within a year of history
    pages = -(-len(run.rows("scheduled_events")) // 100)
    assert requests[MEETING_LIST] <= pages + bands
    others = sum(requests.values()) - requests[MEETING_LIST] - requests.get(INVITEES, 0)
    calendly = large_sandbox.calendly
    deleted = sum(row["deleted_at"] is not None for row in calendly.event_types.values())
    full_scan = 1 + deleted if days >= 7 else 0  # the whole list of event types
    assert others <= 5 + len(calendly.routing_forms) + full_scan
