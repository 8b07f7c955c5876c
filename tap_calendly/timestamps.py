"""Timestamps: parsed from strings, written to requests and state. All are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pendulum
from pendulum.parsing.exceptions import ParserError

EPOCH, FAR_FUTURE = 1970, 3000
"""The years between which a date in settings and state must lie."""

REQUEST_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Six fractional digits: with any other number Calendly has refused its own page tokens."""


def parse(text: str) -> datetime:
    """Parse a date or date-time in ISO 8601; a date is its midnight, and no offset means UTC.

    Raises:
        ValueError: It is neither.
    """
    try:
        parsed = pendulum.parse(text, exact=True)
        if isinstance(parsed, pendulum.DateTime):
            return parsed.in_timezone("UTC")
        if isinstance(parsed, pendulum.Date):
            return pendulum.datetime(parsed.year, parsed.month, parsed.day)
    except (ParserError, ValueError, OverflowError, TypeError) as error:
        raise ValueError(str(error)) from None
    message = "neither a date nor a date-time"
    raise ValueError(message)


def is_timestamp(text: str) -> bool:
    """Whether a string is a timestamp; words such as `now` would move with the run."""
    try:
        parse(text)
    except ValueError:
        return False
    return text[:1].isdigit()


def is_plausible(text: str) -> bool:
    """Whether a string is a timestamp of a year that makes sense in settings and state."""
    return is_timestamp(text) and EPOCH < parse(text).year < FAR_FUTURE


def of(row: Mapping[str, Any], field: str) -> datetime | None:
    """Return a row's timestamp; None where it is absent or cannot be parsed."""
    try:
        return parse(row[field])
    except (KeyError, TypeError, ValueError):
        return None


def in_request(timestamp: datetime) -> str:
    """Format a timestamp as a query parameter; Linux gives the year 770 only three digits."""
    return timestamp.strftime(REQUEST_FORMAT).zfill(len("2026-03-04T09:30:00.000000Z"))


def in_iso(timestamp: datetime) -> str:
    """Format a timestamp as state and rows have it."""
    return timestamp.isoformat().replace("+00:00", "Z")
