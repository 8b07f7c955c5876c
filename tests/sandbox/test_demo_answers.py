"""What an analyst can ask the demo organization, with answers worth looking at, on any day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.demo.company import simulate
from sandbox.organization.timestamps import from_timestamp, to_timestamp
from tests.cases import cases

if TYPE_CHECKING:
    from sandbox.organization.state import Record

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 13, 0, tzinfo=timezone.utc)
DAYS = [NOW + number * timedelta(days=29, hours=5) for number in range(30)]


class Demo:
    """The demo organization as `make sync` loads it, with its bookings put together."""

    def __init__(self, now: datetime) -> None:
        """Play the company's life until now."""
        self.now = now
        self.calendly = simulate(seed=1, size=600, now=now)
        self.events = self.calendly.events
        self.invitees = {
            one["uri"]: one for each in self.calendly.invitees.values() for one in each
        }
        self.types = {uri: one["name"] for uri, one in self.calendly.event_types.items()}

    @cached_property
    def bookings(self) -> list[list[Record]]:
        """The invitees of each booking, the first one first."""
        chains = [[one] for one in self.invitees.values() if not one["old_invitee"]]
        for chain in chains:
            while following := chain[-1]["new_invitee"]:
                chain.append(self.invitees[following])
        return chains

    @property
    def upcoming(self) -> int:
        """How many meetings are to come."""
        now = to_timestamp(self.now)
        return sum(
            one["status"] == "active" and one["start_time"] > now for one in self.events.values()
        )

    def meeting(self, invitee: Record) -> Record:
        """Return an invitee's meeting."""
        return self.events[invitee["event"]]

    def outcome(self, booking: list[Record]) -> str:
        """Return what became of a booking."""
        last = booking[-1]
        if last["status"] == "canceled":
            return "canceled"
        if last["no_show"]:
            return "no-show"
        is_past = from_timestamp(self.meeting(last)["start_time"]) <= self.now
        return "held" if is_past else "upcoming"

    def outcomes(self, key: Any) -> dict[Any, Counter[str]]:  # noqa: ANN401 - any function
        """Count bookings by a key and by outcome."""
        counted: dict[Any, Counter[str]] = defaultdict(Counter)
        for booking in self.bookings:
            counted[key(booking)][self.outcome(booking)] += 1
        return counted

    def event_type(self, booking: list[Record]) -> str:
        """Return the name of a booking's event type."""
        meeting = self.meeting(booking[-1])
        name: str = self.types[meeting["event_type"]] or meeting["name"]
        return name


@pytest.fixture(scope="module", params=cases(DAYS[:3], quick=DAYS[:1]))
def demo(request: pytest.FixtureRequest) -> Demo:
    return Demo(request.param)


@pytest.mark.parametrize("now", cases(DAYS, quick=DAYS[3:6]))
def test_about_sixty_meetings_are_upcoming_whatever_the_day(now: datetime) -> None:
    assert 50 <= Demo(now).upcoming <= 75


def test_more_meetings_are_held_in_the_last_half_year_than_in_the_one_before(demo: Demo) -> None:
    held = Counter(
        (demo.now - from_timestamp(one["start_time"])) // (182 * DAY)
        for one in demo.events.values()
        if one["status"] == "active" and from_timestamp(one["start_time"]) <= demo.now
    )

    assert held[0] > 1.3 * held[1] > 100


def test_meetings_take_place_on_weekdays_most_of_them_in_the_middle_of_the_week(
    demo: Demo,
) -> None:
    days = Counter(from_timestamp(one["start_time"]).weekday() for one in demo.events.values())

    assert days[5] + days[6] < 0.02 * len(demo.events)
    assert min(days[1], days[2], days[3]) > max(days[0], days[4]) > 0.1 * len(demo.events)


def test_most_event_types_have_no_shows_some_of_them_many_more_than_others(demo: Demo) -> None:
    outcomes = demo.outcomes(demo.event_type)
    rates = [
        one["no-show"] / (one["held"] + one["no-show"])
        for one in outcomes.values()
        if one["held"] + one["no-show"] > 15
    ]

    assert sum(rate > 0 for rate in rates) > len(rates) / 2
    assert max(rates) < 0.3
    assert sum(0.03 <= rate <= 0.2 for rate in rates) >= 4


def test_hosts_and_invitees_cancel_bookings_of_most_event_types(demo: Demo) -> None:
    canceled = demo.outcomes(
        lambda booking: (
            demo.event_type(booking),
            booking[-1].get("cancellation", {}).get("canceler_type"),
        )
    )

    assert len({name for name, by in canceled if by == "invitee"}) >= 5
    assert len({name for name, by in canceled if by == "host"}) >= 3


