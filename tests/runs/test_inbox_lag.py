"""The API may be behind a webhook: what it does not show yet is asked for again."""

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
from tests.runs.office import MEETINGS
from tests.runs.site import PAUSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runs.inbox import InboxOffice

HEALTH, PER_MEETING = 1, 2
MEETING = "/scheduled_events/{uuid}"
LISTS = "/scheduled_events"


def _cancel(office: InboxOffice, invitee: str) -> str:
    office.calendly.cancel(invitee=invitee, by="invitee")
    return INVITEE_CANCELED


def _mark(office: InboxOffice, invitee: str) -> str:
    office.calendly.mark_no_show(invitee=invitee)
    return NO_SHOW_CREATED


def _unmark(office: InboxOffice, invitee: str) -> str:
    office.calendly.unmark_no_show(invitee=invitee)
    return NO_SHOW_DELETED


CHANGES: dict[str, Callable[[InboxOffice, str], str]] = {
    "canceled": _cancel,
    "marked": _mark,
    "unmarked": _unmark,
}


@pytest.fixture
def trusted(inbox_office: InboxOffice, waits: list[float]) -> InboxOffice:
    """An office whose last run has earned the inbox's trust; waits only move its clock."""
    inbox_office.run()
    inbox_office.run()
    waits.clear()
    return inbox_office


def test_a_meeting_that_the_api_does_not_show_yet_shows_once_it_does(
    trusted: InboxOffice, waits: list[float]
) -> None:
    trusted.calendly.fall_behind()
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)

    assert trusted.run() == HEALTH + 2  # asked again once after a pause
    assert waits == [PAUSE]
    assert not trusted.warehouse.tables["scheduled_events"]

    trusted.calendly.catch_up()
    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()
    assert trusted.run() == HEALTH


def test_an_api_that_catches_up_within_the_pause_is_read_in_the_same_run(
    trusted: InboxOffice,
) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.warehouse.sandbox.faults.add(Fault("/scheduled_events/*", status=404))

    assert trusted.run() == HEALTH + 1 + PER_MEETING
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_that_does_not_show_what_was_delivered_is_not_the_last_word(
    trusted: InboxOffice, change: str
) -> None:
    _, invitee = trusted.book(-0.01)
    if change == "unmarked":
        trusted.calendly.mark_no_show(invitee=invitee)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.calendly.fall_behind()
    trusted.deliver(CHANGES[change](trusted, invitee), invitee)

    assert trusted.run() == HEALTH + 2 * PER_MEETING
    assert not trusted.shows("event_invitees", invitee)
    trusted.calendly.catch_up()
    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()


def test_the_latest_delivery_about_an_invitee_counts_whatever_order_they_came_in(
    trusted: InboxOffice, waits: list[float]
) -> None:
    _, invitee = trusted.book(-0.01)
    trusted.calendly.mark_no_show(invitee=invitee)
    marked = trusted.body(NO_SHOW_CREATED, invitee)
    trusted.clock.advance(timedelta(minutes=1))
    trusted.calendly.unmark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_DELETED, invitee)
    trusted.run()
    trusted.deliver_body(marked)  # in a later run, too

    assert trusted.run() == HEALTH + PER_MEETING
    assert waits == []


def test_after_an_hour_the_api_is_believed(trusted: InboxOffice, waits: list[float]) -> None:
    event, invitee = trusted.book(-0.01)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.deliver(NO_SHOW_CREATED, invitee)  # and taken back, which is told to nobody
    for _ in range(5):
        assert trusted.run() == HEALTH + 2 * PER_MEETING
    assert len(waits) == 5

    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.run() == HEALTH
    assert trusted.shows("scheduled_events", event)


def test_a_meeting_that_is_gone_for_good_is_passed_over_after_a_sweep(
    trusted: InboxOffice,
) -> None:
    event, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.calendly.delete_event_data(event=event)
    trusted.pass_days(0.1)

    trusted.run()
    assert trusted.warehouse.sandbox.requests_by_path()[LISTS] == 1
    assert trusted.run() == HEALTH


def _join(office: InboxOffice, event: str) -> str:
    return office.calendly.join(event=event, name="Alan", email="alan@example.com")


def _leave(office: InboxOffice, event: str) -> str:
    invitee = str(office.calendly.invitees[event][0]["uri"])
    office.calendly.leave(invitee=invitee)
    return invitee


@pytest.mark.parametrize(
    ("happens", "told"), [(_join, INVITEE_CREATED), (_leave, INVITEE_CANCELED)]
)
def test_seats_that_the_api_does_not_count_yet_show_in_meetings_alone_once_it_does(
    trusted: InboxOffice, happens: Callable[[InboxOffice, str], str], told: str
) -> None:
    event, invitee = trusted.book(3, course=True)
    _join(trusted, event)
    trusted.run_with(INVITEE_CREATED, invitee)
    trusted.calendly.fall_behind()
    trusted.deliver(told, happens(trusted, event))
    trusted.run(select={"scheduled_events"})
    assert not trusted.shows("scheduled_events", event)

    trusted.calendly.catch_up()
    assert trusted.run(select={"scheduled_events"}) == HEALTH + 1
    assert trusted.shows("scheduled_events", event)
    assert trusted.run(select={"scheduled_events"}) == HEALTH


def test_the_event_type_of_a_meeting_that_a_sweep_did_not_see_yet_is_loaded_with_it(
    trusted: InboxOffice,
) -> None:
    select = {*MEETINGS, "event_types"}
    trusted.run(select=select)
    trusted.calendly.fall_behind()
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.calendly.delete_event_type(uri=trusted.call)
    trusted.warehouse.tables["event_types"].clear()  # as if it had been added in the meantime
    trusted.warehouse.settings["sweep_interval_hours"] = 0
    trusted.run(select=select)
    trusted.warehouse.settings["sweep_interval_hours"] = 24

    trusted.calendly.catch_up()
    trusted.run(select=select)
    assert trusted.warehouse.tables["event_types"].keys() == {trusted.call}


def test_deliveries_are_kept_while_the_token_has_lost_access(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(-40)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.calendly.mark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_CREATED, invitee)
    trusted.pass_days(0.1)
    trusted.warehouse.sandbox.faults.add(Fault("/scheduled_events*", status=403, times=None))
    for _ in range(2):
        with pytest.raises(StreamsError, match="it was loaded until"):
            trusted.run()
    trusted.warehouse.sandbox.faults.clear()

    trusted.run()
    assert trusted.shows("event_invitees", invitee)


def test_what_was_delivered_within_the_hour_before_the_first_run_is_looked_at_again(
    inbox_office: InboxOffice, waits: list[float]
) -> None:
    inbox_office.calendly.fall_behind()
    _, invitee = inbox_office.book(3)
    inbox_office.deliver(INVITEE_CREATED, invitee)
    inbox_office.run()
    assert not inbox_office.warehouse.tables["scheduled_events"]

    inbox_office.calendly.catch_up()
    assert inbox_office.run() == HEALTH + PER_MEETING
    assert inbox_office.warehouse.equals_calendly()
    assert waits == []
