"""A title says what is seen in the rows of a question, and a note what is not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from report.charts import Bars
from report.meetings import MOST_WEEKS
from report.questions import GROUPS
from tests.report.rows import TITLES, TODAY, WEEK, plain, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from report.answer import Answer, Row, Rows

ANSWERS: dict[str, Callable[[Rows], Answer]] = {
    question.file: question.answer for questions in GROUPS.values() for question in questions
}

FIRST_ROWS = {
    "01": "1 meeting held in 1 week",
    "10": "1 meeting in the next 14 days, 1 on Wednesday, 4 March",
    "05": "Most hours: Ana Lima, 120.5 in 180 meetings",
    "04": "Shortest notice: Support session, 0.4 days",
    "02": "14.2 % of past bookings are no-shows",
    "03": "50.0 % of bookings end canceled",
    "06": "No reschedules in 90 bookings",
    "12": "EUR 6,691.50 paid, of which EUR 90.00 for canceled bookings",
    "07": "No source is known for 61 bookings",
    "08": "66.7 % of 30 form submissions led to a booking",
    "09": "“Web search” is the top answer to “How did you hear about us?”: 100.0 %",
    "11": "Invitees are in 1 time zone, 50.0 % in America/New York",
}


def answer(number: str, rows: Rows) -> Answer:
    (ask,) = (ask for file, ask in ANSWERS.items() if file.startswith(number))
    return ask(rows)


def changed(number: str, values: Mapping[str, object]) -> list[Row]:
    """The question's rows with the same values in each."""
    return [{**row, **values} for row in rows_of(number)]


@pytest.mark.parametrize("number", TITLES)
def test_a_title_says_what_is_seen_in_the_rows(number: str) -> None:
    assert plain(answer(number, rows_of(number)).title) == TITLES[number]


@pytest.mark.parametrize("number", FIRST_ROWS)
def test_a_title_suits_a_single_row(number: str) -> None:
    assert plain(answer(number, rows_of(number)[:1]).title) == FIRST_ROWS[number]


@pytest.mark.parametrize(
    ("number", "values", "title"),
    [
        ("10", {"meetings": 0}, "No meetings in the next 14 days"),
        ("04", {"median_days": None}, "No booking's meeting was loaded"),
        ("02", {"no_shows": 0, "percent": 0.0}, "No no-shows in 200 past bookings"),
        ("03", {"canceled": 0, "percent": 0.0}, "No cancellations in 120 bookings"),
        ("12", {"of_canceled": 0}, "EUR 6,891.50 and USD 1,500 paid"),
        ("09", {"bookings": 1}, "No question has answers that repeat"),
        ("11", {"timezone": "(unknown)"}, "No invitee's time zone is known"),
        ("06", {"reschedules": 1}, "100.0 % of bookings were rescheduled, none more than once"),
        ("09", {"answer": " "}, "No question has answers that repeat"),
        ("05", {"host_name": None}, "Most hours: (no name), 120.5 in 180 meetings"),
    ],
)
def test_a_title_says_so_if_there_is_little_to_say(
    number: str, values: Mapping[str, object], title: str
) -> None:
    assert plain(answer(number, changed(number, values)).title) == title


def test_weeks_without_meetings_are_shown_and_old_ones_left_out() -> None:
    rows = [
        {"week": TODAY - place * WEEK, "team_name": "Sales", "meetings": 1}
        for place in (60, MOST_WEEKS, MOST_WEEKS - 1, 0)
    ]
    shown = answer("01", rows)

    assert plain(shown.title) == f"2 meetings held in {MOST_WEEKS} weeks, by Sales"
    assert "the first on 10 September 2025" in shown.note
    assert shown.rows == rows[::-1]  # the newest first


def test_many_teams_become_five_and_others() -> None:
    rows = [
        {"week": date(2026, 3, 2), "team_name": f"team {place}", "meetings": 20 - place}
        for place in range(20)
    ]
    key = [meaning for _, meaning in answer("01", rows).key]

    assert key == ["team 0", "team 1", "team 2", "team 3", "team 4", "others"]


