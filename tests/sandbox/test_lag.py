"""An API that lags behind its deliveries shows meetings as they were."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.http.server import Sandbox
from tests.sandbox.asking import ask, path_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.office import Office


@pytest.fixture
def sandbox(office: Office) -> Iterator[Sandbox]:
    with Sandbox(office.calendly) as running:
        yield running


def everywhere(sandbox: Sandbox, event: str, invitee: str) -> list[Any]:
    """Return what the API shows of a meeting, wherever it shows it."""
    query = {"organization": sandbox.calendly.organization["uri"]}
    listed = [one for one in whole(sandbox, "/scheduled_events", query) if one["uri"] == event]
    single = [ask(sandbox, uri) for uri in (event, invitee)]
    invitees = ask(sandbox, f"{path_of(event)}/invitees")
    return [
        listed,
        *(one.json().get("resource", one.status_code) for one in single),
        invitees.json().get("collection", invitees.status_code),
    ]


def test_a_meeting_is_shown_as_it_was_until_the_api_catches_up(
    office: Office, sandbox: Sandbox
) -> None:
    event, invitee = office.booked()
    before = everywhere(sandbox, event, invitee)
    office.calendly.fall_behind()
    office.calendly.edit_notes(event=event, plain="Note")
    office.calendly.cancel(event=event)

    assert everywhere(sandbox, event, invitee) == before
    assert office.calendly.truth()["scheduled_events"][0]["status"] == "canceled"

    office.calendly.catch_up()
    listed, single, guest, invitees = everywhere(sandbox, event, invitee)
    assert listed == [single] == office.calendly.truth()["scheduled_events"]
    assert invitees == [guest] == office.calendly.truth()["event_invitees"]
    assert single["status"] == guest["status"] == "canceled"


def test_what_was_booked_since_is_not_there_yet(office: Office, sandbox: Sandbox) -> None:
    office.calendly.fall_behind()
    event, invitee = office.booked()

    assert everywhere(sandbox, event, invitee) == [[], 404, 404, 404]


def test_a_no_show_is_marked_and_unmarked_late(office: Office, sandbox: Sandbox) -> None:
    event, invitee = office.booked()

    def marked() -> bool:
        return everywhere(sandbox, event, invitee)[2]["no_show"] is not None

    office.calendly.fall_behind()
    uri = office.calendly.mark_no_show(invitee=invitee)
    assert (marked(), ask(sandbox, uri).status_code) == (False, 404)
    office.calendly.fall_behind()
    office.calendly.unmark_no_show(invitee=invitee)
    assert (marked(), ask(sandbox, uri).status_code) == (True, 200)
    office.calendly.catch_up()
    assert (marked(), ask(sandbox, uri).status_code) == (False, 404)


def test_a_meeting_that_was_deleted_is_still_shown(office: Office, sandbox: Sandbox) -> None:
    event, invitee = office.booked()
    before = everywhere(sandbox, event, invitee)
    office.calendly.fall_behind()
    office.calendly.delete_event_data(event=event)

    assert everywhere(sandbox, event, invitee) == before


def test_the_api_can_lag_for_a_time_by_the_sandboxs_clock(office: Office, sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/sandbox/life/fall_behind"
    assert requests.post(address, json={"seconds": 600}, timeout=10).status_code == 200
    event, _ = office.calendly.book(
        event_type=office.intro,
        start=office.clock.now() + timedelta(days=1),
        name="Kim",
        email="kim@guest.example",
    )

    office.later(seconds=599)
    assert ask(sandbox, event).status_code == 404
    office.later(seconds=1)
    assert ask(sandbox, event).status_code == 200


def test_other_records_do_not_lag(office: Office, sandbox: Sandbox) -> None:
    office.calendly.fall_behind()
    office.calendly.edit_event_type(uri=office.intro, name="Hello")

    assert ask(sandbox, office.intro).json()["resource"]["name"] == "Hello"
