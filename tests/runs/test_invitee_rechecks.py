"""Changes to invitees alone, which may move no timestamp, show when docs/guarantees.md says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cases import cases
from tests.runs.office import A_WHILE, MEETINGS

if TYPE_CHECKING:
    from tests.runs.office import Office


@pytest.fixture(params=["every_run", "doubling"])
def in_both_modes(office: Office, request: pytest.FixtureRequest) -> None:
    office.warehouse.settings["invitee_rechecks"] = request.param


@pytest.fixture
def doubling(office: Office) -> None:
    office.warehouse.settings["invitee_rechecks"] = "doubling"


def test_a_no_show_at_a_recent_meeting_shows_after_the_next_run(office: Office) -> None:
    _, invitee = office.book(0.5)
    office.run()
    office.pass_days(7.4)
    office.run()
    office.calendly.mark_no_show(invitee=invitee)
    office.pass_days(1)

    assert office.run() == 1
    assert office.warehouse.equals_calendly()

    office.calendly.unmark_no_show(invitee=invitee)
    office.pass_days(5)
    office.run()
    assert office.shows("event_invitees", invitee) is False  # by then, it is an older meeting


def test_a_seat_taken_or_given_up_shows_after_the_next_run(office: Office) -> None:
    event, invitee = office.book(10, course=True)
    office.run()
    office.pass_days(1)
    office.calendly.join(event=event, name="Alan", email="alan@example.com")
    assert office.run() == 1
    assert office.warehouse.equals_calendly()

    office.pass_days(1)
    office.calendly.leave(invitee=invitee)
    assert office.run() == 1
    assert office.warehouse.equals_calendly()


@pytest.mark.parametrize("age", cases([8, 20, 29, 50], quick=[8]))
def test_an_invitee_only_change_at_an_age_shows_by_twice_that_age(
    office: Office, age: float
) -> None:
    office.warehouse.settings["full_scan_interval_days"] = 0
    _, invitee = office.book(0)
    office.run()
    office.pass_days(age)
    office.run()  # by now, it is an older meeting
    office.calendly.mark_no_show(invitee=invitee)
    for _ in range(int(age)):
        office.pass_days(1)
        office.run(select=MEETINGS)

    assert office.shows("event_invitees", invitee)


def test_an_older_meeting_is_read_again_only_when_its_age_doubles(office: Office) -> None:
    office.warehouse.settings["lookback_days"] = 1
    office.book(0)
    office.run()
    office.pass_days(2)
    office.run()

    read = [0, 0, 0]
    for _ in range(3, 66):
        office.pass_days(1 - A_WHILE / timedelta(days=1))
        read.append(office.run(select=MEETINGS))

    days = [day for day, count in enumerate(read) if count]
    assert days == [4, 8, 16, 32, 64]
    assert sum(read) == 5


@pytest.mark.parametrize("field", ["invitees_counter", "updated_at"])
def test_a_meeting_without_a_field_that_says_otherwise_is_read_in_every_run(
    office: Office, field: str
) -> None:
    event, _ = office.book(10)
    office.calendly.events[event][field] = None
    office.run()
    office.pass_days(1)

    assert office.run(select=MEETINGS) == 1


def test_a_canceled_meeting_is_not_read_again(office: Office) -> None:
    for course in (False, True):
        event, _ = office.book(-1, course=course)
        office.calendly.cancel(event=event)
        event, _ = office.book(9, course=course)
        office.calendly.cancel(event=event)
    office.run()
    office.pass_days(1)

    assert office.run() == 0
    assert office.warehouse.equals_calendly()


@pytest.mark.usefixtures("doubling")
@pytest.mark.parametrize("minutes", cases([2, 58, 62, 150, 700], quick=[2, 62]))
def test_with_doubling_a_no_show_shows_by_twice_its_age(office: Office, minutes: int) -> None:
    _, invitee = office.book(1)
    office.run()
    office.pass_days(1 + minutes / 1440 - A_WHILE / timedelta(days=1))
    office.calendly.mark_no_show(invitee=invitee)
    age = minutes
    while not office.shows("event_invitees", invitee):
        office.run(select=MEETINGS)
        age += 10

    assert 60 <= age < max(2 * minutes, 60) + 10


@pytest.mark.usefixtures("doubling")
def test_with_doubling_hourly_runs_read_a_recent_meeting_only_when_its_age_doubles(
    office: Office,
) -> None:
    office.book(2 / 24)
    office.run()

    read = dict(enumerate(office.run_hourly(times=36), -1))

    assert [hour for hour, count in read.items() if count] == [1, 2, 4, 8, 16, 32]


@pytest.mark.usefixtures("doubling")
def test_with_doubling_a_seat_shows_by_twice_the_time_since_the_meeting_changed(
    office: Office,
) -> None:
    event, invitee = office.book(10, course=True)
    office.run()
    office.run_hourly(times=5)
    office.calendly.join(event=event, name="Alan", email="alan@example.com")

    assert office.run_hourly(times=4) == [0, 0, 1, 0]
    assert office.warehouse.equals_calendly()

    office.pass_days(8.5)
    office.run()
    office.calendly.leave(invitee=invitee)
    assert sum(office.run_hourly(times=6)) == 1  # a day before the start
    assert office.warehouse.equals_calendly()


@pytest.mark.usefixtures("doubling")
def test_with_doubling_a_seat_taken_on_the_last_day_shows_an_hour_after_the_start(
    office: Office,
) -> None:
    event, _ = office.book(10, course=True)
    office.run()
    office.pass_days(9.5)
    office.run()
    office.calendly.join(event=event, name="Alan", email="alan@example.com")

    assert sum(office.run_hourly(times=12)) == 0
    assert office.run_hourly(times=1) == [1]
    assert office.warehouse.equals_calendly()


@pytest.mark.usefixtures("in_both_modes")
def test_a_change_to_the_invitee_of_a_one_to_one_meeting_shows_a_day_before_the_start(
    office: Office,
) -> None:
    _, invitee = office.book(3)
    office.run()
    office.pass_days(1)
    office.calendly.scrub_invitee(email="ada@example.com")
    assert office.run() == 0
    office.pass_days(1)

    assert office.run() == 1
    assert office.shows("event_invitees", invitee)
    assert office.run() == 0


@pytest.mark.usefixtures("in_both_modes")
def test_a_change_to_the_invitee_on_the_last_day_shows_after_the_start(office: Office) -> None:
    _, invitee = office.book(3)
    office.run()
    office.pass_days(2.5)
    office.run()
    office.calendly.pay(invitee=invitee, amount=10.0, currency="EUR")
    assert office.run() == 0
    office.pass_days(0.5 + 1 / 24)

    assert office.run() == 1
    assert office.shows("event_invitees", invitee)


@pytest.mark.usefixtures("in_both_modes")
@pytest.mark.parametrize(
    ("start", "age"),
    [
        (-3, 4),
        (30, 4),
        pytest.param(30, 9, marks=pytest.mark.exhaustive),
        pytest.param(30, 20, marks=pytest.mark.exhaustive),
    ],
)
def test_an_erasure_from_a_canceled_meeting_shows_by_twice_the_time_since_its_last_change(
    office: Office, start: int, age: int
) -> None:
    event, invitee = office.book(start)
    office.calendly.cancel(event=event)
    office.run()
    office.pass_days(age)
    office.run()
    office.calendly.scrub_invitee(email="ada@example.com")
    days = age
    while not office.shows("event_invitees", invitee):
        office.pass_days(1)
        office.run(select=MEETINGS)
        days += 1

    assert days <= max(2 * age, 7)


def test_an_erasure_from_a_meeting_canceled_long_before_its_start_shows_in_hourly_runs(
    office: Office,
) -> None:
    """The time since the last change doubles while the meeting is recent: only one run sees it."""
    event, invitee = office.book(54)
    office.calendly.cancel(event=event)
    office.run()
    office.pass_days(55.9)
    office.run()
    office.calendly.scrub_invitee(email="ada@example.com")

    assert sum(office.run_hourly(times=4)) == 1
    assert office.shows("event_invitees", invitee)


def test_an_erasure_from_an_older_canceled_meeting_shows_when_a_run_next_lists_the_meeting(
    office: Office,
) -> None:
    """Without full scans, that is when the meeting's own age doubles."""
    office.warehouse.settings["full_scan_interval_days"] = 0
    event, invitee = office.book(3)
    office.calendly.cancel(event=event)
    office.run()
    office.pass_days(12)
    office.run()
    office.calendly.scrub_invitee(email="ada@example.com")
    read = []
    for _ in range(6):
        office.pass_days(1)
        read.append(office.run(select=MEETINGS))

    # 14 days after the cancellation no run lists it; 14 days after its start one does.
    assert read == [0, 0, 0, 0, 1, 0]
    assert office.shows("event_invitees", invitee)


@pytest.mark.usefixtures("doubling")
def test_with_doubling_a_change_before_the_start_can_come_due_after_it(office: Office) -> None:
    _, invitee = office.book(0.02, course=True)  # in half an hour
    office.run()
    office.calendly.pay(invitee=invitee, amount=20, currency="EUR")
    for minutes in (25, 10):
        assert not office.shows("event_invitees", invitee)
        office.clock.advance(timedelta(minutes=minutes))
        office.run()

    assert office.shows("event_invitees", invitee)
