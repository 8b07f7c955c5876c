"""Answers about where bookings come from: links, routing forms, what invitees say, time zones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from report.answer import Answer, Figure, left_out, most
from report.charts import FIRST, TRACK, Bar, Bars
from report.wording import count, name, one_line, percent, quoted, share, tenths

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
    title = f"No source is known for {count(total, 'booking')}"
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
    questions = [_given(list(given)) for _, given in groupby(rows, key=itemgetter("question"))]
    choices = sorted(filter(_Given.is_choice, questions), key=attrgetter("bookings"), reverse=True)
    shown = choices[:MOST_QUESTIONS]
    notes = [left_out(choices, shown, "question")]
    if any(given.is_multiple for given in shown):
        notes.append("Several choices in one answer count each.")
    if free := len(questions) - len(choices):
        notes.append(f"Left out as free text: {count(free, 'question')}.")
    note = " ".join(filter(None, notes))
    if not choices:
        return Answer("No question has answers that repeat", note=note, rows=())
    top = choices[0]
    ((answer, bookings),) = top.choices.most_common(1)
    return Answer(
        f"{quoted(answer)} is the top answer to {quoted(top.question)}: "
        f"{share(bookings, top.bookings)}",
        [_question(given) for given in shown],
        note=note,
        rows=[row for given in choices for row in given.rows],
    )


@dataclass(frozen=True)
class _Given:
    """The answers to a question, and how often each choice is in them."""

    question: str
    rows: Rows
    choices: Counter[str]
    bookings: int

    @property
    def is_multiple(self) -> bool:
        """Whether several choices are in one answer, on a line each."""
        return self.choices.total() > self.bookings

    def is_choice(self) -> bool:
        """Whether a few choices, each given again and again, make up most of the answers."""
        top = [given for _, given in self.choices.most_common(MOST_ANSWERS)]
        return bool(top) and sum(top) >= max(MAINLY * self.choices.total(), 2 * len(top))


def _given(rows: Rows) -> _Given:
    choices = Counter[str]()
    for row in rows:
        lines = (one_line(line) for line in row["answer"].splitlines() if line.strip())
        for choice in dict.fromkeys(lines):
            choices[choice] += row["bookings"]
    return _Given(rows[0]["question"], rows, choices, sum(row["bookings"] for row in rows))


def _question(given: _Given) -> Figure:
    shown = given.choices.most_common(MOST_ANSWERS)
    bars = [
        Bar(name(choice), [bookings], [f"{bookings:,}", share(bookings, given.bookings)])
        for choice, bookings in shown
    ]
    caption = one_line(given.question)
    if len(shown) < len(given.choices):
        caption += f" ({len(shown)} of {count(len(given.choices), 'answer')})"
    return Figure(Bars(bars, ["bookings", "share"], [FIRST]), caption)


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
        note=left_out(known, [row for row in shown if row in known], "time zone"),
    )


def _zone(timezone: str) -> str:
    return name(timezone).replace("_", " ")
