"""How long to wait before a request is tried again.

Calendly counts 500 requests a minute per user (50 on the Free plan), over all of that user's
integrations. Every answer carries `X-RateLimit-Reset`: the seconds, not the moment, until the count
starts anew. `Retry-After` is not documented; it is honoured where something in between sends it.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from requests import Response

MAX_TRIES = 6
"""How often one request is sent before the run ends."""

LONGEST_WAIT = 300
"""Seconds; a header that asks for more is taken for an error in it."""


def seconds_until_retry(answer: Response | None, tries: int, now: datetime) -> float:
    """Decide the pause before the next try.

    Args:
        answer: The answer that was refused; None when none came.
        tries: How often the request was sent so far, from 1.
        now: The present moment (UTC), for a `Retry-After` that names one.

    Returns:
        Seconds: what the headers ask for, else 2, 4, 8, 16 … by the number of tries.
    """
    asked = []
    if answer is not None:
        asked.append(_seconds(answer.headers.get("Retry-After"), now))
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            asked.append(_seconds(answer.headers.get("X-RateLimit-Reset"), now))
    wait = max((seconds for seconds in asked if seconds is not None), default=2.0**tries)
    return min(max(wait, 1.0), LONGEST_WAIT)


def _seconds(value: str | None, now: datetime) -> float | None:
    """Read a number of seconds or an HTTP date."""
    if value is None:
        return None
    try:
        return float(int(value))
    except (OverflowError, ValueError):
        pass
    try:
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (OverflowError, TypeError, ValueError):
        return None
