"""With an inbox, what webhooks tell shows in the next run, for two requests a meeting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.inbox.delivery import (
    INVITEE_CANCELED,
    INVITEE_CREATED,
    NO_SHOW_CREATED,
    NO_SHOW_DELETED,
)
from tap_calendly.reporting.errors import StreamsError
from tap_calendly.timestamps import parse
from tests.runs.office import MEETINGS
from tests.singer import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runs.inbox import InboxOffice

HEALTH = 1
"""Requests of a run that has no news: for the subscription's health."""

PER_MEETING = 2


@pytest.fixture
def trusted(inbox_office: InboxOffice) -> InboxOffice:
    """An office whose last run has earned the inbox's trust."""
    inbox_office.run()
    assert inbox_office.run() == HEALTH
    return inbox_office


def test_a_run_without_news_costs_one_request(trusted: InboxOffice) -> None:
    assert trusted.run() == HEALTH
    assert list(trusted.warehouse.sandbox.requests_by_path()) == [
        "/webhook_subscriptions/{webhook_uuid}"
    ]


def _book(office: InboxOffice, _: str) -> dict[str, str]:
    return {office.book(3)[1]: INVITEE_CREATED}


def _cancel(office: InboxOffice, invitee: str) -> dict[str, str]:
    office.calendly.cancel(invitee=invitee, by="invitee")
    return {invitee: INVITEE_CANCELED}


def _reschedule(office: InboxOffice, invitee: str) -> dict[str, str]:
    start = office.clock.now() + timedelta(days=5)
    _, new = office.calendly.reschedule(invitee=invitee, start=start)
    return {new: INVITEE_CREATED, invitee: INVITEE_CANCELED}


def _mark(office: InboxOffice, invitee: str) -> dict[str, str]:
    office.calendly.mark_no_show(invitee=invitee)
    return {invitee: NO_SHOW_CREATED}


def _unmark(office: InboxOffice, invitee: str) -> dict[str, str]:
    _mark(office, invitee)
    office.run_with(NO_SHOW_CREATED, invitee)
    office.calendly.unmark_no_show(invitee=invitee)
    return {invitee: NO_SHOW_DELETED}


def _join(office: InboxOffice, invitee: str) -> dict[str, str]:
    meeting = invitee.partition("/invitees/")[0]
    other = office.calendly.join(event=meeting, name="Alan", email="alan@example.com")
    return {other: INVITEE_CREATED}


def _leave(office: InboxOffice, invitee: str) -> dict[str, str]:
    ((other, _),) = _join(office, invitee).items()
    office.run_with(INVITEE_CREATED, other)
    office.calendly.leave(invitee=invitee)
    return {invitee: INVITEE_CANCELED}


