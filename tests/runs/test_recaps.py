"""Recaps of every status are loaded, with their texts and transcripts where they are available."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tests.singer import sync, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock


def with_recaps(sandbox: Sandbox) -> list[str]:
    """Add four recaps of the owner: two available, one being processed, one unavailable."""
    calendly = sandbox.calendly
    call = calendly.add_event_type(owner=calendly.owner, name="Call", duration=30)
    recaps = []
    for day in range(4):
        start = calendly.clock.now() - timedelta(days=1 + day)
        event, _ = calendly.book(event_type=call, start=start, name="Bo", email="bo@example.com")
        recaps.append(calendly.start_recap(event=event))
    for recap in recaps[:2]:
        calendly.finish_recap(recap=recap, transcript="-", summary="-")
    calendly.change_recap(recap=recaps[3], status="unavailable")
    return recaps


def test_an_unchanged_recap_is_not_read_again(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    """Its text takes one request, its transcript another; the last week is always read again."""
    select = {"meeting_recaps", "meeting_recap_transcripts"}
    first = sync(large_sandbox, select=select)
    transcripts = {row["recap_uri"] for row in first.rows("meeting_recap_transcripts")}
    assert len(transcripts) > 1
    clock.advance(timedelta(days=1))
    changed = first.rows("meeting_recap_transcripts")[0]["recap_uri"]
    large_sandbox.calendly.share_recap(recap=changed)
    large_sandbox.forget_requests()

    run = sync(large_sandbox, select=select, state=first.state)

    week_ago = (clock.now() - timedelta(days=8, minutes=6)).isoformat()
    recent = {row["uri"] for row in first.rows("meeting_recaps") if row["updated_at"] >= week_ago}
    read = {row["uri"] for row in run.rows("meeting_recaps")}
    assert read == recent | {changed}
    assert len(read) < len(first.rows("meeting_recaps"))
    assert large_sandbox.requests_by_path() == {
        "/users/me": 1,
        "/meeting_recaps": 3,  # one for each status
        "/meeting_recaps/{uuid}": len(read & transcripts),
        "/meeting_recaps/{uuid}/transcript": len(read & transcripts),
    }
    tables = run.tables(first.tables())["meeting_recaps"]
    assert tables == truth(large_sandbox)["meeting_recaps"]


def test_a_recap_refused_in_passing_does_not_fail_the_run(
    empty_sandbox: Sandbox, waits: list[float]
) -> None:
    with_recaps(empty_sandbox)
    empty_sandbox.faults.add(Fault("/meeting_recaps/*", status=403))

    tables = sync(empty_sandbox, select={"groups", "meeting_recaps"}).tables()

    assert tables["meeting_recaps"] == truth(empty_sandbox)["meeting_recaps"]
    assert waits == [pytest.approx(5)]


def test_transcripts_selected_alone_are_incremental_and_request_no_details(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    select = {"meeting_recap_transcripts"}
    first = sync(large_sandbox, select=select)
    assert "/meeting_recaps/{uuid}" not in large_sandbox.requests_by_path()
    clock.advance(timedelta(days=300))

    run = sync(large_sandbox, select=select, state=first.state)

    assert len(first.rows("meeting_recap_transcripts")) > 1
    assert len(run.rows("meeting_recap_transcripts")) < len(first.rows("meeting_recap_transcripts"))


def test_transcripts_selected_later_are_complete(
    large_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    first = sync(large_sandbox, select={"meeting_recaps"})
    clock.advance(timedelta(days=1))

    run = sync(
        large_sandbox, select={"meeting_recaps", "meeting_recap_transcripts"}, state=first.state
    )

    statuses = [row["status"] for row in first.rows("meeting_recaps")]
    assert len(run.rows("meeting_recap_transcripts")) == statuses.count("available") > 1


def test_recaps_of_every_status_are_read_and_only_available_ones_again_for_their_texts(
    empty_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    recaps = with_recaps(empty_sandbox)
    select = {"meeting_recaps", "meeting_recap_transcripts"}
    first = sync(empty_sandbox, select=select)

    rows = first.tables()["meeting_recaps"]
    assert rows == truth(empty_sandbox)["meeting_recaps"]
    statuses = ["available", "available", "processing", "unavailable"]
    assert [rows[uri]["status"] for uri in recaps] == statuses
    assert ["summary_md" in rows[uri] for uri in recaps] == [True, True, False, False]
    assert len(first.rows("meeting_recap_transcripts")) == 2
    assert empty_sandbox.requests_by_path() == {
        "/users/me": 1,
        "/meeting_recaps": 3,
        "/meeting_recaps/{uuid}": 2,
        "/meeting_recaps/{uuid}/transcript": 2,
    }
    clock.advance(timedelta(hours=1))
    empty_sandbox.calendly.finish_recap(recap=recaps[2], transcript="Hello!", summary="Done")
    second = sync(empty_sandbox, select=select, state=first.state)
    tables = second.tables(first.tables())
    assert tables["meeting_recaps"] == truth(empty_sandbox)["meeting_recaps"]
    assert len(tables["meeting_recap_transcripts"]) == 3


def test_a_recap_that_becomes_unavailable_after_it_was_listed_is_loaded_as_such(
    empty_sandbox: Sandbox,
) -> None:
    hidden = with_recaps(empty_sandbox)[1]

    def interlude() -> None:
        if empty_sandbox.requests_by_path().get("/meeting_recaps/{uuid}"):
            empty_sandbox.interrupt(lambda: None)
            empty_sandbox.calendly.change_recap(recap=hidden, status="unavailable")

    empty_sandbox.interrupt(interlude)
    tables = sync(empty_sandbox, select={"meeting_recaps"}, max_concurrent_requests=1).tables()

    assert tables["meeting_recaps"] == truth(empty_sandbox)["meeting_recaps"]
    assert tables["meeting_recaps"][hidden]["status"] == "unavailable"
