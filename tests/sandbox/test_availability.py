"""Schedules and hosts, and the available and busy times that follow from them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record

TUESDAY = datetime(2026, 3, 3, tzinfo=timezone.utc)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
EARLY = [{"type": "wday", "wday": "tuesday", "intervals": [{"from": "06:00", "to": "07:00"}]}]


@pytest.fixture
def chat(calendly: Calendly) -> str:
    return next(iter(calendly.event_types))


@pytest.fixture
def colleague(calendly: Calendly) -> str:
    return calendly.add_member(name="Kim", email="kim@windmill.example", timezone="Europe/Berlin")


def starts(rows: list[Record]) -> list[str]:
    return [one["start_time"][11:16] for one in rows]


def test_everybody_starts_with_office_hours_in_their_own_time_zone(
    calendly: Calendly, colleague: str
) -> None:
    (schedule,) = calendly.schedules_of(colleague)

    assert schedule["default"]
    assert schedule["timezone"] == "Europe/Berlin"
    assert [bool(one["intervals"]) for one in schedule["rules"]] == [False, *[True] * 5, False]


def test_event_types_follow_the_default_schedule_unless_told_otherwise(
    sandbox: Sandbox, calendly: Calendly, chat: str
) -> None:
    def rule() -> Record:
        (row,) = calendly.hours(chat)
        found: Record = row["availability_rule"]
        return found

    first = rule()["uri"]
    early = calendly.add_schedule(user=calendly.owner, name="Early", rules=EARLY)
    assert rule()["uri"] == first
    calendly.make_default(schedule=early)
    assert (rule()["uri"], rule()["rules"]) == (early, EARLY)
    calendly.set_hours(event_type=chat, user=calendly.owner, schedule=first)
    query = {"user": calendly.owner, "user_availability_schedule": first}
    assert len(ask(sandbox, "/event_types", query).json()["collection"]) == 1
    calendly.delete_schedule(schedule=first)
    assert rule()["uri"] == early
    calendly.edit_schedule(schedule=early, name="Dawn", timezone="Asia/Tokyo")
    assert (rule()["name"], rule()["timezone"]) == ("Dawn", "Asia/Tokyo")
    calendly.set_hours(event_type=chat, user=calendly.owner, rules=EARLY)
    assert "uri" not in rule()


def test_hosts_come_and_go_with_their_hours(calendly: Calendly, chat: str, colleague: str) -> None:
    uri = calendly.add_host(event_type=chat, user=colleague)
    assert [one["member"]["uri"] for one in calendly.hosts(chat)] == [calendly.owner, colleague]
    assert calendly.hosts(chat)[1]["uri"] == uri
    assert calendly.hosts(chat)[1]["event_type"]["name"] == "Chat"
    assert len(calendly.hours(chat)) == 2
    calendly.remove_host(event_type=chat, user=colleague)
    assert len(calendly.hosts(chat)) == len(calendly.hours(chat)) == 1
    calendly.add_host(event_type=chat, user=colleague)
    calendly.delete_user(user=colleague)
    assert len(calendly.hosts(chat)) == len(calendly.hours(chat)) == 1
    assert calendly.schedules_of(colleague) == []


def test_what_can_be_booked_is_within_hours_and_free(calendly: Calendly, chat: str) -> None:
    calendly.set_hours(
        event_type=chat,
        user=calendly.owner,
        rules=[
            {"type": "wday", "wday": "tuesday", "intervals": [{"from": "12:00", "to": "15:00"}]},
            {"type": "date", "date": "2026-03-10", "intervals": []},
        ],
    )
    calendly.block_time(user=calendly.owner, start=TUESDAY + 13 * HOUR, end=TUESDAY + 13.6 * HOUR)

    # In Berlin it is an hour later; the meeting at noon UTC is the owner's own.
    assert starts(calendly.openings(chat, NOW, TUESDAY + 8 * DAY)) == ["11:00", "11:30", "12:30"]
    calendly.unblock_time(user=calendly.owner, start=TUESDAY + 13 * HOUR)
    assert starts(calendly.openings(chat, NOW, TUESDAY + DAY))[-1] == "13:30"
    calendly.edit_event_type(uri=chat, active=False)
    assert calendly.openings(chat, NOW, TUESDAY + DAY) == []


def test_one_host_is_enough_for_a_round_robin_and_a_collective_needs_all(
    calendly: Calendly, colleague: str
) -> None:
    times = {}
    for pooling in ("round_robin", "collective"):
        uri = calendly.add_event_type(
            owner=calendly.owner,
            name=pooling,
            duration=60,
            hosts=[calendly.owner, colleague],
            pooling_type=pooling,
        )
        calendly.set_hours(event_type=uri, user=colleague, rules=EARLY)
        times[pooling] = calendly.openings(uri, TUESDAY, TUESDAY + DAY)

    assert starts(times["round_robin"])[0] == "05:00"
    assert len(times["round_robin"]) > 10
    assert times["collective"] == []


def test_the_seats_left_in_a_group_meeting_can_be_booked(calendly: Calendly) -> None:
    course = calendly.add_event_type(
        owner=calendly.owner, name="Course", duration=60, kind="group", limit=2
    )
    at = TUESDAY + 14 * HOUR
    event, _ = calendly.book(event_type=course, start=at, name="Li", email="li@guest.example")
    seats = {one["start_time"]: one for one in calendly.openings(course, TUESDAY, TUESDAY + DAY)}
    calendly.join(event=event, name="Mo", email="mo@guest.example")
    left = [one["start_time"] for one in calendly.openings(course, TUESDAY, TUESDAY + DAY)]

    assert seats[to_timestamp(at)]["invitees_remaining"] == 1
    assert seats[to_timestamp(at - 2 * HOUR + 30 * HOUR / 60)]["invitees_remaining"] == 2
    assert to_timestamp(at) not in left


def test_busy_times_are_meetings_and_what_a_calendar_says(
    sandbox: Sandbox, calendly: Calendly
) -> None:
    start = TUESDAY + 9 * HOUR
    calendly.block_time(user=calendly.owner, start=start, end=start + HOUR)
    query = {"user": calendly.owner, "start_time": to_timestamp(TUESDAY)}
    query["end_time"] = to_timestamp(TUESDAY + DAY)
    blocked, meeting = ask(sandbox, "/user_busy_times", query).json()["collection"]

    assert (blocked["type"], meeting["type"]) == ("external", "calendly")
    assert meeting["event"]["uri"] in calendly.events
    calendly.lose_calendar(user=calendly.owner)
    lost = ask(sandbox, "/user_busy_times", query)
    assert (lost.status_code, lost.json()["title"]) == (424, "Failed Dependency")
    calendly.find_calendar(user=calendly.owner)
    assert ask(sandbox, "/user_busy_times", query).status_code == 200


@pytest.mark.parametrize(
    ("path", "days"), [("/event_type_available_times", 31), ("/user_busy_times", 7)]
)
def test_available_and_busy_times_are_limited_to_short_windows(
    sandbox: Sandbox, calendly: Calendly, chat: str, path: str, days: int
) -> None:
    def status(start: datetime, end: datetime) -> int:
        query = {"event_type": chat, "user": calendly.owner}
        query |= {"start_time": to_timestamp(start), "end_time": to_timestamp(end)}
        return ask(sandbox, path, query).status_code

    assert status(NOW, NOW + days * DAY) == 200
    assert status(NOW, NOW + days * DAY + timedelta(seconds=1)) == 400
    assert status(NOW - timedelta(seconds=1), NOW + DAY) == 400
    assert status(NOW + DAY, NOW + DAY) == 400


def test_conferences_are_connected_disconnected_and_forgotten(calendly: Calendly) -> None:
    def connected() -> list[bool]:
        places = calendly.meeting_places(calendly.owner)
        return [one["connected"] for one in places if one["kind"] == "zoom_conference"]

    calendly.connect_conference(user=calendly.owner, kind="zoom_conference")
    assert connected() == [True]
    calendly.disconnect_conference(user=calendly.owner, kind="zoom_conference")
    assert connected() == [False]
    calendly.connect_conference(user=calendly.owner, kind="zoom_conference")
    calendly.disconnect_conference(user=calendly.owner, kind="zoom_conference", forget=True)
    assert connected() == []


def test_what_belongs_to_a_deleted_event_type_is_not_found(
    sandbox: Sandbox, calendly: Calendly, chat: str
) -> None:
    calendly.delete_event_type(uri=chat)

    for path in ("/event_type_memberships", "/event_type_availability_schedules"):
        assert ask(sandbox, path, {"event_type": chat}).status_code == 404


def test_a_plain_user_reads_only_their_own_schedules(
    sandbox: Sandbox, calendly: Calendly, chat: str, colleague: str
) -> None:
    token = sandbox.access.issue(colleague)

    def status(path: str, **params: str) -> int:
        return ask(sandbox, path, params, token).status_code

    for path in ("/user_availability_schedules", "/locations"):
        assert status(path, user=colleague) == 200
        assert status(path, user=calendly.owner) == 403
    assert status("/event_type_memberships", event_type=chat) == 403
    calendly.add_host(event_type=chat, user=colleague)
    assert status("/event_type_memberships", event_type=chat) == 200


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (lambda one: one.add_schedule(user="nobody", name="-"), "there is no user"),
        (lambda one: one.delete_schedule(schedule=next(iter(one.schedules))), "default one"),
        (lambda one: one.set_hours(event_type="nothing", user="-"), "there is no event type"),
        (
            lambda one: one.set_hours(event_type=next(iter(one.event_types)), user="nobody"),
            "does not host",
        ),
        (
            lambda one: one.add_host(event_type=next(iter(one.event_types)), user=one.owner),
            "already",
        ),
        (lambda one: one.block_time(user=one.owner, start=NOW, end=NOW), "cannot end"),
        (lambda one: one.unblock_time(user=one.owner, start=NOW), "no blocked time"),
        (lambda one: one.find_calendar(user=one.owner), "within reach"),
        (lambda one: one.connect_conference(user=one.owner, kind="telex"), "no conferences"),
        (lambda one: one.disconnect_conference(user=one.owner, kind="zoom"), "has not connected"),
    ],
)
def test_an_impossible_life_event_is_refused_with_a_reason_and_changes_nothing(
    calendly: Calendly, deed: Callable[[Calendly], object], sentence: str
) -> None:
    before = calendly.more_truth()

    with pytest.raises(ValueError, match=sentence):
        deed(calendly)
    assert calendly.more_truth() == before
