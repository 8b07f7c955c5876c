"""The twelve answers, worked out from an organization's records and in exact arithmetic."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from tests.transform.meaning import Meaning

Answer = list[tuple[Any, ...]]
Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Question(NamedTuple):
    """A question: the columns of its answer, and what works it out."""

    columns: str
    answer: Callable[[Meaning], Answer]


def meetings_by_week_and_team(of: Meaning) -> Answer:
    held: Counter[tuple[date, str]] = Counter()
    for one in of.meetings:
        if one.outcome == "held":
            day = one.starts_at.astimezone(of.zone).date()
            held[day - day.weekday() * DAY, one.team_name or "(none)"] += 1
    return [(*key, meetings) for key, meetings in sorted(held.items())]


def no_show_rate_by_event_type(of: Meaning) -> Answer:
    past = _by((one for one in of.bookings if one.is_past), lambda one: one.event_type_name)
    rows = []
    for name, bookings in past.items():
        no_shows = sum(one.outcome == "no-show" for one in bookings)
        rows.append((name, len(bookings), no_shows, percent(no_shows, len(bookings))))
    return sorted(rows, key=lambda row: (-row[3], _null_last(row[0])))


def cancellation_rate_without_reschedules(of: Meaning) -> Answer:
    rows = []
    for name, bookings in _by(of.bookings, lambda one: one.event_type_name).items():
        canceled = [one.canceled_by for one in bookings if one.outcome == "canceled"]
        rate = percent(len(canceled), len(bookings))
        rows.append((name, len(bookings), len(canceled), rate, canceled.count("host")))
    return sorted(rows, key=lambda row: (-row[3], _null_last(row[0])))


def lead_time(of: Meaning) -> Answer:
    rows = []
    for name, bookings in _by(of.bookings, lambda one: one.event_type_name).items():
        days = sorted(exactly(one.first_starts_at - one.booked_at, DAY) for one in bookings)
        shares = (Fraction(1, 2), Fraction(9, 10))
        rows.append((name, len(days), *(one_decimal(percentile(days, one)) for one in shares)))
    return sorted(rows, key=lambda row: (row[2], _null_last(row[0])))


def host_load(of: Meaning) -> Answer:
    held = [one for one in of.meetings if one.outcome == "held"]
    rows = []
    for host in {host for one in held for host, _ in one.hosts}:
        lengths = [(one.length, took) for one in held for who, took in one.hosts if who == host]
        hours = (
            one_decimal(exactly(sum(each, 0 * DAY), HOUR)) for each in zip(*lengths, strict=True)
        )
        rows.append((of.host_name(host), len(lengths), *hours))
    return sorted(rows, key=lambda row: (-row[2], _null_last(row[0])))


def reschedule_chains(of: Meaning) -> Answer:
    rows = []
    for reschedules, bookings in _by(of.bookings, lambda one: one.reschedules).items():
        outcomes = Counter(one.outcome for one in bookings)
        later = [exactly(one.starts_at - one.first_starts_at, DAY) for one in bookings]
        counts = (len(bookings), outcomes["held"], outcomes["canceled"])
        rows.append((reschedules, *counts, one_decimal(mean(later))))
    return sorted(rows)


def sources(of: Meaning) -> Answer:
    rows = []
    grouped = _by(of.bookings, lambda one: (one.source or "(none)", one.campaign or "(none)"))
    for key, bookings in grouped.items():
        past = [one.outcome for one in bookings if one.is_past]
        held = percent(past.count("held"), len(past)) if past else None
        rows.append((*key, len(bookings), held))
    return sorted(rows, key=lambda row: (-row[2], row[:2]))


def routing_conversion(of: Meaning) -> Answer:
    rows = []
    for key, found in _by(of.submissions, lambda one: (one.form_name, one.result_type)).items():
        waits = [one.until_booking for one in found if one.until_booking is not None]
        minutes = one_decimal(mean([exactly(one, MINUTE) for one in waits])) if waits else None
        rows.append((*key, len(found), len(waits), percent(len(waits), len(found)), minutes))
    return sorted(rows, key=lambda row: (_null_last(row[0]), -row[2], _null_last(row[1])))


def answers(of: Meaning) -> Answer:
    given = Counter(answer for booking in of.bookings for answer in booking.answers)
    rows = [(*answer, bookings) for answer, bookings in given.items()]
    return sorted(rows, key=lambda row: (row[0], -row[2], row[1]))


def next_14_days(of: Meaning) -> Answer:
    upcoming = _by(
        (one for one in of.meetings if one.outcome == "upcoming"),
        lambda one: one.starts_at.astimezone(of.zone).date(),
    )
    today = of.now.astimezone(of.zone).date()
    rows = []
    for day in (today + number * DAY for number in range(14)):
        meetings = upcoming.get(day, [])
        hours = one_decimal(exactly(sum((one.length for one in meetings), 0 * DAY), HOUR))
        rows.append((day, len(meetings), sum(one.active_invitees for one in meetings), hours))
    return rows


def time_zones(of: Meaning) -> Answer:
    zones = Counter(one.timezone or "(unknown)" for one in of.bookings)
    rows = [
        (zone, bookings, percent(bookings, len(of.bookings))) for zone, bookings in zones.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def revenue(of: Meaning) -> Answer:
    paid = [one for one in of.bookings if one.revenue is not None]
    rows = []
    for (name, currency), bookings in _by(
        paid, lambda one: (one.event_type_name, one.currency)
    ).items():
        total = sum(one.revenue or 0 for one in bookings)
        of_canceled = sum(one.revenue or 0 for one in bookings if one.outcome == "canceled")
        rows.append((name, currency, len(bookings), total, of_canceled))
    return sorted(rows, key=lambda row: (row[1], -row[3], _null_last(row[0])))


QUESTIONS = {
    "01_meetings_by_week_and_team": Question(
        "week, team_name, meetings", meetings_by_week_and_team
    ),
    "02_no_show_rate_by_event_type": Question(
        "event_type_name, past_bookings, no_shows, percent", no_show_rate_by_event_type
    ),
    "03_cancellation_rate_without_reschedules": Question(
        "event_type_name, bookings, canceled, percent, by_host",
        cancellation_rate_without_reschedules,
    ),
    "04_lead_time": Question("event_type_name, bookings, median_days, p90_days", lead_time),
    "05_host_load": Question("host_name, meetings, hours, hours_with_buffers", host_load),
    "06_reschedule_chains": Question(
        "reschedules, bookings, held, canceled, days_later", reschedule_chains
    ),
    "07_sources": Question("source, campaign, bookings, percent_held", sources),
    "08_routing_conversion": Question(
        "form_name, result_type, submissions, booked, percent, minutes", routing_conversion
    ),
    "09_answers": Question("question, answer, bookings", answers),
    "10_next_14_days": Question("day, meetings, invitees, hours", next_14_days),
    "11_time_zones": Question("timezone, bookings, percent", time_zones),
    "12_revenue": Question(
        "event_type_name, currency, paid_bookings, revenue, of_canceled", revenue
    ),
}
"""By the name of the file in transform/questions."""


def percent(part: int, whole: int) -> Decimal:
    """Return how many percent of the whole a part is, with one decimal."""
    return one_decimal(Fraction(100 * part, whole))


def one_decimal(value: Fraction) -> Decimal:
    """Round to one decimal, half away from zero."""
    tenths = floor(abs(value) * 10 + Fraction(1, 2))
    return Decimal(tenths if value >= 0 else -tenths) / 10


def exactly(length: timedelta, unit: timedelta) -> Fraction:
    """Return a length in a unit."""
    tick = timedelta(microseconds=1)
    return Fraction(length // tick, unit // tick)


def mean(values: Sequence[Fraction]) -> Fraction:
    """Return the average of at least one value."""
    return sum(values, Fraction()) / len(values)


def percentile(ordered: Sequence[Fraction], share: Fraction) -> Fraction:
    """Return the value below which a share of them lies, interpolated linearly."""
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _by(values: Iterable[T], key: Callable[[T], Key]) -> dict[Key, list[T]]:
    found: dict[Key, list[T]] = defaultdict(list)
    for value in values:
        found[key(value)].append(value)
    return found


def _null_last(name: str | None) -> tuple[bool, str]:
    return name is None, name or ""
