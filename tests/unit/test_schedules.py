"""The benchmark of schedules: how it counts requests, wrong rows and row-hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from benchmarks import others
from benchmarks.inbox import Inbox
from benchmarks.organization import (
    FIRST_INVITEE,
    MEETING,
    START,
    Kind,
    Organization,
    Size,
    Warehouse,
)
from benchmarks.schedules import (
    APPROACHES,
    DOUBLING,
    EVERY_FIVE,
    EVERY_RUN,
    INBOX,
    LOSING,
    SCHEDULES,
    WITH_INBOX,
    simulate,
)
from tap_calendly.inbox.reader import InboxReader
from tests.singer import Warehouse as LoadedWarehouse

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox

HOUR = timedelta(hours=1)
SMALL = Size(meetings_a_day=6, history_days=40, month_days=6)
LARGER = SMALL._replace(meetings_a_day=30)
UNTOLD = {Kind.EDITED, Kind.UNTOLD}
"""What webhooks do not tell."""

HEALTH = 1
"""What a run with an inbox asks first: how its subscription is."""


def late(row_hours: dict[Kind, float], *, told: bool = False) -> float:
    """Add up row-hours: of what webhooks tell, or all."""
    return sum(hours for kind, hours in row_hours.items() if not (told and kind in UNTOLD))


def test_a_row_is_wrong_from_its_first_change_to_the_run_that_loads_it() -> None:
    warehouse = Warehouse()

    for hour in (1, 2):
        warehouse.note_change("one", MEETING, START + hour * HOUR, Kind.EDITED)
    warehouse.load("one", START + 4 * HOUR, invitees=False)

    assert warehouse.wrong_rows().total() == 0
    assert warehouse.row_hours(START + 9 * HOUR)[Kind.EDITED] == 3


def test_a_row_that_is_never_loaded_is_wrong_to_the_end() -> None:
    warehouse = Warehouse()

    warehouse.note_change("one", FIRST_INVITEE, START + HOUR, Kind.NO_SHOW)
    warehouse.note_change("one", FIRST_INVITEE + 1, START + 2 * HOUR, Kind.NO_SHOW)
    warehouse.load("one", START + 4 * HOUR, invitees=False)

    assert warehouse.wrong_rows() == {Kind.NO_SHOW: 2}
    assert warehouse.row_hours(START + 9 * HOUR)[Kind.NO_SHOW] == 8 + 7


def test_a_row_is_wrong_for_what_happened_to_it_first() -> None:
    warehouse = Warehouse()

    for number, kind in enumerate((Kind.NO_SHOW, Kind.UNTOLD)):
        warehouse.note_change("one", FIRST_INVITEE, START + number * HOUR, kind)

    assert warehouse.wrong_rows() == {Kind.NO_SHOW: 1}
    assert warehouse.row_hours(START + 2 * HOUR)[Kind.NO_SHOW] == 2


def test_what_changed_before_the_first_run_does_not_count() -> None:
    warehouse = Warehouse()

    warehouse.note_change("one", MEETING, START - 9 * HOUR, Kind.EDITED)
    warehouse.load("one", START, invitees=True)

    assert late(warehouse.row_hours(START)) == 0


def test_whoever_takes_a_seat_in_a_group_meeting_moves_no_timestamp() -> None:
    booked: dict[str, datetime] = {}

    def note(uri: str, _: int, at: datetime, __: Kind) -> None:
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

    health = HEALTH if approach in WITH_INBOX else 0
    assert result.first_run == len(organization.meetings) + 4 + health
    assert result.following_month == result.wrong_rows.total() == late(result.row_hours) == 0


@pytest.mark.parametrize("schedule", ["daily", "hourly"])
def test_the_tap_is_cheaper_than_full_refreshes_and_later_only_than_those(schedule: str) -> None:
    without_inbox = [approach for approach in APPROACHES if approach not in WITH_INBOX]
    every_run, doubling, refresh, *cursors = (
        simulate(schedule, approach, SMALL) for approach in without_inbox
    )

    assert refresh.wrong_rows.total() == 0
    assert doubling.following_month < every_run.following_month < refresh.following_month / 4
    lateness = [late(one.row_hours) for one in (refresh, every_run, doubling)]
    assert 0 < lateness[0] < lateness[1] < lateness[2]
    for cursor in cursors:
        assert late(doubling.row_hours) < late(cursor.row_hours)
        assert doubling.wrong_rows.total() < cursor.wrong_rows.total()


@pytest.mark.parametrize("schedule", ["hourly", EVERY_FIVE])
def test_with_an_inbox_what_webhooks_tell_shows_in_the_next_run(schedule: str) -> None:
    inbox, refresh = (simulate(schedule, one, LARGER) for one in (INBOX, "full refresh each time"))

    assert inbox.wrong_rows.keys() <= UNTOLD
    told = late(inbox.row_hours, told=True)
    assert told == pytest.approx(late(refresh.row_hours, told=True), rel=0.02)
    assert all(inbox.row_hours[kind] > refresh.row_hours[kind] for kind in UNTOLD)


def test_with_an_inbox_hourly_runs_take_a_fraction_and_more_runs_a_request_each() -> None:
    every_run, doubling, inbox = (
        simulate("hourly", approach, SMALL).following_month
        for approach in (EVERY_RUN, DOUBLING, INBOX)
    )
    often = simulate(EVERY_FIVE, INBOX, SMALL).following_month
    runs, many_runs = (
        SMALL.month_days * timedelta(days=1) // SCHEDULES[one] for one in ("hourly", EVERY_FIVE)
    )

    assert inbox - runs * HEALTH < doubling / 3 < every_run / 10
    assert often - many_runs * HEALTH == pytest.approx(inbox - runs * HEALTH, rel=0.1)


def test_lost_deliveries_cost_hours_until_a_sweep_makes_up_for_them() -> None:
    inbox, losing = (simulate("hourly", one, LARGER) for one in (INBOX, LOSING))

    told, lost = (late(one.row_hours, told=True) for one in (inbox, losing))
    assert told * 1.05 < lost < told * 3
    assert losing.following_month == pytest.approx(inbox.following_month, rel=0.05)


def test_the_simulated_inbox_has_all_that_the_tap_reads_of_one() -> None:
    reader = {name for name in vars(InboxReader) if not name.startswith("_")} - {"connection"}

    assert reader <= set(dir(Inbox))


def test_a_run_over_the_other_streams_takes_what_the_tables_say(sandbox: Sandbox) -> None:
    warehouse = LoadedWarehouse(sandbox)
    warehouse.run()
    requests = sandbox.requests_by_path()
    # The tables leave out meetings, and take it that there are no recaps.
    left_out = ("/scheduled_events", "/meeting_recaps/")
    made = sum(requests[path] for path in requests if not path.startswith(left_out))
    rows = {one: len(warehouse.tables[one.name]) for one in others.ORGANIZATION}

    assert min(rows.values()) > 1
    assert others.requests_of_a_run(rows) == made


def test_hourly_runs_wait_for_a_change_half_an_hour_on_average_and_daily_ones_half_a_day() -> None:
    daily, hourly = (
        late(simulate(schedule, "full refresh each time", SMALL).row_hours)
        for schedule in ("daily", "hourly")
    )

    assert daily / hourly == pytest.approx(24, rel=0.05)
