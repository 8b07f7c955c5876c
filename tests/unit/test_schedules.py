"""The benchmark of schedules: how it counts requests, wrong rows and row-hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from benchmarks.organization import FIRST_INVITEE, MEETING, START, Organization, Size, Warehouse
from benchmarks.schedules import APPROACHES, SCHEDULES, Result, simulate

HOUR = timedelta(hours=1)
SMALL = Size(meetings_a_day=6, history_days=40, month_days=6)


def test_a_row_is_wrong_from_its_first_change_to_the_run_that_loads_it() -> None:
    warehouse = Warehouse()

    for hour in (1, 2):
        warehouse.note_change("one", MEETING, START + hour * HOUR)
    warehouse.load("one", START + 4 * HOUR, invitees=False)

    assert warehouse.wrong_rows() == 0
    assert warehouse.row_hours(START + 9 * HOUR) == 3


def test_a_row_that_is_never_loaded_is_wrong_to_the_end() -> None:
    warehouse = Warehouse()

    warehouse.note_change("one", FIRST_INVITEE, START + HOUR)
    warehouse.note_change("one", FIRST_INVITEE + 1, START + 2 * HOUR)
    warehouse.load("one", START + 4 * HOUR, invitees=False)

    assert warehouse.wrong_rows() == 2
    assert warehouse.row_hours(START + 9 * HOUR) == 8 + 7


def test_what_changed_before_the_first_run_does_not_count() -> None:
    warehouse = Warehouse()

    warehouse.note_change("one", MEETING, START - 9 * HOUR)
    warehouse.load("one", START, invitees=True)

    assert warehouse.row_hours(START) == 0


def test_whoever_takes_a_seat_in_a_group_meeting_moves_no_timestamp() -> None:
    booked: dict[str, datetime] = {}

    def note(uri: str, _: int, at: datetime) -> None:
        booked.setdefault(uri, at)

    organization = Organization(SMALL, note)
    organization.advance(START)

    shared = [
        meeting
        for meeting in organization.between(START, None)
        if meeting["status"] == "active" and meeting["invitees_counter"]["total"] > 1
    ]
    assert shared
    assert all(meeting["updated_at"] == booked[meeting["uri"]] for meeting in shared)


@pytest.mark.parametrize("approach", APPROACHES)
def test_every_approach_begins_by_reading_everything(approach: str) -> None:
    only_one_run = SMALL._replace(month_days=0)
    organization = Organization(only_one_run, lambda *_: None)
    organization.advance(START)
    assert 300 < len(organization.meetings) < 390  # on four pages

    result = simulate("daily", approach, only_one_run)

    assert result == Result(len(organization.meetings) + 4, 0, 0, 0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_tap_is_cheaper_than_full_refreshes_and_later_only_than_those(schedule: str) -> None:
    every_run, doubling, refresh, *cursors = (
        simulate(schedule, approach, SMALL) for approach in APPROACHES
    )

    assert refresh.wrong_rows == 0
    assert doubling.following_month < every_run.following_month < refresh.following_month / 4
    assert 0 < refresh.row_hours < every_run.row_hours < doubling.row_hours
    for cursor in cursors:
        assert doubling.row_hours < cursor.row_hours
        assert doubling.wrong_rows < cursor.wrong_rows


def test_hourly_runs_wait_for_a_change_half_an_hour_on_average_and_daily_ones_half_a_day() -> None:
    (daily, hourly) = (simulate(one, "full refresh each time", SMALL) for one in SCHEDULES)

    assert daily.row_hours / hourly.row_hours == pytest.approx(24, rel=0.05)
