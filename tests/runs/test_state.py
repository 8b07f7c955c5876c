"""A state holds for the settings it was made with; under other settings nothing is missed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.state import Captured, Range, StreamState, Sweep
from tests.inbox import Inbox
from tests.singer import KEYS, Warehouse, size_of, sync, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

TIMESTAMPS = st.integers(0, 10**15).map(
    lambda micros: datetime(2013, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)
)
BOUNDS = st.none() | TIMESTAMPS
CAPTURED = st.builds(Captured, TIMESTAMPS, TIMESTAMPS, BOUNDS, BOUNDS, BOUNDS)
SWEEPS = st.builds(
    Sweep,
    TIMESTAMPS,
    st.booleans(),
    BOUNDS,
    BOUNDS,
    BOUNDS,
    st.lists(st.builds(Range, BOUNDS, BOUNDS), max_size=12).map(tuple),
)


COMPLETE = {
    "replication_key_value": "2026-03-04T09:00:00Z",
    "full_scan": "2026-03-04T09:00:00Z",
    "window_start": None,
    "start_date": None,
    "earliest": None,
}
"""The state entry of a stream after a complete sweep."""

SWEEP = {
    "streams": ["scheduled_events", "event_invitees"],
    "began": "2026-03-04T09:00:00Z",
    "full": True,
    "window_start": None,
    "start_date": None,
    "earliest": None,
    "remaining": [],
}
"""The state entry of an interrupted sweep."""


@given(captured=CAPTURED, sweep=SWEEPS)
def test_a_written_state_is_read_back(captured: Captured, sweep: Sweep) -> None:
    entry: dict[str, Any] = {}
    written = StreamState("scheduled_events", entry, "organization AAAA", "updated_at")
    written.write(captured)
    written.write_interrupted(sweep, ["scheduled_events"])
    entry = json.loads(json.dumps(entry))

    known = StreamState("scheduled_events", entry, "organization AAAA", "updated_at")
    assert known.captured() == captured
    assert known.interrupted() == (sweep, ["scheduled_events"])
    other = StreamState("scheduled_events", entry, "organization BBBB", "updated_at")
    assert other.captured() is None
    assert other.interrupted() is None


def test_an_earlier_start_date_loads_the_older_rows(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox, {"start_date": "2026-02-01"})
    warehouse.run()
    clock.advance(timedelta(days=1))
    assert not warehouse.equals_calendly()

    warehouse.settings = {}
    warehouse.run()

    assert warehouse.equals_calendly()


def test_a_start_date_raised_and_lowered_again_loads_what_changed_meanwhile(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    calendly = sandbox.calendly
    warehouse = Warehouse(sandbox)
    warehouse.run()
    upcoming = next(
        uri
        for uri, event in calendly.events.items()
        if event["status"] == "active" and event["start_time"] > clock.now().isoformat()
    )
    warehouse.settings = {"start_date": (clock.now() + timedelta(days=90)).isoformat()}
    clock.advance(timedelta(days=1))
    calendly.cancel(event=upcoming)
    clock.advance(timedelta(days=1))
    warehouse.run()

    warehouse.settings = {}
    clock.advance(timedelta(days=1))
    warehouse.run()

    assert warehouse.equals_calendly()


def test_a_bookmark_without_a_scope_is_not_trusted(sandbox: Sandbox) -> None:
    """It may be of another organization."""
    old = {"replication_key": "updated_at", "replication_key_value": "2026-03-04T09:29:00Z"}
    warehouse = Warehouse(sandbox, state={"bookmarks": {"event_types": old}})

    warehouse.run(select={"event_types"})

    assert warehouse.equals_calendly()


def test_a_change_of_scope_loads_the_rows_of_the_new_one(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    host = next(iter(sandbox.calendly.events.values()))["event_memberships"][0]["user"]
    warehouse = Warehouse(sandbox, {"scope": "user", "user": host})
    warehouse.run()
    clock.advance(timedelta(days=1))
    assert not warehouse.equals_calendly()

    warehouse.settings = {}
    warehouse.run()

    assert warehouse.equals_calendly()


@pytest.mark.parametrize(
    ("stream", "rule"),
    [
        ("routing_forms", "name == 'nothing'"),
        ("scheduled_events", "status == 'active'"),
        ("event_types", "active"),
    ],
)
def test_removing_a_filter_loads_what_it_left_out(
    sandbox: Sandbox, clock: SimulatedClock, stream: str, rule: str
) -> None:
    warehouse = Warehouse(sandbox, {"stream_maps": {stream: {"__filter__": rule}}})
    warehouse.run()
    clock.advance(timedelta(days=1))
    assert not warehouse.equals_calendly()

    warehouse.settings = {}
    warehouse.run()

    assert warehouse.equals_calendly()


def test_invitees_selected_after_months_of_events_alone_are_complete(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    warehouse = Warehouse(sandbox)
    for _ in range(10):
        warehouse.run(select={"scheduled_events"})
        clock.advance(timedelta(days=7))

    warehouse.run(select={"scheduled_events", "event_invitees"})
    assert warehouse.equals_calendly()

    clock.advance(timedelta(days=1))
    warehouse.run(select={"event_invitees"})
    assert warehouse.equals_calendly()
    read = sandbox.requests_by_path().get("/scheduled_events/{uuid}/invitees", 0)
    assert read < len(sandbox.calendly.events) / 2


def test_a_state_from_before_sweeps_existed_is_accepted(sandbox: Sandbox) -> None:
    """Everything is read again."""
    bookmark = {"replication_key": "updated_at", "replication_key_value": "2026-03-04T09:00:00Z"}
    warehouse = Warehouse(sandbox)
    warehouse.state = {"bookmarks": {"scheduled_events": bookmark, "event_invitees": bookmark}}

    warehouse.run(select={"scheduled_events", "event_invitees"})

    assert warehouse.equals_calendly()


@pytest.mark.parametrize(
    "entry",
    [
        {"layout": 2},
        {"layout": "x"},
        {**COMPLETE, "replication_key_value": "yesterday"},
        {**COMPLETE, "full_scan": None},
        {**COMPLETE, "full_scan": {"a": 1}},
        {"sweep": []},
        {"sweep": {"began": "2026-03-04T09:00:00Z"}},
        {"sweep": {**SWEEP, "began": "x"}},
        {"sweep": {**SWEEP, "remaining": [["x"]]}},
        {name: value for name, value in COMPLETE.items() if name != "window_start"},
        {name: value for name, value in COMPLETE.items() if name != "earliest"},
        {name: value for name, value in COMPLETE.items() if name != "start_date"},
        {name: value for name, value in COMPLETE.items() if name != "full_scan"},
    ],
)
def test_an_invalid_state_is_rejected_in_one_line(sandbox: Sandbox, entry: dict[str, Any]) -> None:
    scope = f"organization {sandbox.calendly.organization['uri'].rsplit('/', 1)[-1]}"
    with pytest.raises(CalendlyError, match=r"^scheduled_events: the state .* read again\.$"):
        sync(sandbox, state={"bookmarks": {"scheduled_events": {"scope": scope, **entry}}})


@pytest.mark.parametrize("stream", ["contacts", "meeting_recaps"])
def test_a_bookmark_of_another_users_own_rows_is_ignored(
    large_sandbox: Sandbox, stream: str
) -> None:
    """Only the token says whose rows they are: with a colleague's state, none must be missed."""
    admin = next(
        row["user"]["uri"]
        for row in large_sandbox.calendly.memberships.values()
        if row["role"] == "admin"
    )
    token = large_sandbox.access.issue(admin)
    before = sync(large_sandbox, select={stream}, personal_access_token=token)

    run = sync(large_sandbox, select={stream}, state=before.state)

    assert run.tables()[stream] == truth(large_sandbox)[stream] != {}


