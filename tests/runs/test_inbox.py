"""With an inbox, what webhooks tell shows in the next run, for two requests a meeting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_calendly.inbox.delivery import (
    INVITEE_CANCELED,
    INVITEE_CREATED,
    NO_SHOW_CREATED,
    NO_SHOW_DELETED,
)
from tests.runs.office import MEETINGS

if TYPE_CHECKING:
    from tests.runs.inbox import InboxOffice

HEALTH = 1
"""Requests of a run that has no news: for the subscription's health."""

PER_MEETING = 2
SWEEP = "this run sweeps as without an inbox"


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


def test_a_booking_shows_after_its_delivery_for_two_requests(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)

    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()
    assert trusted.run() == HEALTH


def test_a_late_no_show_and_its_removal_show_after_their_deliveries(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(1)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.pass_days(60)
    trusted.run()
    trusted.calendly.mark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_CREATED, invitee)

    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()

    trusted.calendly.unmark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_DELETED, invitee)
    assert trusted.run() == HEALTH + PER_MEETING
    assert trusted.warehouse.equals_calendly()


def test_a_reschedule_shows_both_meetings(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    _, new = trusted.calendly.reschedule(
        invitee=invitee, start=trusted.clock.now() + timedelta(days=5)
    )
    trusted.deliver(INVITEE_CREATED, new)
    trusted.deliver(INVITEE_CANCELED, invitee)

    assert trusted.run() == HEALTH + 2 * PER_MEETING
    assert trusted.warehouse.equals_calendly()
    assert trusted.run(select=MEETINGS) == HEALTH
