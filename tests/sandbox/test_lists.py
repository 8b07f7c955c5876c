"""Lists come in pages, filtered and in order, as Calendly's do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask, path_of, starts, whole
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.clock import SimulatedClock

EVENTS = "/scheduled_events"


# Pages


def test_pages_cover_a_list_exactly(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    rows = whole(sandbox, EVENTS, {**everything, "count": "2"})

    assert rows == [*calendly.events.values()]
    assert sandbox.requests_by_path() == {EVENTS: 3}


def test_next_page_is_on_the_requested_host(sandbox: Sandbox, everything: dict[str, str]) -> None:
    port = sandbox.url.rpartition(":")[2]
    by_name = f"http://localhost:{port}"
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    query = {**everything, "count": "2"}
    answer = requests.get(f"{by_name}{EVENTS}", query, headers=headers, timeout=10)

    assert answer.json()["pagination"]["next_page"].startswith(f"{by_name}{EVENTS}?")


def test_previous_page_leads_back(sandbox: Sandbox, everything: dict[str, str]) -> None:
    first = ask(sandbox, EVENTS, {**everything, "count": "2"})
    second = ask(sandbox, first.json()["pagination"]["next_page"])
    back = ask(sandbox, second.json()["pagination"]["previous_page"])

    assert first.json()["pagination"]["previous_page"] is None
    assert back.json()["collection"] == first.json()["collection"]


@pytest.mark.parametrize(
    "other",
    [
        {"count": "3"},
        {"status": "active"},
        {"sort": "start_time:asc"},
        {"min_start_time": "2026-03-01T00:00:00Z"},
    ],
)
def test_a_page_token_is_refused_for_another_query(
    sandbox: Sandbox, everything: dict[str, str], other: dict[str, str]
) -> None:
    query = {**everything, "count": "2", "min_start_time": "2026-03-01T00:00:00.000000Z"}
    query["page_token"] = ask(sandbox, EVENTS, query).json()["pagination"]["next_page_token"]

    same = ask(sandbox, EVENTS, dict(reversed(query.items())))
    refused = ask(sandbox, EVENTS, {**query, **other})

    assert same.status_code == 200
    assert refused.status_code == 400
    assert refused.json()["details"] == [{"parameter": "page_token", "message": "is invalid"}]


def test_a_page_token_is_refused_for_another_list(sandbox: Sandbox, calendly: Calendly) -> None:
    group = calendly.add_event_type(owner=calendly.owner, name="All", duration=30, kind="group")
    lists = []
    for day in (20, 21):
        start = NOW + timedelta(days=day)
        for name in ("Ann", "Ben"):
            event, _ = calendly.book(
                event_type=group, start=start, name=name, email=f"{name}@guest.example"
            )
        lists.append(f"{path_of(event)}/invitees")
    token = ask(sandbox, lists[0], {"count": "1"}).json()["pagination"]["next_page_token"]

    answers = [ask(sandbox, one, {"count": "1", "page_token": token}) for one in lists]

    assert [one.status_code for one in answers] == [200, 400]


def test_rows_shift_when_one_is_deleted_between_two_pages(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    query = {**everything, "count": "2", "status": "active", "sort": "start_time:asc"}
    in_order = starts(ask(sandbox, EVENTS, {**query, "count": "100"}))
    first = ask(sandbox, EVENTS, query)
    calendly.cancel(event=first.json()["collection"][0]["uri"])

    second = ask(sandbox, first.json()["pagination"]["next_page"])

    assert starts(second) == in_order[3:5]


# Filters and order


def test_events_are_in_order_of_booking_unless_sorted(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    first = next(iter(calendly.event_types))
    early = NOW + timedelta(hours=1)
    calendly.book(event_type=first, start=early, name="Di", email="di@guest.example")

    booked = starts(ask(sandbox, EVENTS, everything))
    rising = starts(ask(sandbox, EVENTS, {**everything, "sort": "start_time:asc"}))
    falling = starts(ask(sandbox, EVENTS, {**everything, "sort": "start_time:desc"}))

    assert booked[-1] == to_timestamp(early)
    assert rising == sorted(booked) != booked
    assert falling == rising[::-1]


def test_the_limits_of_start_time_are_exclusive(
    sandbox: Sandbox, everything: dict[str, str]
) -> None:
    of_all = starts(ask(sandbox, EVENTS, everything))
    query = {**everything, "min_start_time": of_all[1], "max_start_time": of_all[3]}
    a_little_more = {**query, "min_start_time": "2026-03-03T13:59:59.999999+02:00"}

    assert starts(ask(sandbox, EVENTS, query)) == of_all[2:3]
    assert starts(ask(sandbox, EVENTS, a_little_more)) == of_all[1:3]


def test_events_are_filtered_by_status_and_invitee(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    of_all = starts(ask(sandbox, EVENTS, everything))
    calendly.cancel(event=next(iter(calendly.events)))

    assert starts(ask(sandbox, EVENTS, {**everything, "status": "canceled"})) == of_all[:1]
    assert starts(ask(sandbox, EVENTS, {**everything, "status": "active"})) == of_all[1:]
    invitee = {**everything, "invitee_email": "bo3@guest.example"}
    assert starts(ask(sandbox, EVENTS, invitee)) == of_all[3:4]


def test_events_are_filtered_by_user_and_group(
    sandbox: Sandbox,
    calendly: Calendly,
    everything: dict[str, str],
    colleague: str,
    his_meeting: str,
) -> None:
    group = calendly.add_group(name="Sales", members=[colleague])

    by_user = ask(sandbox, EVENTS, {**everything, "user": colleague})
    by_group = ask(sandbox, EVENTS, {**everything, "group": group})
    by_owner = ask(sandbox, EVENTS, {"user": calendly.owner})

    assert [one["uri"] for one in by_user.json()["collection"]] == [his_meeting]
    assert [one["uri"] for one in by_group.json()["collection"]] == [his_meeting]
    assert len(starts(by_owner)) == 5


def test_a_deleted_event_type_leaves_the_list_but_can_be_read_by_id(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    doomed = calendly.add_event_type(owner=calendly.owner, name="Ad hoc", duration=5)
    names = [one["name"] for one in whole(sandbox, "/event_types", everything)]
    calendly.delete_event_type(uri=doomed)
    left = [one["name"] for one in whole(sandbox, "/event_types", everything)]

    assert (names, left) == (["Ad hoc", "Chat"], ["Chat"])
    assert ask(sandbox, doomed).json()["resource"]["deleted_at"] is not None


def test_an_unlisted_event_type_can_be_read_by_id_alone(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    unlisted = calendly.add_event_type(
        owner=calendly.owner, name="Ad hoc", duration=5, listed=False
    )

    assert [one["name"] for one in whole(sandbox, "/event_types", everything)] == ["Chat"]
    assert ask(sandbox, unlisted).json()["resource"]["name"] == "Ad hoc"


def test_event_types_are_sorted_by_their_last_change(
    sandbox: Sandbox, calendly: Calendly, clock: SimulatedClock, everything: dict[str, str]
) -> None:
    chat = next(iter(calendly.event_types))
    clock.advance(timedelta(minutes=1))
    calendly.add_event_type(owner=calendly.owner, name=None, duration=5)
    query = {**everything, "sort": "updated_at:desc"}
    before = [one["name"] for one in whole(sandbox, "/event_types", query)]
    clock.advance(timedelta(minutes=1))
    calendly.edit_event_type(uri=chat, name="Talk")

    assert before == [None, "Chat"]
    assert [one["name"] for one in whole(sandbox, "/event_types", query)] == ["Talk", None]
