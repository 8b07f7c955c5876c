"""The state says how far a sweep has come within a page, so that a killed run repeats little."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import StreamsError
from tests.cases import cases
from tests.runs.office import INVITEES, MEETINGS
from tests.singer import Warehouse

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock
    from tests.singer import Run

IN_FLIGHT = 16
"""Meetings whose invitees may have been requested but not written when a run ended."""


class Office:
    """An organization whose first meeting was seven weeks ago."""

    def __init__(self, sandbox: Sandbox, clock: SimulatedClock) -> None:
        """Add the host and the event type."""
        self.sandbox = sandbox
        self.calendly = sandbox.calendly
        self.clock = clock
        self.warehouse = Warehouse(sandbox)
        self.founded = clock.now() - timedelta(days=50)
        self.call = self.add_event_type("Call")

    def add_event_type(self, name: str) -> str:
        """Add an event type; return its URI."""
        owner = self.calendly.owner
        return self.calendly.add_event_type(owner=owner, name=name, duration=30)

    def book(self, hours: float, event_type: str | None = None) -> str:
        """Book a meeting so many hours after the first."""
        event, _ = self.calendly.book(
            event_type=event_type or self.call,
            start=self.founded + timedelta(hours=hours),
            name="Ada Lovelace",
            email="ada@example.com",
        )
        return event

    def paths(self) -> list[str]:
        """Return the paths of the meetings' invitees, by their start."""
        meetings = sorted(self.calendly.events.values(), key=lambda row: row["start_time"])
        return [f"/scheduled_events/{row['uri'].rsplit('/', 1)[-1]}/invitees" for row in meetings]

    def requested(self) -> set[str]:
        """Return the paths of the invitees that were requested in the last run."""
        return {each.path for each in self.sandbox.requests if each.template == INVITEES}


@pytest.fixture
def office(empty_sandbox: Sandbox, clock: SimulatedClock) -> Office:
    return Office(empty_sandbox, clock)


@pytest.fixture
def busy_office(office: Office) -> Office:
    """An office with 130 meetings, one every hour: a page and a part of the next."""
    for number in range(130):
        office.book(number)
    return office


# The quick ones are killed around the STATE after 20 meetings, and anywhere later.
@pytest.mark.parametrize("killed_after", cases(range(1, 272), quick=[42, 44, 80, 127, 206, 247]))
def test_a_first_load_killed_after_any_message_repeats_at_most_20_meetings_and_those_in_flight(
    busy_office: Office, killed_after: int
) -> None:
    warehouse = busy_office.warehouse
    killed = warehouse.run(select=MEETINGS, killed_after=killed_after)
    requested = busy_office.requested()
    busy_office.clock.advance(timedelta(minutes=20))

    run = warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()
    assert len(_written(killed) & _written(run)) <= 20
    assert len(requested & busy_office.requested()) <= 20 + IN_FLIGHT


@pytest.fixture
def slow_office(busy_office: Office, waits: list[float]) -> Office:
    """An office of which one request takes a second, with one more being made ahead."""
    assert not waits
    busy_office.sandbox.interrupt(lambda: busy_office.clock.advance(timedelta(seconds=1)))
    busy_office.warehouse.settings["max_concurrent_requests"] = 1
    return busy_office


@pytest.mark.parametrize("killed_after", cases(range(1, 100), quick=[36, 70]))
def test_a_slow_run_that_is_killed_repeats_at_most_10_seconds(
    slow_office: Office, killed_after: int
) -> None:
    killed = slow_office.warehouse.run(select=MEETINGS, killed_after=killed_after)

    run = slow_office.warehouse.run(select=MEETINGS)

    assert slow_office.warehouse.equals_calendly()
    assert len(_written(killed) & _written(run)) <= 10 + 2


def test_a_slow_run_writes_state_every_10_seconds_and_every_page(slow_office: Office) -> None:
    run = slow_office.warehouse.run(select=MEETINGS)

    assert len(run.of("STATE")) <= 1 + 13 + 2 + 1


@pytest.fixture
def simultaneous(office: Office) -> Office:
    """An office where 35 of 80 meetings start at the same time."""
    for number in range(80):
        office.book(10 if 10 <= number < 45 else number)
    return office


