"""How the page says numbers, dates, and long texts."""

from __future__ import annotations

import re
from numbers import Number
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, timedelta
    from decimal import Decimal

LONGEST_NAME = 48
"""How many characters of a name or an answer are shown in a title or beside a bar."""

SPACE = "\N{NO-BREAK SPACE}"
NOTHING = "\N{EN DASH}"
NOT_IN_XML = re.compile("[^\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that make vl-convert abort the process."""

TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of the text around them."""


def count(number: int, noun: str) -> str:
    """Return "1 meeting" or "1,204 meetings"."""
    return f"{number:,}{SPACE}{noun}{'' if number == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """Return what percentage of a whole, which is not 0, a part is."""
    # Half up, as the databases round.
    return percent((2000 * part // whole + 1) // 2 / 10)


def percent(number: float | Decimal | None) -> str:
    """Return "14.2 %"."""
    return NOTHING if number is None else f"{number:.1f}{SPACE}%"


def tenths(number: float | Decimal | None) -> str:
    """Return "1,204.5"."""
    return NOTHING if number is None else f"{number:,.1f}"


def money(amount: float | Decimal, *, cents: bool) -> str:
    """Return "1,200" or "1,200.50"."""
    return f"{amount:,.2f}" if cents else f"{amount:,.0f}"


def long_date(day: date) -> str:
    """Return "4 March 2026"."""
    return f"{day.day} {day:%B %Y}"


def moment(time: datetime) -> str:
    """Return "4 March 2026, 09:30"."""
    return f"{long_date(time)}, {time:%H:%M}"


def span(length: timedelta) -> str:
    """Return "90 minutes", "5 hours", or "3 days", rounded down."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 2 * 60:
        return count(minutes, "minute")
    if minutes < 2 * 24 * 60:
        return count(minutes // 60, "hour")
    return count(minutes // (24 * 60), "day")


def one_line(text: str | None) -> str:
    """Return a text on one line; several choices in an answer stand on a line each."""
    shown = TURNING.sub("", NOT_IN_XML.sub("�", "\n".join((text or "").splitlines())))
    lines = (" ".join(line.split()) for line in shown.split("\n"))
    return ", ".join(line for line in lines if line) or "(no name)"


def name(text: str | None) -> str:
    """Return a name or an answer on one line, cut off if it is long."""
    line = one_line(text)
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1].rstrip()}…"


def quoted(text: str) -> str:
    """Return a name or an answer in quotation marks, with single ones in it."""
    single = "\N{LEFT SINGLE QUOTATION MARK}\\1\N{RIGHT SINGLE QUOTATION MARK}"
    inner = re.sub('["“]([^"“”]*)["”]', single, name(text))
    return f"“{inner}”"


def column(values: Sequence[Any]) -> tuple[bool, list[str]]:
    """Return whether a column holds numbers, and its values with as many decimals as one needs."""
    numbers: list[Any] = [one for one in values if isinstance(one, Number)]
    digits = next((d for d in (0, 1) if all(one == round(one, d) for one in numbers)), 2)
    texts = [f"{one:,.{digits}f}" if isinstance(one, Number) else one for one in values]
    return bool(numbers), [NOTHING if text is None else str(text) for text in texts]


def listing(parts: Sequence[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