@pytest.mark.parametrize("maps", [{"contacts": None}, {"event_types": {}, "__else__": None}])
def test_a_stream_removed_by_a_stream_map_is_complete_once_it_is_back(
    sandbox: Sandbox, clock: SimulatedClock, maps: dict[str, object]
) -> None:
    before = sync(sandbox, select={"contacts", "event_types"}, stream_maps=maps)
    clock.advance(timedelta(days=1))

    run = sync(sandbox, select={"contacts", "event_types"}, state=before.state)

    assert not before.rows("contacts")
    assert run.tables()["contacts"] == truth(sandbox)["contacts"]


def test_a_stream_map_that_removes_the_parent_ends_the_run_in_one_line(sandbox: Sandbox) -> None:
    with pytest.raises(
        CalendlyError, match=r"leaves out scheduled_events, for whose rows event_inv"
    ):
        sync(
            sandbox,
            select={"scheduled_events", "event_invitees"},
            stream_maps={"scheduled_events": None},
        )


def test_the_state_of_all_streams_is_below_4_kb(sandbox: Sandbox, inbox: Inbox) -> None:
    inbox.receive()

    run = sync(sandbox, select=KEYS, inbox_url=inbox.url)

    assert "position" in run.state["bookmarks"]["webhook_events"]
    assert sum(map(len, run.state["full_tables"].values())) > 15
    assert max(size_of(one["value"]) for one in run.of("STATE")) <= 4096


def test_a_full_table_stream_stays_full_table_whatever_the_catalog_says(sandbox: Sandbox) -> None:
    select = {"event_types", "event_type_memberships"}
    first = sync(sandbox, select=select, forced_method="INCREMENTAL")

    second = sync(sandbox, select=select, forced_method="INCREMENTAL", state=first.state)

    assert second.tables(first.tables()) == {name: truth(sandbox)[name] for name in select}
