"""What the page shows of an answer: a title that says it, and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from report.charts import Bars, Columns
from report.wording import count

Row = dict[str, Any]
Rows = Sequence[Row]

MOST_BARS = 10
"""How many bars a chart has at most."""


@dataclass(frozen=True)
class Figure:
    """A chart, with a caption if an answer has several."""

    chart: Bars | Columns
    caption: str = ""


@dataclass(frozen=True)
class Answer:
    """What is seen in the rows of a question.

    Attributes:
        title: The answer in a sentence.
        figures: Its charts; none if there is nothing to draw.
        key: What each color means.
        note: What a reader should know besides, such as what is left out.
        rows: The rows for the table; by default, all that the question has.
    """

    title: str
    figures: Sequence[Figure] = ()
    key: Sequence[tuple[str, str]] = ()
    note: str = ""
    rows: Rows | None = None


@dataclass(frozen=True)
class Question:
    """A question of `transform/questions`.

    Attributes:
        file: Its name, without `.sql`.
        answer: Tells from its rows, of which there is at least one, what is seen in them.
        missing: The title if there are no rows.
    """

    file: str
    answer: Callable[[Rows], Answer]
    missing: str


def most(rows: Rows, column: str, limit: int = MOST_BARS) -> Rows:
    """Return the rows with the highest values in a column, in the order in which they were."""
    highest = sorted(range(len(rows)), key=lambda place: -rows[place][column])[:limit]
    return [rows[place] for place in sorted(highest)]


def left_out(rows: Sequence[Any], shown: Sequence[Any], noun: str, which: str = "") -> str:
    """Return a sentence about what a chart leaves out, if anything."""
    others = len(rows) - len(shown)
    return f"And {count(others, f'other {noun}')}{which}." if others else ""


def among(rows: Rows, shown: Rows) -> str:
    """Return " of the 10 most booked", if a title speaks of those only."""
    return f" of the {len(shown)} most booked" if len(shown) < len(rows) else ""
