"""Which meetings one run reads: ranges of `start_time` over `/scheduled_events`.

Calendly filters and sorts meetings by their start alone; there is no "changed since". A run's pass
over them is a sweep: a list of ranges, each read in the order of start. Every sweep is a full scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

REQUEST_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Six fractional digits: with any other number Calendly has refused its own page tokens."""


@dataclass(frozen=True)
class Range:
    """Meetings that start at or after `start`; None is the beginning of all time.

    Attributes:
        start: The earliest start of a meeting (UTC, inclusive).
    """

    start: datetime | None


def plan(start_date: datetime | None) -> list[Range]:
    """Decide the ranges of a run.

    Args:
        start_date: The earliest start that the user wants (UTC).

    Returns:
        The ranges, in the order in which they are to be read.
    """
    return [Range(start_date)]