CHANGES: dict[str, Callable[[InboxOffice, str], dict[str, str]]] = {
    "booked": _book,
    "canceled": _cancel,
    "rescheduled": _reschedule,
    "marked as a no-show": _mark,
    "unmarked": _unmark,
    "seat taken": _join,
    "seat given up": _leave,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_webhooks_tell_shows_after_the_next_run(trusted: InboxOffice, change: str) -> None:
    older = change in {"marked as a no-show", "unmarked"}  # no run would look there otherwise
    _, invitee = trusted.book(-60 if older else 3, course="seat" in change)
    trusted.run_with(INVITEE_CREATED, invitee)
    told = CHANGES[change](trusted, invitee)
    for uri, event in told.items():
        trusted.deliver(event, uri)

    assert trusted.run() == HEALTH + PER_MEETING * len(told)
    assert trusted.warehouse.equals_calendly()
    assert trusted.run() == HEALTH


def test_deliveries_late_twice_and_out_of_order_show_after_they_came(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(3)
    trusted.run()
    booked = trusted.body(INVITEE_CREATED, invitee)
    trusted.calendly.cancel(invitee=invitee, by="invitee")
    canceled = trusted.body(INVITEE_CANCELED, invitee)
    trusted.deliver_body(canceled)
    trusted.run()
    assert trusted.warehouse.equals_calendly()

    trusted.pass_days(0.5)
    for body in (booked, canceled, booked):
        trusted.deliver_body(body)
    assert trusted.run() == HEALTH + PER_MEETING  # one meeting, however often it is named
    assert trusted.run() == HEALTH
    assert trusted.warehouse.equals_calendly()


def test_a_lost_delivery_of_what_moves_a_timestamp_shows_after_the_next_sweep(
    trusted: InboxOffice,
) -> None:
    trusted.book(3)
    assert trusted.run() == HEALTH

    trusted.pass_days(0.9)
    trusted.run()
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize(
    ("marked", "due"),
    [
        (1, 7),
        (6.5, 7),
        (8, 28),
        pytest.param(20, 28, marks=pytest.mark.exhaustive),
        pytest.param(29, 112, marks=pytest.mark.exhaustive),
    ],
)
def test_a_lost_no_show_shows_at_the_lookback_and_at_four_times_each_age(
    trusted: InboxOffice, marked: float, due: float
) -> None:
    event, invitee = trusted.book(1)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.pass_days(1 + marked)
    trusted.run()
    trusted.calendly.mark_no_show(invitee=invitee)
    started = parse(trusted.calendly.events[event]["start_time"])

    while (age := trusted.clock.now() - started) < timedelta(days=due - 1.1):
        trusted.pass_days(1)
        trusted.run()
    assert age < timedelta(days=due)
    assert not trusted.shows("event_invitees", invitee)
    trusted.pass_days(1.2)
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_an_edit_that_webhooks_do_not_tell_shows_after_the_next_sweep(trusted: InboxOffice) -> None:
    event, invitee = trusted.book(30)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.calendly.edit_notes(event=event, plain="Bring the contract")
    trusted.run()
    assert not trusted.shows("scheduled_events", event)

    trusted.pass_days(0.9)
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_with_an_inbox_a_change_to_an_upcoming_invitee_shows_a_day_before_the_start(
    trusted: InboxOffice,
) -> None:
    _, invitee = trusted.book(5)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.pass_days(1)
    trusted.run()
    trusted.calendly.pay(invitee=invitee, amount=20, currency="EUR")
    for _ in range(2):
        trusted.pass_days(1)
        trusted.run()
    assert not trusted.shows("event_invitees", invitee)

    trusted.pass_days(1)
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_with_an_inbox_an_erasure_from_a_canceled_meeting_shows_by_four_times_the_time_since(
    trusted: InboxOffice,
) -> None:
    event, invitee = trusted.book(1)
    trusted.calendly.cancel(event=event)
    trusted.deliver(INVITEE_CANCELED, invitee)
    trusted.pass_days(1)
    trusted.run()
    trusted.calendly.scrub_invitee(email="ada@example.com")
    for _ in range(5):
        trusted.pass_days(1)
        trusted.run()
    assert not trusted.shows("event_invitees", invitee)

    trusted.pass_days(1)
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_invitees_alone_are_loaded_by_reading_their_meetings(trusted: InboxOffice) -> None:
    alone = {"event_invitees"}
    trusted.run(select=alone)
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)

    assert trusted.run(select=alone) == HEALTH + PER_MEETING
    assert trusted.shows("event_invitees", invitee)
    assert not trusted.warehouse.tables["scheduled_events"]


def test_meetings_alone_cost_one_request_and_nothing_for_no_shows(trusted: InboxOffice) -> None:
    alone = {"scheduled_events"}
    event, invitee = trusted.book(-0.1)
    trusted.deliver(INVITEE_CREATED, invitee)
    assert trusted.run(select=alone) == HEALTH + 1
    assert trusted.shows("scheduled_events", event)

    trusted.calendly.mark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_CREATED, invitee)
    assert trusted.run(select=alone) == HEALTH
    assert trusted.run() == HEALTH + PER_MEETING  # the invitees still have the news to come