def test_lead_times_differ_by_event_type(demo: Demo) -> None:
    days = defaultdict(list)
    for booking in demo.bookings:
        starts_at = from_timestamp(demo.meeting(booking[0])["start_time"])
        lead = starts_at - from_timestamp(booking[0]["created_at"])
        days[demo.event_type(booking)].append(lead / DAY)

    assert median(days["Support session"]) < 5
    assert 5 < median(days["Intro call"]) < 25
    assert median(days["Account review"]) > 80
    assert min(min(leads) for leads in days.values()) > 0


def test_a_host_of_an_event_type_without_a_team_is_in_two_groups(demo: Demo) -> None:
    groups = Counter(user for each in demo.calendly.group_members.values() for user in each)
    types = demo.calendly.event_types
    first_hosts = Counter(
        one["event_memberships"][0]["user"]
        for one in demo.events.values()
        if types[one["event_type"]]["profile"]["type"] != "Team"
    )

    assert max(first_hosts[user] for user, number in groups.items() if number == 2) > 50


def test_bookings_are_rescheduled_up_to_four_times_and_some_are_canceled_then(demo: Demo) -> None:
    outcomes = demo.outcomes(lambda booking: len(booking) - 1)

    assert outcomes.keys() == {0, 1, 2, 3, 4}
    assert all(one["held"] for number, one in outcomes.items() if number < 3)
    assert sum(one["canceled"] for number, one in outcomes.items() if number) > 1


def test_a_host_makes_some_bookings_ones_of_another_event_type(demo: Demo) -> None:
    moved = [
        {demo.types[demo.meeting(one)["event_type"]] for one in booking}
        for booking in demo.bookings
        if len(booking) > 1
    ]

    assert {"Intro call", "Product demo"} in moved


def test_three_sources_send_visitors_by_campaigns_with_outcomes_that_differ(demo: Demo) -> None:
    outcomes = demo.outcomes(
        lambda booking: tuple(booking[0]["tracking"][key] for key in ("utm_source", "utm_campaign"))
    )
    held = {
        key: one["held"] / (one["held"] + one["no-show"])
        for key, one in outcomes.items()
        if one.total() > 40
    }

    assert {source for source, campaign in held if campaign} == {"newsletter", "google", "linkedin"}
    assert (None, None) in held
    assert held["linkedin", "launch"] < held["newsletter", "spring"] - 0.1


def test_half_of_the_visitors_whom_a_form_leads_to_an_event_type_book_it(demo: Demo) -> None:
    submissions = demo.calendly.truth()["routing_form_submissions"]
    led = [one for one in submissions if one.get("result", {}).get("type") == "event_type"]
    minutes = [
        (from_timestamp(booked["created_at"]) - from_timestamp(one["created_at"])) / MINUTE
        for one in led
        if (booked := demo.invitees.get(one["submitter"]))
    ]

    assert len({one["routing_form"] for one in led}) == 2
    assert 0.4 < len(minutes) / len(led) < 0.75
    assert 2 <= min(minutes) < 10
    assert 12 * 60 < max(minutes) <= 24 * 60


def test_most_bookings_of_three_event_types_answer_how_they_heard_about_the_company(
    demo: Demo,
) -> None:
    question = "How did you hear about us?"
    asked = {
        one["name"]: custom
        for one in demo.calendly.event_types.values()
        for custom in one["custom_questions"]
        if custom["name"] == question
    }
    answers: dict[str, list[str | None]] = {name: [] for name in asked}
    for name, answered in answers.items():
        for booking in demo.bookings:
            if demo.types[demo.meeting(booking[0])["event_type"]] == name:
                given = {
                    one["question"]: one["answer"] for one in booking[-1]["questions_and_answers"]
                }
                answered.append(given.get(question))

    assert len(asked) == 3
    assert {one["type"] for one in asked.values()} == {"single_select"}
    for name, answered in answers.items():
        assert set(answered) - {None} <= set(asked[name]["answer_choices"])
        assert answered.count(None) < len(answered) / 2
    shares = Counter(one for each in answers.values() for one in each if one)
    assert len(shares) == 5
    assert max(shares.values()) > 2 * min(shares.values())


def test_visitors_are_in_ten_time_zones_and_that_of_some_is_unknown(demo: Demo) -> None:
    zones = Counter(booking[-1]["timezone"] for booking in demo.bookings)

    assert len(zones.keys() - {None}) == 10
    assert zones[None] > 0
    assert max(zones.values()) > 2 * min(zones.values())


def test_bookings_are_paid_in_two_currencies_and_some_of_them_are_canceled(demo: Demo) -> None:
    paid = demo.outcomes(lambda booking: (booking[-1]["payment"] or {}).get("currency"))

    assert paid.keys() == {None, "EUR", "USD"}
    assert paid["EUR"]["canceled"] + paid["USD"]["canceled"] > 0
    assert min(paid["EUR"].total(), paid["USD"].total()) > 5


def test_every_meeting_has_a_name_even_where_its_event_type_has_none(demo: Demo) -> None:
    assert None in demo.types.values()
    assert all(one["name"] for one in demo.events.values())