def test_the_state_does_not_part_meetings_that_start_at_the_same_time(simultaneous: Office) -> None:
    run = simultaneous.warehouse.run(select=MEETINGS)

    meetings, at = 0, []
    for message in run.messages:
        meetings += message["type"] == "RECORD" and message["stream"] == "scheduled_events"
        if message["type"] == "STATE":
            at.append(meetings)
    assert at == [0, 45, 65, 80, 80]


@pytest.mark.parametrize("killed_after", cases(range(1, 170, 3), quick=[31, 94, 139]))
def test_meetings_that_start_at_the_same_time_are_not_lost_when_a_run_is_killed(
    simultaneous: Office, killed_after: int
) -> None:
    simultaneous.warehouse.run(select=MEETINGS, killed_after=killed_after)

    simultaneous.warehouse.run(select=MEETINGS)

    assert simultaneous.warehouse.equals_calendly()


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("killed_after", cases(range(1, 148, 2), quick=[35, 75, 109]))
@pytest.mark.usefixtures("waits")
def test_event_types_are_out_before_the_state_passes_a_meeting_that_names_them(
    office: Office, killed_after: int, *, fails: bool
) -> None:
    for number in range(45):
        deleted = office.add_event_type(f"Deleted {number}")
        office.book(number, deleted)
        office.calendly.delete_event_type(uri=deleted)
    selected = {*MEETINGS, "event_types"}
    if fails:
        office.sandbox.faults.add(Fault("/event_types/*", status=500, after=30, times=None))
    try:
        killed = office.warehouse.run(select=selected, killed_after=killed_after)
    except StreamsError:
        assert fails
    else:
        assert len(killed.rows("event_types")) == len(killed.tables()["event_types"])
    office.sandbox.faults.clear()

    office.warehouse.run(select=selected)

    assert office.warehouse.equals_calendly()


def test_state_is_written_once_for_every_20_meetings_and_every_page(busy_office: Office) -> None:
    run = busy_office.warehouse.run(select=MEETINGS)

    # At the start, after 20, 40, 60, 80 and 120 meetings, at the ends of two pages and of the run.
    assert len(run.of("STATE")) == 1 + 5 + 2 + 1


@pytest.mark.usefixtures("waits")
def test_a_page_without_invitees_to_read_costs_one_state_message(office: Office) -> None:
    """However slow the run is."""
    for number in range(130):
        office.book(24 * 90 + number)
    office.clock.advance(timedelta(minutes=20))
    office.warehouse.run(select=MEETINGS)
    office.clock.advance(timedelta(minutes=20))
    office.sandbox.interrupt(lambda: office.clock.advance(timedelta(seconds=30)))

    run = office.warehouse.run(select=MEETINGS)

    assert len(run.rows("scheduled_events")) == 130
    assert len(run.of("STATE")) == 1 + 2 + 1


@pytest.mark.usefixtures("waits")
def test_invitees_that_fail_within_a_page_continue_near_where_they_failed(
    busy_office: Office,
) -> None:
    paths = busy_office.paths()
    busy_office.sandbox.faults.add(Fault(paths[70], status=500, times=None))
    with pytest.raises(StreamsError, match=r"^event_invitees: "):
        busy_office.warehouse.run(select=MEETINGS)
    busy_office.sandbox.faults.clear()

    busy_office.warehouse.run(select=MEETINGS)

    assert not busy_office.requested() & set(paths[: 70 - 20 - IN_FLIGHT])
    assert busy_office.warehouse.equals_calendly()


@pytest.mark.usefixtures("waits")
def test_the_state_does_not_pass_meetings_before_it_is_clear_why_their_invitees_are_refused(
    busy_office: Office,
) -> None:
    for path in busy_office.paths()[:60]:
        busy_office.sandbox.faults.add(Fault(path, status=403, times=None))
    with pytest.raises(StreamsError, match=r"^event_invitees: Calendly answered 403"):
        busy_office.warehouse.run(select=MEETINGS)
    busy_office.sandbox.faults.clear()

    busy_office.warehouse.run(select=MEETINGS)

    assert busy_office.warehouse.equals_calendly()


def _written(run: Run) -> set[str]:
    """Return the meetings whose invitees were written."""
    return {row["event_uri"] for row in run.rows("event_invitees")}