def test_meetings_that_a_setting_leaves_out_are_not_loaded(trusted: InboxOffice) -> None:
    trusted.warehouse.settings["start_date"] = trusted.clock.now().isoformat()
    trusted.run()
    old, new = (trusted.book(days) for days in (-3, 3))
    for _, invitee in (old, new):
        trusted.deliver(INVITEE_CREATED, invitee)

    assert trusted.run() == HEALTH + 1 + PER_MEETING
    assert list(trusted.warehouse.tables["scheduled_events"]) == [new[0]]
    assert list(trusted.warehouse.tables["event_invitees"]) == [new[1]]


def test_a_filter_on_meetings_holds_for_those_that_are_delivered(trusted: InboxOffice) -> None:
    maps = {"scheduled_events": {"__filter__": "name == 'Call'"}}
    trusted.warehouse.settings["stream_maps"] = maps
    trusted.run()
    call, course = trusted.book(3), trusted.book(4, course=True)
    for _, invitee in (call, course):
        trusted.deliver(INVITEE_CREATED, invitee)

    trusted.run()
    assert list(trusted.warehouse.tables["scheduled_events"]) == [call[0]]
    assert list(trusted.warehouse.tables["event_invitees"]) == [call[1]]


def test_the_event_type_of_a_delivered_meeting_is_loaded_before_the_state_passes_it(
    trusted: InboxOffice,
) -> None:
    select = {*MEETINGS, "event_types"}
    trusted.run(select=select)
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.calendly.delete_event_type(uri=trusted.call)

    trusted.run(select=select)
    assert trusted.warehouse.equals_calendly()


def test_several_taps_read_one_inbox(trusted: InboxOffice) -> None:
    other = Warehouse(trusted.warehouse.sandbox, dict(trusted.warehouse.settings))
    other.run(select=MEETINGS)
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)

    assert trusted.run() == HEALTH + PER_MEETING
    other.run(select=MEETINGS)
    assert other.equals_calendly()
    assert trusted.warehouse.equals_calendly()


def test_a_run_that_is_killed_loses_no_delivery(trusted: InboxOffice) -> None:
    booked = [trusted.book(days)[1] for days in range(1, 60)]
    for invitee in booked:
        trusted.deliver(INVITEE_CREATED, invitee)
    trusted.clock.advance(timedelta(minutes=1))
    trusted.warehouse.run(select=MEETINGS, killed_after=70)

    requests = trusted.run()
    assert trusted.warehouse.equals_calendly()
    assert HEALTH + PER_MEETING * 20 < requests < HEALTH + PER_MEETING * 50


def test_a_stream_that_failed_reads_its_deliveries_again(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(1)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.warehouse.sandbox.faults.add(
        Fault("/scheduled_events/*/invitees", status=418, times=None)
    )
    with pytest.raises(StreamsError):
        trusted.run()
    trusted.warehouse.sandbox.faults.clear()

    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()


def test_an_interrupted_sweep_is_finished_and_deliveries_stand_in_for_the_next(
    trusted: InboxOffice, small_pages: int
) -> None:
    booked = [trusted.book(days)[1] for days in range(1, 3 * small_pages)]
    for invitee in booked:
        trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.pass_days(1)
    trusted.clock.advance(timedelta(minutes=1))
    trusted.receive()
    trusted.warehouse.run(select=MEETINGS, killed_after=15)
    assert "sweep" in trusted.warehouse.state["bookmarks"]["scheduled_events"]

    lists = "/scheduled_events"
    trusted.run()
    assert 0 < trusted.warehouse.sandbox.requests_by_path()[lists] < 5
    assert "sweep" not in trusted.warehouse.state["bookmarks"]["scheduled_events"]
    assert trusted.run() == HEALTH
    assert trusted.warehouse.equals_calendly()


def test_the_state_holds_the_inbox_once_and_a_position_for_each_stream(
    trusted: InboxOffice,
) -> None:
    state = trusted.warehouse.state

    assert state["inbox"] == {
        "identity": trusted.store_identity,
        "subscription": trusted.subscription,
        "start": 0,
    }
    positions = {stream: state["bookmarks"][stream]["position"] for stream in MEETINGS}
    assert len(set(positions.values())) == 1
