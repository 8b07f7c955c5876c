"""How long requests that fail are tried again, and how long they pause in between."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import backoff
from requests import Response

from tap_calendly.api.throttle import LONGEST_WAIT, Clock, StoppedError, Throttle
from tap_calendly.reporting import errors
from tap_calendly.settings import Settings

T = TypeVar("T")

LONGEST_BACKOFF = 64
"""Seconds to which the pause between two tries doubles where no header asks for more."""


class RetryBudget:
    """The seconds that all requests have together while none of them is answered.

    An outage fails every request: a bound for each would add up to hours.
    """

    def __init__(self, seconds: int, clock: Clock, patience: int | None = None) -> None:
        """Begin with nothing failing.

        Args:
            seconds: The budget.
            clock: What tells the time.
            patience: The budget while no response comes at all, where it is less.
        """
        self.seconds = seconds
        self._patience = seconds if patience is None else min(patience, seconds)
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

    def bound(self, answer: Response | None) -> int:
        """Return the budget (seconds) of a request whose last try was answered so, or not."""
        return self._patience if answer is None else self.seconds

    def failed(self, since: float | None, bound: int) -> tuple[float, float]:
        """Note that a try failed.

        Args:
            since: When a try of the same request first failed; None for just now.
            bound: The budget.

        Returns:
            From when the time counts, and the seconds left of it.
        """
        with self._lock:
            now = self._clock.now()
            if self._failing_since is None:
                self._failing_since = now
            since = self._failing_since if since is None else min(since, self._failing_since)
            return since, since + bound - now


class Retries:
    """The tries of one request."""

    def __init__(self, budget: RetryBudget) -> None:
        """Begin with none."""
        self._budget = budget
        self._since: float | None = None
        self._is_first = True
        self._backoff = backoff.expo(factor=2, max_value=LONGEST_BACKOFF)
        next(self._backoff)  # a generator has to be started

    def pause(self, answer: Response | None) -> float | None:
        """Note that a try failed, and decide when the next one is.

        Args:
            answer: The response; None when none came.

        Returns:
            Seconds until then; None when the time is over. The last try is at its very end, and
            the second in any case: another fault than this one may have used the time up.
        """
        bound = self._budget.bound(answer)
        self._since, left = self._budget.failed(self._since, bound)
        if left <= 0:
            if not self._is_first:
                return None
            left = bound
        self._is_first = False
        usual = next(self._backoff)
        seconds = seconds_until_retry(answer, usual, datetime.now(timezone.utc))
        if answer is None or answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            seconds = backoff.random_jitter(seconds)
        return min(seconds, left)


class RetryLoop:
    """Sends requests of several threads again until they are answered."""

    def __init__(
        self,
        settings: Settings,
        throttle: Throttle,
        logger: logging.Logger,
        *,
        limit_is_shared: bool,
    ) -> None:
        """Prepare.

        Args:
            settings: Have the retry budget.
            throttle: Lets time pass.
            logger: Where to say that a request is tried again.
            limit_is_shared: Whether a 429 pauses all requests of the throttle.
        """
        self._budget = RetryBudget(settings.retry_timeout, throttle.clock, settings.patience)
        self._throttle = throttle
        self._logger = logger
        self._limit_is_shared = limit_is_shared
        self._lock = threading.Lock()
        self._quiet_until = -math.inf

    def run(self, name: str, send: Callable[[], T], stop: threading.Event) -> T:
        """Send a request until it is answered or refused, or the budget is used up.

        Args:
            name: Who asks, for the log.
            send: Sends it once.
            stop: Set when nobody waits for the answer any more.

        Raises:
            TransientError: What the last try raised.
            StoppedError: Nobody waits for the answer any more.
        """
        retries = self._budget.retries()
        while True:
            try:
                answer = send()
            except errors.TransientError as error:
                seconds = retries.pause(error.response)
                if seconds is None:
                    raise
                self._pause(name, error, seconds, stop)
            except errors.RefusedError:
                self._budget.answered()
                raise
            else:
                self._budget.answered()
                return answer

    def _pause(
        self, name: str, error: errors.TransientError, seconds: float, stop: threading.Event
    ) -> None:
        """Wait before the next try: all requests together where their limit is used up."""
        if stop.is_set():
            raise StoppedError
        for_all = self._limit_is_shared and error.status == HTTPStatus.TOO_MANY_REQUESTS
        is_news = self._throttle.pause(seconds) if for_all else self._is_news(seconds)
        self._logger.log(
            logging.WARNING if is_news else logging.DEBUG,
            "%s: %s; trying again in %.0f s, for up to %d s in total.",
            name,
            error.reason,
            seconds,
            self._budget.bound(error.response),
        )
        if not for_all:
            self._throttle.rest(seconds, stop)

    def _is_news(self, seconds: float) -> bool:
        """Tell whether no other thread has just reported the same outage, which fails them all."""
        with self._lock:
            now = self._throttle.clock.now()
            is_news = now >= self._quiet_until
            self._quiet_until = now + seconds if is_news else self._quiet_until
            return is_news


def seconds_until_retry(answer: Response | None, usual: float, now: datetime) -> float:
    """Decide the pause before the next try of a request.

    Args:
        answer: The response; None when none came.
        usual: Seconds, unless headers ask for more or less.
        now: The current time, for a `Retry-After` that names one.
    """
    asked = []
    if answer is not None:
        asked.append(_seconds(answer.headers.get("Retry-After"), now))
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            asked.append(_seconds(answer.headers.get("X-RateLimit-Reset"), now))
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
