"""The guarantees in the table of docs/guarantees.md, but for changes to invitees alone."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.runs.office import A_WHILE

if TYPE_CHECKING:
    from tests.runs.office import Office


@pytest.mark.parametrize("days", [-6, 0.5, 300])
@pytest.mark.parametrize("change", ["cancel", "reschedule", "notes"])
def test_a_change_to_an_upcoming_or_recent_meeting_shows_after_the_next_run(
    office: Office, days: float, change: str
) -> None:
    event, invitee = office.book(days)
    office.book(30)  # which does not change
    office.run()
    office.pass_days(0.2)
    if change == "cancel":
        office.calendly.cancel(event=event)
    elif change == "reschedule":
        office.calendly.reschedule(invitee=invitee, start=office.clock.now() + timedelta(days=4))
    else:
        office.calendly.edit_notes(event=event, plain="Agreed")

    read = office.run()

    assert office.warehouse.equals_calendly()
    assert read == (2 if change == "reschedule" else 1)


def test_a_change_that_moves_no_timestamp_shows_after_the_next_run(
    office: Office,
) -> None:
    event, _ = office.book(20)
    office.run()
    office.pass_days(1)
    office.calendly.edit_notes(event=event, plain="Quietly", moves_updated_at=False)

    assert office.run() == 0
    assert office.warehouse.equals_calendly()


def test_a_future_start_date_leaves_the_bookmark_alone(office: Office) -> None:
    """It limits meetings by their start; changes are still read from the last run on."""
    event, _ = office.book(50)
    office.run()
    office.pass_days(1)
    office.calendly.cancel(event=event)
    office.pass_days(1)
    start_date = office.clock.now() + timedelta(days=10)
    office.warehouse.settings["start_date"] = start_date.isoformat()

    assert office.run() == 1
    assert office.warehouse.equals_calendly()


def test_each_stream_has_its_own_bookmark(office: Office) -> None:
    """A change that one stream has picked up is still new to the other."""
    office.book(20)
    event, invitee = office.book(-3)
    office.run()
    office.pass_days(3)
    office.calendly.edit_notes(event=event, plain="Seen by events alone")
    office.calendly.mark_no_show(invitee=invitee)
    office.run(select={"scheduled_events"})
    office.pass_days(3)
    office.run(select={"scheduled_events"})
    office.pass_days(3)

    assert office.run(select={"scheduled_events", "event_invitees"}) == 1
    assert office.warehouse.equals_calendly()


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wrong_local_clock_changes_nothing(
    office: Office, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: office.clock.now().timestamp() + minutes * 60)
    event, _ = office.book(1)
    office.run()
    office.calendly.cancel(event=event)
    office.book(2)
    office.run()

    assert office.warehouse.equals_calendly()
    bookmark = office.warehouse.state["bookmarks"]["scheduled_events"]["replication_key_value"]
    assert bookmark == office.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_new_booking_shows_after_the_next_run(office: Office) -> None:
    office.run()
    office.pass_days(1)
    office.book(0.01)
    office.book(200)

    assert office.run() == 2
    assert office.warehouse.equals_calendly()


@pytest.mark.parametrize("moves", [True, False])
def test_a_change_to_an_older_meeting_shows_after_the_next_full_scan(
    office: Office, *, moves: bool
) -> None:
    event, _ = office.book(-100)
    office.run()
    office.pass_days(1)
    office.calendly.edit_notes(event=event, plain="Later", moves_updated_at=moves)
    office.run()
    assert not office.shows("scheduled_events", event)

    office.pass_days(6)
    read = office.run()

    assert office.warehouse.equals_calendly()
    assert read == (1 if moves else 0)


def test_a_late_cancellation_shows_with_its_invitee_after_the_next_full_scan(
    office: Office,
) -> None:
    event, _ = office.book(-100)
    office.run()
    office.pass_days(1)
    office.calendly.cancel(event=event)
    office.pass_days(6)

    assert office.run() == 1
    assert office.warehouse.equals_calendly()


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_change_during_a_run_shows_after_the_next_run(
    office: Office, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", 2)
    booked = [office.book(days) for days in (-3, -2, 1, 1, 2, 3)]
    office.run()
    office.pass_days(0.5)
    requests = iter(range(1, 1000))

    def interlude() -> None:
        office.clock.advance(timedelta(seconds=40))
        if next(requests) == nth:
            office.calendly.mark_no_show(invitee=booked[0][1])
            office.calendly.cancel(event=booked[3][0])
            office.book(0.7)  # moves the rows that follow to later pages
            office.book(-1)

    office.warehouse.sandbox.interrupt(interlude)
    office.run()
    office.warehouse.sandbox.interrupt(None)
    office.pass_days(0.1)
    office.run()

    assert office.warehouse.equals_calendly()


def test_the_bookmark_is_the_start_of_the_run_by_calendlys_clock(office: Office) -> None:
    office.book(1)
    office.book(2)
    began = office.clock.now() + A_WHILE  # the computer's own clock is months off
    office.warehouse.sandbox.interrupt(lambda: office.clock.advance(timedelta(minutes=1)))

    office.run(select={"scheduled_events", "event_invitees"})

    for stream in ("scheduled_events", "event_invitees"):
        bookmark = office.warehouse.state["bookmarks"][stream]["replication_key_value"]
        # the token's user is requested first, then the first page of meetings
        assert bookmark == (began + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_change_committed_with_an_earlier_timestamp_shows_after_the_next_run(
    office: Office,
) -> None:
    event, _ = office.book(20)
    office.run()
    office.pass_days(1)
    office.run()
    row = office.calendly.events[event]
    # committed only now, with the time at which it began
    row["updated_at"] = (office.clock.now() - timedelta(minutes=4)).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ"
    )
    office.calendly.invitees[event][0]["name"] = "Ada King"
    office.pass_days(1)

    assert office.run() == 1
    assert office.warehouse.equals_calendly()


def test_an_edited_event_type_shows_after_the_next_run(office: Office) -> None:
    office.run()
    office.pass_days(1)
    office.calendly.edit_event_type(uri=office.call, name="Phone call")
    run = office.warehouse.run(select={"event_types"})

    assert [row["name"] for row in run.rows("event_types")] == ["Phone call"]
    assert office.warehouse.equals_calendly()


def test_an_event_type_that_no_list_has_shows_after_the_next_run(office: Office) -> None:
    office.book(-40)
    office.run()
    host = office.calendly.owner
    deleted = office.calendly.add_event_type(owner=host, name="Brief", duration=15)
    start = office.clock.now() + timedelta(days=1)
    office.calendly.book(event_type=deleted, start=start, name="Ada", email="ada@example.com")
    office.calendly.delete_event_type(uri=deleted)
    office.run()

    assert office.shows("event_types", deleted)
    assert office.warehouse.equals_calendly()


def test_a_deleted_event_type_shows_as_such_after_the_next_full_scan(office: Office) -> None:
    office.book(-40)
    office.run()
    office.calendly.delete_event_type(uri=office.call)
    office.run()
    assert not office.shows("event_types", office.call)
    office.pass_days(7)
    office.run()

    assert office.shows("event_types", office.call)
    assert office.warehouse.equals_calendly()


def test_a_member_who_left_is_marked_after_the_next_run(office: Office) -> None:
    left = office.calendly.add_member(name="Alan", email="alan@example.com")
    office.run()
    office.pass_days(1)
    office.calendly.remove_member(user=left)
    run = office.warehouse.run(select={"organization_memberships"})

    kinds = [m["type"] for m in run.messages if m.get("stream") == "organization_memberships"]
    assert kinds == ["SCHEMA", "RECORD", "RECORD", "ACTIVATE_VERSION"]
    assert office.warehouse.equals_calendly()


def test_a_submission_shows_its_booking_after_the_next_run(office: Office) -> None:
    form = office.calendly.add_routing_form(name="Contact", questions=[])
    value = {"type": "event_type", "value": office.call}
    submission = office.calendly.submit_form(form=form, answers={}, result=value)
    office.run()
    office.pass_days(6.9)
    office.calendly.book_from_submission(
        submission=submission,
        start=office.clock.now() + timedelta(days=1),
        name="Ada",
        email="ada@example.com",
    )
    office.run()

    assert office.warehouse.equals_calendly()
