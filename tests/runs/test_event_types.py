"""Every event type that a meeting names has a row, whether a list has it or not."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import StreamsError
from tests.cases import cases
from tests.singer import Warehouse, catalog, sync, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

LIST = "/event_types"
SINGLE = "/event_types/{uuid}"
INVITEES = "/scheduled_events/{uuid}/invitees"
SELECTED = {"scheduled_events", "event_invitees", "event_types"}
DELETED, UNLISTED = 20, 3
A_WHILE = timedelta(minutes=10)
"""Longer than the overlap in which a run repeats what the last one read."""


class Office:
    """An organization whose meetings name event types that no list has any more, or ever had."""

    def __init__(self, sandbox: Sandbox, clock: SimulatedClock) -> None:
        """Hold meetings of 24 event types; delete 20 of them, and one that was never booked."""
        self.sandbox = sandbox
        self.calendly = sandbox.calendly
        self.clock = clock
        self.warehouse = Warehouse(sandbox)
        self.call = self.add("Call")
        self.book(self.call, days=1)
        self.deleted = [self.add(f"Deleted {number}") for number in range(DELETED)]
        self.unlisted = [self.add(f"Unlisted {number}", listed=False) for number in range(UNLISTED)]
        self.meetings = {
            uri: self.book(uri, days=-30 - number)
            for number, uri in enumerate([*self.deleted, *self.unlisted])
        }
        for uri in (*self.deleted, self.add("Never booked")):
            self.calendly.delete_event_type(uri=uri)

    def add(self, name: str | None, *, listed: bool = True) -> str:
        """Add an event type."""
        calendly = self.calendly
        return calendly.add_event_type(owner=calendly.owner, name=name, duration=30, listed=listed)

    def book(self, event_type: str, *, days: float) -> str:
        """Book a meeting some days from now, or ago; return the event."""
        start = self.clock.now() + timedelta(days=days)
        name, email = "Ada Lovelace", "ada@example.com"
        event, _ = self.calendly.book(event_type=event_type, start=start, name=name, email=email)
        return event

    def run(self, **options: Any) -> dict[str, int]:  # noqa: ANN401 - passed on
        """Run the tap after a while; return how often event types were requested, by path."""
        self.clock.advance(A_WHILE)
        self.warehouse.run(**{"select": SELECTED, **options})
        return self.requests()

    def requests(self) -> dict[str, int]:
        """Return how often event types were requested in the last run, by path."""
        made = self.sandbox.requests_by_path()
        return {path: number for path, number in made.items() if path.startswith(LIST)}

    @property
    def singles(self) -> list[str]:
        """The event types that were requested one by one in the last run."""
        return [each.path for each in self.sandbox.requests if each.template == SINGLE]

    @property
    def loaded(self) -> set[str]:
        """The URIs of the event types that have a row."""
        return set(self.warehouse.tables["event_types"])


@pytest.fixture
def office(empty_sandbox: Sandbox, clock: SimulatedClock) -> Office:
    return Office(empty_sandbox, clock)


def test_event_types_that_no_list_has_are_loaded_if_meetings_name_them(office: Office) -> None:
    assert office.run() == {LIST: 1, SINGLE: DELETED + UNLISTED}

    assert office.loaded == {office.call, *office.deleted, *office.unlisted}
    assert office.warehouse.equals_calendly()


def test_a_run_without_new_or_changed_meetings_reads_no_event_type_again(office: Office) -> None:
    office.run()

    assert office.run() == {LIST: 1}
    assert office.warehouse.equals_calendly()


def test_a_full_scan_reads_the_list_once_and_each_event_type_that_it_lacks(office: Office) -> None:
    office.run()
    office.clock.advance(timedelta(days=7))

    assert office.run() == {LIST: 2, SINGLE: DELETED + UNLISTED}
    assert office.warehouse.equals_calendly()


def test_a_new_or_changed_meeting_brings_its_event_type(office: Office) -> None:
    office.run()
    deleted, unlisted = office.add("Deleted at once"), office.add(None, listed=False)
    for uri in (deleted, unlisted):
        office.book(uri, days=2)
        office.book(uri, days=3)
    office.calendly.delete_event_type(uri=deleted)

    assert office.run() == {LIST: 2, SINGLE: 2}
    assert office.warehouse.equals_calendly()
    assert {deleted, unlisted} <= office.loaded


@pytest.mark.usefixtures("small_pages")
def test_a_new_meeting_costs_one_request_for_each_page_of_event_types(office: Office) -> None:
    for number in range(14):  # three pages with the one there is
        office.add(f"Listed {number}")
    office.run()
    office.book(office.unlisted[0], days=2)

    assert office.run() == {LIST: 1 + 3, SINGLE: 1}
    assert office.warehouse.equals_calendly()


def test_an_event_type_added_after_the_list_was_read_has_a_row_after_the_same_run(
    office: Office,
) -> None:
    office.run()
    requests = iter(range(100))

    def interlude() -> None:
        office.clock.advance(timedelta(seconds=1))
        if next(requests) == 2:  # after the token's user and the event types
            office.book(office.add("Just added"), days=5)

    office.sandbox.interrupt(interlude)
    assert office.run() == {LIST: 2}

    assert office.warehouse.equals_calendly()


# The quick ones are killed between a page of meetings and the STATE that passes them.
@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("killed_after", cases(range(1, 85), quick=[21, 47, 73]))
def test_a_run_killed_after_any_message_forgets_no_event_type(
    office: Office, killed_after: int
) -> None:
    office.run(killed_after=killed_after)

    office.run()

    assert office.warehouse.equals_calendly()


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("nth", cases([1, 12, DELETED + UNLISTED], quick=[12]))
def test_an_event_type_that_cannot_be_read_fails_event_types_alone_and_comes_with_the_next_run(
    office: Office, waits: list[float], nth: int
) -> None:
    office.sandbox.faults.add(Fault(f"{LIST}/*", status=500, after=nth - 1, times=None))

    for asked in (nth, 1):  # none after the one that failed
        with pytest.raises(StreamsError, match=r"^event_types: Calendly answered 500 to GET /ev"):
            office.run()

        assert waits
        assert len(set(office.singles)) == asked
        assert not office.warehouse.equals_calendly()
        expected = truth(office.sandbox)
        for stream in ("scheduled_events", "event_invitees"):
            assert office.warehouse.tables[stream] == expected[stream]
        bookmarks = office.warehouse.state["bookmarks"]
        assert "sweep" not in bookmarks["event_invitees"]
        left = bookmarks.get("scheduled_events", {}).get("sweep")
        assert left is None or left["streams"] == ["scheduled_events"]
    office.sandbox.faults.clear()
    office.run()

    assert office.warehouse.equals_calendly()
    assert INVITEES not in office.sandbox.requests_by_path()
    assert len(office.singles) == len(set(office.singles))
    assert office.run() == {LIST: 1}


@pytest.mark.parametrize("answer", [{}, {"uri": None}, {"uri": ""}])
def test_an_event_type_without_its_uri_is_asked_for_again(
    office: Office, waits: list[float], answer: dict[str, object]
) -> None:
    office.sandbox.faults.add(Fault(f"{LIST}/*", status=200, body={"resource": answer}))

    office.run()

    assert len(waits) == 1
    assert office.warehouse.equals_calendly()


def test_a_list_that_cannot_be_read_fails_event_types_alone_and_comes_with_the_next_run(
    office: Office,
) -> None:
    office.run()
    deleted = office.add("Deleted at once")
    office.book(deleted, days=2)
    office.calendly.delete_event_type(uri=deleted)
    office.sandbox.faults.add(Fault(LIST, status=400, after=1, times=None))

    with pytest.raises(StreamsError, match=r"^event_types: Calendly answered 400 to GET /event_ty"):
        office.run()

    expected = truth(office.sandbox)["scheduled_events"]
    assert office.warehouse.tables["scheduled_events"] == expected
    assert deleted not in office.loaded
    office.sandbox.faults.clear()
    office.run()
    assert office.warehouse.equals_calendly()


def test_an_event_type_that_a_stream_map_cannot_take_fails_event_types_alone(
    office: Office,
) -> None:
    office.warehouse.settings["stream_maps"] = {"event_types": {"title": "name + '!'"}}
    nameless = office.add(None, listed=False)
    office.book(nameless, days=2)

    with pytest.raises(StreamsError, match=r"^event_types: "):
        office.run()

    expected = truth(office.sandbox)["scheduled_events"]
    assert office.warehouse.tables["scheduled_events"] == expected
    office.warehouse.settings.clear()
    office.run()
    assert nameless in office.loaded


def test_event_types_that_failed_in_their_turn_are_not_tried_again_before_the_next_run(
    office: Office,
) -> None:
    office.sandbox.faults.add(Fault(LIST, status=400))
    with pytest.raises(StreamsError, match=r"^event_types: Calendly answered 400"):
        office.run()

    assert office.requests() == {LIST: 1}
    expected = truth(office.sandbox)
    for stream in ("scheduled_events", "event_invitees"):
        assert office.warehouse.tables[stream] == expected[stream]
    office.run()
    assert office.warehouse.equals_calendly()
    assert INVITEES not in office.sandbox.requests_by_path()


def test_without_new_meetings_nothing_is_owed_to_event_types_that_failed(office: Office) -> None:
    office.run()
    office.sandbox.faults.add(Fault(LIST, status=400))
    with pytest.raises(StreamsError, match=r"^event_types: Calendly answered 400"):
        office.run()

    bookmarks = office.warehouse.state["bookmarks"]
    assert bookmarks["scheduled_events"]["replication_key_value"] == (
        office.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def test_event_types_that_are_hidden_or_gone_are_passed_over(
    office: Office, waits: list[float]
) -> None:
    """The first refusal is asked again, as it may pass; the others cost no pause."""
    *hidden, gone = office.unlisted[:3]
    for uri, status in ((hidden[0], 403), (hidden[1], 403), (gone, 404)):
        path = f"{LIST}/{uri.rsplit('/', 1)[-1]}"
        office.sandbox.faults.add(Fault(path, status=status, times=None))
        office.book(uri, days=2)

    assert office.run() == {LIST: 1, SINGLE: DELETED + UNLISTED + 1}

    assert waits == [5]
    assert office.loaded == {office.call, *office.deleted, *office.unlisted} - {*hidden, gone}
    assert office.run() == {LIST: 1}


def test_an_event_type_that_is_refused_in_passing_is_loaded(
    office: Office, waits: list[float]
) -> None:
    for number in (0, 2):
        office.sandbox.faults.add(Fault(f"{LIST}/*", status=403, after=number, times=1))

    office.run()

    assert waits == [5, 5]
    assert office.loaded == {office.call, *office.deleted, *office.unlisted}


def test_a_meeting_that_names_no_event_type_is_loaded(office: Office) -> None:
    names = cycle([None, 5, "", "Call", "https://api.calendly.com/event_types/"])
    for event, named in zip(office.meetings.values(), names, strict=False):
        office.calendly.events[event]["event_type"] = named

    assert office.run() == {LIST: 1}
    assert len(office.warehouse.tables["scheduled_events"]) == 1 + DELETED + UNLISTED


@pytest.mark.parametrize(
    ("select", "requests"),
    [
        ({"event_types"}, {LIST: 1}),
        ({"event_types", "event_invitees"}, {LIST: 1}),
        ({"scheduled_events", "event_invitees"}, {}),
    ],
    ids=["no meetings", "invitees alone", "no event types"],
)
def test_without_meetings_or_event_types_selected_nothing_more_is_read(
    office: Office, select: set[str], requests: dict[str, int]
) -> None:
    assert office.run(select=select) == requests

    if "event_types" in select:
        assert office.loaded == {office.call}


def test_without_access_to_event_types_nothing_more_is_read(office: Office) -> None:
    token = office.sandbox.access.issue(office.calendly.owner, {"scheduled_events:read"})
    organization = office.calendly.organization["uri"]

    run = sync(
        office.sandbox, select=SELECTED, personal_access_token=token, organization=organization
    )

    assert office.requests() == {LIST: 1}
    assert run.tables()["scheduled_events"] == truth(office.sandbox)["scheduled_events"]


def test_event_types_that_no_list_has_bring_no_rows_of_their_children(office: Office) -> None:
    office.run(select={*SELECTED, "event_type_memberships"})

    assert office.warehouse.equals_calendly()
    assert office.sandbox.requests_by_path()["/event_type_memberships"] == 1


@pytest.mark.parametrize("marks_what_vanished", [False, True])
def test_a_full_table_of_event_types_keeps_what_meetings_name(
    office: Office, *, marks_what_vanished: bool
) -> None:
    full = catalog(SELECTED, "FULL_TABLE")
    assert full is not None
    if marks_what_vanished:
        for stream in full["streams"]:
            stream.pop("replication_key", None)
            for part in stream["metadata"]:
                part["metadata"].pop("replication-key", None)

    run = sync(office.sandbox, full_catalog=full)

    assert bool(run.of("ACTIVATE_VERSION", "event_types")) == marks_what_vanished
    assert run.tables()["event_types"] == truth(office.sandbox)["event_types"]
