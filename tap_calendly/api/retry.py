"""How long a request that fails is tried again, and how long it pauses in between."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from random import uniform
from typing import TYPE_CHECKING

from tap_calendly.api.throttle import LONGEST_WAIT

if TYPE_CHECKING:
    from requests import Response

    from tap_calendly.api.throttle import Clock

DOUBLINGS = 6
"""How often the pause between two tries doubles where no header asks for more: up to 64 s."""


class RetryBudget:
    """The time that all requests have together while none of them gets an answer.

    An outage fails every request: one bound for each would add up to hours.
    """

    def __init__(self, seconds: int, clock: Clock) -> None:
        """Begin with nothing failing.

        Args:
            seconds: For how long requests that fail are tried again.
            clock: What tells the time.
        """
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    def answered(self) -> None:
        """Note that an answer came."""
        with self._lock:
            self._failing_since = None

    def retries(self) -> Retries:
        """Begin to count the tries of a request."""
        return Retries(self)

    def failed(self, since: float | None) -> tuple[float, float]:
        """Note that a try failed.

        Args:
            since: When a try of the same request failed first; None for just now.

        Returns:
            The moment from which the time counts, and the seconds that are left of it.
        """
        with self._lock:
            now = self._clock.now()
            if self._failing_since is None:
                self._failing_since = now
            since = self._failing_since if since is None else min(since, self._failing_since)
            return since, since + self.seconds - now


class Retries:
    """The tries of one request.

    Attributes:
        made: How many were made.
    """

    def __init__(self, patience: RetryBudget) -> None:
        """Begin with none."""
        self.made = 0
        self._patience = patience
        self._since: float | None = None

    def pause(self, answer: Response | None) -> float | None:
        """Note that a try failed, and decide when the next one is.

        Args:
            answer: What it was answered with; None when no answer came.

        Returns:
            Seconds until then; None when the time is over. The last try is at its very end, and
            the second in any case: what used the time up may be another fault than this one.
        """
        self.made += 1
        self._since, left = self._patience.failed(self._since)
        if left <= 0:
            if self.made > 1:
                return None
            left = self._patience.seconds
        seconds = seconds_until_retry(answer, self.made, datetime.now(timezone.utc))
        if answer is None or answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            seconds += uniform(0, 1)  # noqa: S311 - no secret: threads shall not come back at once
        return min(seconds, left)


def seconds_until_retry(answer: Response | None, tries: int, now: datetime) -> float:
    """Decide the pause before the next try of a request.

    Args:
        answer: The answer that was refused; None when none came.
        tries: How often the request was sent so far, from 1.
        now: The present moment (UTC), for a `Retry-After` that names one.

    Returns:
        Seconds: what the headers ask for, else 2, 4, 8 … up to 64 by the number of tries.
    """
    asked = []
    if answer is not None:
        asked.append(_seconds(answer.headers.get("Retry-After"), now))
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            asked.append(_seconds(answer.headers.get("X-RateLimit-Reset"), now))
    usual = 2.0 ** min(tries, DOUBLINGS)
    wait = max((seconds for seconds in asked if seconds is not None), default=usual)
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