def test_a_question_is_free_text_although_some_answers_are_alike() -> None:
    alike = [(f"alike {place}", 3) for place in range(6)]
    given = [*alike, *((str(place), 1) for place in range(40))]
    rows = [{"question": "Why?", "answer": one, "bookings": times} for one, times in given]

    assert answer("09", rows).title == "No question has answers that repeat"
    assert "alike" in answer("09", rows[:10]).title


def test_each_of_several_choices_in_an_answer_counts() -> None:
    given = [
        ("Pricing\nSecurity", 3),
        ("Security\nSpeed, cost", 2),
        ("Security", 1),
        ("Other\n", 1),
    ]
    rows = [{"question": "Topics?", "answer": one, "bookings": times} for one, times in given]
    shown = answer("09", rows)
    (figure,) = shown.figures
    assert isinstance(figure.chart, Bars)

    assert plain(shown.title) == "“Security” is the top answer to “Topics?”: 85.7 %"
    assert [(bar.label, *bar.figures) for bar in figure.chart.bars] == [
        ("Security", "6", "85.7\N{NO-BREAK SPACE}%"),
        ("Pricing", "3", "42.9\N{NO-BREAK SPACE}%"),
        ("Speed, cost", "2", "28.6\N{NO-BREAK SPACE}%"),
        ("Other", "1", "14.3\N{NO-BREAK SPACE}%"),
    ]
    assert shown.note == "Several choices in one answer count each."
    assert shown.rows == rows


@pytest.mark.parametrize("quoted", ['They said "call us"', "They said “call us”"])
def test_quotation_marks_in_quotation_marks_are_single(quoted: str) -> None:
    title = answer("09", changed("09", {"answer": quoted})).title

    assert (
        "“They said \N{LEFT SINGLE QUOTATION MARK}call us\N{RIGHT SINGLE QUOTATION MARK}”" in title
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("02", "; the highest rate of the 10 most booked: 12, 12.0 %"),
        ("03", "; the highest rate of the 10 most booked: 12, 12.0 %"),
        ("04", "Shortest notice of the 10 most booked: 3, 3.0 days; longest: 12, 12.0"),
    ],
)
def test_the_highest_of_those_shown_is_not_said_to_be_the_highest_of_all(
    number: str, said: str
) -> None:
    few = [1, 2, *[3] * 10]  # bookings of types, which are named after their place and their rate
    rows = [
        {
            **rows_of(number)[0],
            "event_type_name": str(place),
            "percent": float(place) if bookings == 3 else 99.0,
            "median_days": float(place) if bookings == 3 else 0.0,
            "p90_days": 99.0,
            **dict.fromkeys(("bookings", "past_bookings"), 10 * bookings),
            **dict.fromkeys(("no_shows", "canceled"), 3 * bookings),
        }
        for place, bookings in enumerate(few, 1)
    ]
    shown = answer(number, rows)

    assert plain(shown.title).endswith(said)
    assert plain(shown.note).endswith("And 2 other event types.")


@pytest.mark.parametrize(
    ("number", "what"), [("02", "past bookings are no-shows"), ("03", "bookings end canceled")]
)
def test_no_rate_of_zero_is_said_to_be_the_highest(number: str, what: str) -> None:
    title = answer(number, changed(number, {"percent": 0.0})).title

    assert title.endswith(what)


def test_an_unknown_time_zone_is_none() -> None:
    zones = ["(unknown)", *(f"Etc/GMT-{place}" for place in range(10))]
    rows = [{"timezone": zone, "bookings": 10, "percent": 9.1} for zone in zones]

    assert plain(answer("11", rows).title).startswith("Invitees are in 10 time zones, ")
    assert plain(answer("11", rows).note) == "And 1 other time zone."
    assert answer("11", rows[:10]).note == ""
    assert answer("11", [*rows[1:], rows[0]]).note == ""


def test_what_a_currency_leaves_out_is_counted() -> None:
    rows = changed("12", {"currency": "USD"})[:1] * 12

    assert plain(answer("12", rows).note) == "And 2 other event types in USD."


@pytest.mark.parametrize("turning", ["\u202e", "\u2067", "\u200f"])
def test_a_name_does_not_turn_the_text_around_it(turning: str) -> None:
    title = answer("05", changed("05", {"host_name": f"Ana{turning} Lima"})).title

    assert title.startswith("Most hours: Ana Lima, ")
