"""Rows as the questions return them, for a small company."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from report.page import Asked, page
from report.questions import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.answer import Rows

FACTS: dict[str, Any] = {
    "as_of": datetime(2026, 3, 4, 9, 30),  # noqa: DTZ001 - as the models have them, in UTC
    "latest_change_at": datetime(2026, 3, 4, 6, 15),  # noqa: DTZ001
    "local_as_of": datetime(2026, 3, 4, 4, 30),  # noqa: DTZ001
    "local_latest_change_at": datetime(2026, 3, 4, 1, 15),  # noqa: DTZ001
    "timezone": "America/New_York",
    "meetings": 1204,
    "first_day": date(2025, 3, 3),
    "last_day": date(2026, 4, 1),
    "bookings": 1,
}
NO_MEETINGS = {**FACTS, "meetings": 0, "first_day": None, "last_day": None, "bookings": 0}

TODAY = date(2026, 3, 4)
WEEK = timedelta(weeks=1)


def _rows(columns: str, *rows: tuple[Any, ...]) -> Rows:
    return [dict(zip(columns.split(), row, strict=True)) for row in rows]


ROWS: dict[str, Rows] = {
    "01_meetings_by_week_and_team": _rows(
        "week team_name meetings",
        (date(2026, 2, 9), "(none)", 1),
        (date(2026, 2, 9), "Sales", 3),
        (date(2026, 2, 23), "Sales", 2),
        (date(2026, 2, 23), "Support", 5),
        (date(2026, 3, 2), "Support", 1),
    ),
    "10_next_14_days": _rows(
        "day meetings invitees hours",
        *(
            (TODAY + timedelta(days=ahead), meetings, 2 * meetings, Decimal(meetings) / 2)
            for ahead, meetings in enumerate([1, 0, 3, *[0] * 11])
        ),
    ),
    "05_host_load": _rows(
        "host_name meetings hours hours_with_buffers",
        ("Ana Lima", 180, Decimal("120.5"), Decimal("151.0")),
        ("Bo Lindqvist", 1, Decimal("0.5"), Decimal("0.5")),
    ),
    "04_lead_time": _rows(
        "event_type_name bookings median_days p90_days",
        ("Support session", 40, Decimal("0.4"), Decimal("2.0")),
        ("Kickoff", 12, Decimal("6.2"), Decimal("14.0")),
        ("Gone", 1, None, None),
    ),
    "02_no_show_rate_by_event_type": _rows(
        "event_type_name past_bookings no_shows percent",
        ("Support session", 120, 17, 14.2),
        ("Intro call", 80, 1, 1.3),
    ),
    "03_cancellation_rate_without_reschedules": _rows(
        "event_type_name bookings canceled percent by_host",
        ("Interview", 36, 18, 50.0, 6),
        ("Intro call", 84, 0, 0.0, 0),
    ),
    "06_reschedule_chains": _rows(
        "reschedules bookings held canceled days_later",
        (0, 90, 70, 10, Decimal("0.0")),
        (1, 8, 6, 1, Decimal("3.5")),
        (4, 2, 2, 0, Decimal("20.0")),
    ),
    "12_revenue": _rows(
        "event_type_name currency paid_bookings revenue of_canceled",
        ("Consultation", "EUR", 38, Decimal("6691.50"), Decimal(90)),
        ("Workshop", "EUR", 2, Decimal(200), Decimal(0)),
        ("Consultation", "USD", 10, Decimal(1500), Decimal(0)),
    ),
    "07_sources": _rows(
        "source campaign bookings percent_held",
        ("(none)", "(none)", 61, 91.9),
        ("newsletter", "spring", 25, 95.2),
        ("newsletter", "(none)", 9, None),
        ("google", "brand", 5, 80.0),
    ),
    "08_routing_conversion": _rows(
        "form_name result_type submissions booked percent minutes",
        ("Talk to us", "event_type", 30, 20, 66.7, Decimal("124.4")),
        ("Talk to us", "external_url", 10, 0, 0.0, None),
    ),
    "09_answers": _rows(
        "question answer bookings",
        ("How did you hear about us?", "Web search", 41),
        ("How did you hear about us?", "A friend", 9),
        ("Phone", "+1 555 0100", 1),
        ("Phone", "+1 555 0101", 1),
        ("Which topics?", "Pricing\nSecurity", 5),
        ("Which topics?", "Pricing", 4),
    ),
    "11_time_zones": _rows(
        "timezone bookings percent",
        ("America/New_York", 50, 50.0),
        ("Europe/London", 30, 30.0),
        ("(unknown)", 20, 20.0),
    ),
}

TITLES = {
    "01": "12 meetings held in 4 weeks, 6 by Support",
    "10": "4 meetings in the next 14 days, 3 on Friday, 6 March",
    "05": "Most hours: Ana Lima, 120.5 in 180 meetings",
    "04": "Shortest notice: Support session, 0.4 days; longest: Kickoff, 6.2",
    "02": "9.0 % of past bookings are no-shows; the highest rate: Support session, 14.2 %",
    "03": "15.0 % of bookings end canceled; the highest rate: Interview, 50.0 %",
    "06": "10.0 % of bookings were rescheduled, up to 4 times",
    "12": "EUR 6,891.50 and USD 1,500 paid, of which EUR 90.00 for canceled bookings",
    "07": "Top source: newsletter, 34 of 100 bookings",
    "08": "50.0 % of 40 form submissions led to a booking",
    "09": "“Web search” is the top answer to “How did you hear about us?”: 82.0 %",
    "11": "Invitees are in 2 time zones, 50.0 % in America/New York",
}
"""What is seen in these rows."""


def rows_of(number: str) -> Rows:
    """Return the rows of the question with a number."""
    (rows,) = (rows for file, rows in ROWS.items() if file.startswith(number))
    return rows


def plain(text: str) -> str:
    """Return a text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def asked(file: str, rows: Rows) -> Asked:
    """Return a question and its rows, with a made-up query."""
    (question,) = (one for group in GROUPS.values() for one in group if one.file == file)
    return Asked(question, f"-- What about {file}?\nselect 1 < 2", rows)


def made(rows: Mapping[str, Rows], facts: Mapping[str, Any] = FACTS) -> str:
    """Return the page for rows by question."""
    groups = {
        heading: [asked(question.file, rows[question.file]) for question in questions]
        for heading, questions in GROUPS.items()
    }
    return page(dict(facts), groups, "output/demo.duckdb")


@cache
def usual() -> str:
    """Return the page for `ROWS`."""
    return made(ROWS)
