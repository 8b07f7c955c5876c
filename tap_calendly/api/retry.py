"""How long failed requests are tried again, and how long they pause in between."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import backoff
from requests import Response

from tap_calendly.api.limit import LONGEST_WAIT
from tap_calendly.api.throttle import Clock, StoppedError, Throttle
from tap_calendly.reporting import errors
from tap_calendly.settings import Settings

T = TypeVar("T")

PAUSE = 5
"""Seconds before a refusal that would fail the run is asked again."""

LONGEST_BACKOFF = 64
"""Seconds up to which the pause doubles from try to try, unless a header asks for more."""


class RetryBudget:
    """The seconds that all requests share while none of them is answered.

    An outage fails every request: a budget for each would add up to hours.
    """

    def __init__(self, seconds: int, clock: Clock, unreachable_timeout: int | None = None) -> None:
        """Begin with nothing failing; `unreachable_timeout` is the budget without Calendly."""
        self._seconds = seconds
        self._unanswered = min(unreachable_timeout or seconds, seconds)
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None

    def answered(self) -> None:
        """Note that an answer came."""
        with self._lock:
            self._failing_since = None

    def bound(self, answer: Response | None) -> int:
        """Return the budget (seconds), given the response to the last try; None for none."""
        # Calendly's own refusals are not tried again: those that are come from in front of it.
        is_reached = answer is not None and answer.status_code not in errors.REFUSALS
        return self._seconds if is_reached else self._unanswered

    def failed(self, since: float | None, bound: int) -> tuple[float, float]:
        """Note that a try failed; return when the budget began to run, and the seconds left of it.

        `since` is that time for earlier tries of the same request; None for the first.
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
        """Begin before the first one."""
        self._budget = budget
        self._since: float | None = None
        self._backoff = backoff.expo(factor=2, max_value=LONGEST_BACKOFF)
        next(self._backoff)  # a generator has to be started

    def pause(self, answer: Response | None) -> float | None:
        """Note that a try failed, and decide how many seconds to wait for the next; None: give up.

        The last try comes at the very end of the budget. There is always a second one, as another
        fault than this may have used the budget up.
        """
        bound = self._budget.bound(answer)
        is_first = self._since is None
        self._since, left = self._budget.failed(self._since, bound)
        if left <= 0:
            if not is_first:
                return None
            left = bound
        seconds = seconds_until_retry(answer, next(self._backoff), datetime.now(timezone.utc))
        if answer is None or answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            seconds = backoff.random_jitter(seconds)
        return min(seconds, left)


class RetryLoop:
    """Sends requests again until they are answered, for several threads at once."""

    def __init__(
        self,
        settings: Settings,
        throttle: Throttle,
        logger: logging.Logger,
        *,
        limit_is_shared: bool,
    ) -> None:
        """Prepare; with `limit_is_shared`, a 429 pauses all requests of the throttle."""
        self._budget = RetryBudget(
            settings.retry_timeout, throttle.clock, settings.unreachable_timeout
        )
        self._throttle = throttle
        self._logger = logger
        self._limit_is_shared = limit_is_shared
        self._lock = threading.Lock()
        self._quiet_until = -math.inf

    def run(self, name: str, send: Callable[[], T], stop: threading.Event) -> T:
        """Call `send` until it raises no TransientError, or the budget is used up.

        Raises:
            CalendlyError: What the last try raised.
            StoppedError: `stop` is set, as nobody waits for the answer any more.
        """
        retries = Retries(self._budget)
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
        """Wait before the next try; if the rate limit is used up, let all requests wait."""
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
        """Tell whether no other thread has just reported the outage, which fails them all."""
        with self._lock:
            now = self._throttle.clock.now()
            is_news = now >= self._quiet_until
            if is_news:
                self._quiet_until = now + seconds
            return is_news


def seconds_until_retry(answer: Response | None, usual: float, now: datetime) -> float:
    """Return the seconds that the headers of a response ask for, within reason; else `usual`."""
    asked = []
    if answer is not None:
        asked.append(_seconds(answer.headers.get("Retry-After", ""), now))
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            asked.append(_seconds(answer.headers.get("X-RateLimit-Reset", ""), now))
    wait = max((seconds for seconds in asked if seconds is not None), default=usual)
    return min(max(wait, 1.0), LONGEST_WAIT)


def _seconds(value: str, now: datetime) -> float | None:
    """Read a number of seconds or an HTTP date; None if it is neither."""
    with suppress(OverflowError, ValueError):
        return float(int(value))
    with suppress(OverflowError, TypeError, ValueError):
        return (parsedate_to_datetime(value) - now).total_seconds()
    return None
