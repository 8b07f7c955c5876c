"""Each table equals Calendly's data, and each stream writes the messages that Singer expects."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.streams import STREAMS
from tests.singer import Run, sync, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock


def test_every_table_equals_calendly(large_sandbox: Sandbox) -> None:
    tables = sync(large_sandbox).tables()

    assert tables == truth(large_sandbox)
    assert len(tables["scheduled_events"]) == 300
    assert all(tables.values())


def test_a_second_run_leaves_the_tables_unchanged(sandbox: Sandbox) -> None:
    first = sync(sandbox)
    second = sync(sandbox, state=first.state)

    assert second.tables(first.tables()) == first.tables()


def test_each_stream_has_one_schema_message_before_its_rows(large_sandbox: Sandbox) -> None:
    run = sync(large_sandbox)

    announced: set[str] = set()
    for message in run.messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in announced
            announced.add(message["stream"])
        elif message["type"] == "RECORD":
            assert message["stream"] in announced
    assert announced == BY_DEFAULT


def test_a_stream_without_rows_still_gets_its_table(empty_sandbox: Sandbox) -> None:
    tables = sync(empty_sandbox).tables()

    assert set(tables) == BY_DEFAULT
    assert tables == truth(empty_sandbox)


def test_each_stream_has_one_bookmark_whatever_the_volume(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    run = sync(large_sandbox)

    began = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    bookmarks = run.state["bookmarks"]
    assert {name: entry.get("replication_key") for name, entry in bookmarks.items()} == {
        stream.name: stream.replication_key for stream in STREAMS if stream.selected_by_default
    }
    assert {
        entry["replication_key_value"] for entry in bookmarks.values() if "replication_key" in entry
    } == {began}
    assert len(json.dumps(run.state)) < 3_000


def test_a_stream_that_was_not_read_completely_keeps_its_bookmark(
    sandbox: Sandbox, clock: SimulatedClock, waits: list[float]
) -> None:
    first = sync(sandbox)
    clock.advance(timedelta(days=1))
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=500, after=1, times=None))

    run = Run()
    with pytest.raises(CalendlyError):
        sync(sandbox, state=first.state, into=run)

    assert waits
    kept, before = run.state["bookmarks"], first.state["bookmarks"]
    interrupted = kept["event_invitees"].pop("sweep", {"streams": ["event_invitees"]})
    assert interrupted["streams"] == ["event_invitees"]
    assert kept["event_invitees"] == before["event_invitees"]
    moved = [bookmarks["scheduled_events"]["replication_key_value"] for bookmarks in (before, kept)]
    assert moved[0] < moved[1]


def test_event_types_are_read_down_to_the_bookmark(sandbox: Sandbox, clock: SimulatedClock) -> None:
    first = sync(sandbox, select={"event_types"})
    clock.advance(timedelta(days=1))
    edited = next(iter(sandbox.calendly.event_types))
    sandbox.calendly.edit_event_type(uri=edited, name="Renamed")

    second = sync(sandbox, select={"event_types"}, state=first.state)

    assert [row["uri"] for row in second.rows("event_types")] == [edited]
    assert second.tables(first.tables())["event_types"] == truth(sandbox)["event_types"]


def test_a_submission_is_read_again_when_the_visitor_books_within_the_lookback(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    calendly = sandbox.calendly
    select = {"routing_form_submissions"}
    form = next(iter(calendly.routing_forms))
    event_type = next(
        uri for uri, row in calendly.event_types.items() if row["active"] and row["kind"] == "solo"
    )
    result = {"type": "event_type", "value": event_type}
    old = calendly.submit_form(form=form, answers={}, result=result)
    clock.advance(timedelta(days=8))
    recent = calendly.submit_form(form=form, answers={}, result=result)
    clock.advance(timedelta(hours=1))
    first = sync(sandbox, select=select)
    clock.advance(timedelta(days=6))
    calendly.book_from_submission(
        submission=recent,
        event_type=event_type,
        start=clock.now() + timedelta(days=2),
        name="Ada",
        email="ada@example.com",
    )

    second = sync(sandbox, select=select, state=first.state)

    written = {row["uri"] for row in second.rows("routing_form_submissions")}
    assert recent in written
    assert old not in written
    tables = second.tables(first.tables())
    assert tables["routing_form_submissions"] == truth(sandbox)["routing_form_submissions"]


def test_start_date_limits_meetings_by_start_and_submissions_by_creation(sandbox: Sandbox) -> None:
    expected = truth(sandbox)
    starts = sorted(row["start_time"] for row in expected["scheduled_events"].values())
    start_date = starts[len(starts) // 2]  # a meeting that starts exactly then is included

    tables = sync(sandbox, start_date=start_date).tables()

    events = expected["scheduled_events"] = {
        uri: row
        for uri, row in expected["scheduled_events"].items()
        if row["start_time"] >= start_date
    }
    expected["event_invitees"] = {
        uri: row for uri, row in expected["event_invitees"].items() if row["event"] in events
    }
    expected["routing_form_submissions"] = {
        uri: row
        for uri, row in expected["routing_form_submissions"].items()
        if row["created_at"] >= start_date
    }
    for stream, timestamp in (
        ("activity_log_entries", "occurred_at"),
        ("outgoing_communications", "created_at"),
    ):
        expected[stream] = {
            key: row for key, row in expected[stream].items() if row[timestamp] >= start_date
        }
    assert tables == expected


def test_start_date_is_never_compared_with_a_bookmark(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    first = sync(sandbox, start_date="2020-01-01", select={"event_types"})
    clock.advance(timedelta(days=1))
    edited = next(iter(sandbox.calendly.event_types))
    sandbox.calendly.edit_event_type(uri=edited, name="Renamed")

    later = (clock.now() + timedelta(days=1)).isoformat()
    second = sync(sandbox, state=first.state, start_date=later, select={"event_types"})

    assert [row["uri"] for row in second.rows("event_types")] == [edited]


def test_invitees_selected_alone_are_complete(sandbox: Sandbox) -> None:
    tables = sync(sandbox, select={"event_invitees"}).tables()

    assert tables == {"event_invitees": truth(sandbox)["event_invitees"]}


def test_events_selected_alone_request_no_invitees(sandbox: Sandbox) -> None:
    sync(sandbox, select={"scheduled_events"})

    assert "/scheduled_events/{uuid}/invitees" not in sandbox.requests_by_path()


def test_a_first_run_makes_one_request_per_meeting_and_per_page(large_sandbox: Sandbox) -> None:
    sync(large_sandbox, select={"scheduled_events", "event_invitees"})

    assert large_sandbox.requests_by_path() == {
        "/users/me": 1,
        "/scheduled_events": 4,  # each page begins at the last start time of the one before
        "/scheduled_events/{uuid}/invitees": 300,
    }


def test_full_table_replication_forced_by_the_catalog_reads_everything_again(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    first = sync(sandbox)
    clock.advance(timedelta(days=30))

    again = sync(sandbox, state=first.state, forced_method="FULL_TABLE")

    assert again.tables() == truth(sandbox)


def test_filtering_out_meetings_filters_out_their_invitees(sandbox: Sandbox) -> None:
    only_active = {"scheduled_events": {"__filter__": "status == 'active'"}}

    tables = sync(sandbox, stream_maps=only_active).tables()

    assert {row["status"] for row in tables["scheduled_events"].values()} == {"active"}
    assert {row["event"] for row in tables["event_invitees"].values()} <= set(
        tables["scheduled_events"]
    )


def test_a_filter_on_a_deselected_stream_still_filters_its_children(
    sandbox: Sandbox,
) -> None:
    maps = {
        "scheduled_events": {"__filter__": "status == 'active'", "location": None},
        "contacts": {"name": None},
    }

    run = sync(sandbox, select={"event_invitees"}, stream_maps=maps)

    active = {uri for uri, event in sandbox.calendly.events.items() if event["status"] == "active"}
    assert {row["event"] for row in run.rows("event_invitees")} == active
    assert {message["stream"] for message in run.of("SCHEMA")} == {"event_invitees"}


@pytest.mark.parametrize("kind", ["organization", "user", "group"])
def test_scope_decides_whose_meetings_are_read(sandbox: Sandbox, kind: str) -> None:
    calendly = sandbox.calendly
    host = next(
        membership["user"]
        for event in calendly.events.values()
        for membership in event["event_memberships"]
        if membership["user"] in calendly.users
    )
    group = next(uri for uri, members in calendly.group_members.items() if host in members)
    hosts = {
        "organization": None,
        "user": {host},
        "group": calendly.group_members[group],
    }[kind]

    tables = sync(sandbox, scope=kind, user=host, group=group).tables()

    assert set(tables["scheduled_events"]) == {
        uri
        for uri, event in calendly.events.items()
        if hosts is None
        or hosts & {membership["user"] for membership in event["event_memberships"]}
    }


def test_a_user_without_an_admin_role_can_read_their_own_meetings(sandbox: Sandbox) -> None:
    calendly = sandbox.calendly
    member = next(
        row["user"]["uri"] for row in calendly.memberships.values() if row["role"] == "user"
    )

    tables = sync(
        sandbox,
        scope="user",
        personal_access_token=sandbox.access.issue(member),
        select={"scheduled_events", "event_invitees", "organization_memberships"},
    ).tables()

    assert set(tables["scheduled_events"]) == {
        uri
        for uri, event in calendly.events.items()
        if member in {membership["user"] for membership in event["event_memberships"]}
    }
    assert [row["user"]["uri"] for row in tables["organization_memberships"].values()] == [member]


BY_DEFAULT = {stream.name for stream in STREAMS if stream.selected_by_default}

UNSTORABLE = r"A\u0000B \ud83d C \ud83d\ude00 \udc00"


def test_characters_that_databases_reject_are_replaced_and_counted(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """NUL and lone surrogates; a complete pair is an emoji."""
    caplog.set_level(logging.INFO, "tap-calendly")
    (uri,) = list(sandbox.calendly.event_types)[:1]
    body = f"""{{"collection": [{{"uri": "{uri}", "name": "{UNSTORABLE}", "updated_at": null}}],
        "pagination": {{"next_page": null}}}}"""
    sandbox.faults.add(Fault("/event_types", status=200, body=body))

    (row,) = sync(sandbox, select={"event_types"}).rows("event_types")

    assert row["name"] == "A\ufffdB \ufffd C \U0001f600 \ufffd"
    assert "event_types: 1 row, 1 request, 1 text cleaned" in caplog.messages


def test_a_field_missing_from_the_schema_is_left_out_and_named_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for event_type in sandbox.calendly.event_types.values():
        event_type["favourite_colour"] = "blue"
        event_type["profile"]["shoe_size"] = 43

    rows = sync(sandbox, select={"event_types"}).rows("event_types")

    assert rows
    assert not any("favourite_colour" in row for row in rows)
    assert all(row["profile"]["shoe_size"] == 43 for row in rows)
    (line,) = [line for line in caplog.messages if "favourite_colour" in line]
    assert line.startswith("event_types: fields that this version")


def test_fields_that_calendly_does_not_document_are_loaded_without_a_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for event_type in sandbox.calendly.event_types.values():
        event_type["kind_description"] = "One-on-One"

    run = sync(sandbox, select={"event_types", "organizations"})

    assert {row["kind_description"] for row in run.rows("event_types")} == {"One-on-One"}
    assert [row["id"] for row in run.rows("organizations")] == [sandbox.calendly.organization["id"]]
    assert not [line for line in caplog.messages if "does not know" in line]


@pytest.mark.parametrize("stream", ["activity_log_entries", "outgoing_communications"])
def test_an_append_only_stream_is_read_from_its_bookmark_on(
    large_sandbox: Sandbox, clock: SimulatedClock, stream: str
) -> None:
    first = sync(large_sandbox, select={stream})
    clock.advance(timedelta(days=1))
    calendly = large_sandbox.calendly
    calendly.invite(email="new@example.com")
    invitee = next(one[0]["uri"] for one in calendly.invitees.values() if one)
    calendly.send_message(invitee=invitee, body="See you soon")

    run = sync(large_sandbox, select={stream}, state=first.state)

    assert 1 <= len(run.rows(stream)) <= 2 < len(first.rows(stream))
    assert run.tables(first.tables())[stream] == truth(large_sandbox)[stream]


def test_hosts_of_an_unchanged_event_type_are_read_in_every_run(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    """A new host moves no timestamp of the event type."""
    select = {"event_types", "event_type_memberships"}
    first = sync(sandbox, select=select)
    clock.advance(timedelta(days=1))
    calendly = sandbox.calendly
    member = calendly.add_member(name="Yuki", email="yuki@example.com")
    hosted = next(
        row["event_type_uri"]
        for row in first.rows("event_type_memberships")
        if calendly.event_types[row["event_type_uri"]]["pooling_type"] is not None
    )
    calendly.add_host(event_type=hosted, user=member)

    run = sync(sandbox, select=select, state=first.state)

    tables = run.tables(first.tables())
    assert tables == {stream: truth(sandbox)[stream] for stream in select}
    assert member in {row["member"]["uri"] for row in tables["event_type_memberships"].values()}
