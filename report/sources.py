"""Answers about where bookings come from: links, routing forms, what invitees say, time zones."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from report.answer import Answer, Figure, left_out, most
from report.charts import FIRST, TRACK, Bar, Bars
from report.wording import count, name, one_line, percent, share, tenths

if TYPE_CHECKING:
    from report.answer import Rows

NONE = "(none)"
MOST_QUESTIONS = 4
MOST_ANSWERS = 6
MAINLY = 0.6
"""What part of the bookings a question's most frequent answers make up if it offers choices."""


def sources(rows: Rows) -> Answer:
    """Tell which links bookings came by, and how many of them were held."""
    shown = most(rows, "bookings")
    total = sum(row["bookings"] for row in rows)
    by_source = Counter[str]()
    for row in rows:
        if row["source"] != NONE:
            by_source[row["source"]] += row["bookings"]
    title = f"None of {count(total, 'booking')} names a source"
    if by_source:
        (source, bookings), *_ = by_source.most_common(1)
        title = f"Top source: {name(source)}, {bookings:,} of {count(total, 'booking')}"
    bars = [
        Bar(
            _link(row["source"], row["campaign"]),
            [row["bookings"]],
            [f"{row['bookings']:,}", percent(row["percent_held"])],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["bookings", "held"], [FIRST]))],
        note="Source and campaign are those of the link (utm_source, utm_campaign); held is a part "
        f"of past bookings. {left_out(rows, shown, 'link')}",
    )


def _link(source: str, campaign: str) -> str:
    if source == NONE == campaign:
        return "no source"
    return name(source) if campaign == NONE else f"{name(source)} / {name(campaign)}"


def routing(rows: Rows) -> Answer:
    """Tell how many submissions of routing forms led to a booking."""
    shown = most(rows, "submissions")
    submissions = sum(row["submissions"] for row in rows)
    booked = sum(row["booked"] for row in rows)
    bars = [
        Bar(
            f"{name(row['form_name'])}: " + name(row["result_type"] or "(none)").replace("_", " "),
            [row["percent"], 100 - row["percent"]],
            [
                percent(row["percent"]),
                f"{row['submissions']:,}",
                tenths(row["minutes"]),
            ],
        )
        for row in shown
    ]
    return Answer(
        f"{share(booked, submissions)} of {count(submissions, 'form submission')} led to a booking",
        [Figure(Bars(bars, ["booked", "of", "minutes"], [FIRST, TRACK]))],
        note="By the form and what it led to; minutes are those from submission to booking, on "
        f"average. {left_out(rows, shown, 'result')}",
    )


def answers(rows: Rows) -> Answer:
    """Tell what invitees answer to questions that offer choices; free text is left out."""
    questions = [list(given) for _, given in groupby(rows, key=itemgetter("question"))]
    choices = sorted(filter(_is_choice, questions), key=_bookings, reverse=True)
    notes = []
    if len(choices) > MOST_QUESTIONS:
        others = count(len(choices) - MOST_QUESTIONS, "other question")
        notes.append(f"And {others}, in the table below.")
    if free := len(questions) - len(choices):
        notes.append(f"Left out as free text: {count(free, 'question')}.")
    if not choices:
        return Answer("No question has answers that repeat", note=" ".join(notes), rows=())
    top = max(choices[0], key=itemgetter("bookings"))
    return Answer(
        f"“{name(top['answer'])}” is the top answer to “{name(top['question'])}”: "
        f"{share(top['bookings'], _bookings(choices[0]))}",
        [_question(given) for given in choices[:MOST_QUESTIONS]],
        note=" ".join(notes),
        rows=[row for given in choices for row in given],
    )


def _question(given: Rows) -> Figure:
    shown = most(given, "bookings", MOST_ANSWERS)
    total = _bookings(given)
    bars = [
        Bar(
            name(row["answer"]),
            [row["bookings"]],
            [f"{row['bookings']:,}", share(row["bookings"], total)],
        )
        for row in shown
    ]
    caption = one_line(given[0]["question"])
    if others := len(given) - len(shown):
        caption += f" ({len(shown)} of {count(others + len(shown), 'answer')})"
    return Figure(Bars(bars, ["bookings", "share"], [FIRST]), caption)


def _bookings(given: Rows) -> int:
    return sum(row["bookings"] for row in given)


def _is_choice(given: Rows) -> bool:
    """Whether a few answers, each given again and again, make up most of a question's."""
    top = most(given, "bookings", MOST_ANSWERS)
    return _bookings(top) >= max(MAINLY * _bookings(given), 2 * len(top))


def time_zones(rows: Rows) -> Answer:
    """Tell in which time zones invitees are."""
    shown = most(rows, "bookings")
    known = [row for row in rows if row["timezone"] != "(unknown)"]
    title = "No invitee's time zone is known"
    if known:
        top = max(known, key=itemgetter("bookings"))
        title = (
            f"Invitees are in {count(len(known), 'time zone')}, {percent(top['percent'])} in "
            f"{_zone(top['timezone'])}"
        )
    bars = [
        Bar(
            _zone(row["timezone"]),
            [row["bookings"]],
            [f"{row['bookings']:,}", percent(row["percent"])],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["bookings", "share"], [FIRST]))],
        note=left_out(rows, shown, "time zone"),
    )


def _zone(timezone: str) -> str:
    return name(timezone).replace("_", " ")
