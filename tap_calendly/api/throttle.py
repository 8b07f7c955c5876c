"""One pace for all threads, and waiting that can be interrupted."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from typing_extensions import override

from tap_calendly.api.limit import quota_of
from tap_calendly.api.pace import Pace, answered, delay, sent


class Answer(Protocol):
    """Whatever has headers."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by name in any case."""


A = TypeVar("A", bound=Answer)


class StoppedError(Exception):
    """Nobody waits for the response any more."""


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> float:
        """Return the current time (seconds)."""

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until a condition is notified, for so many seconds at most."""


class SystemClock(Clock):
    """The computer's monotonic clock."""

    @override
    def now(self) -> float:
        return time.monotonic()

    @override
    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(None if math.isinf(seconds) else seconds)


class Throttle:
    """Keeps the requests of all threads to one pace."""

    def __init__(self, requests_per_minute: int | None, clock: Clock) -> None:
        """Begin with nothing known of the limit."""
        self.clock = clock
        self._changed = threading.Condition()
        self._pace = Pace(interval=60 / requests_per_minute if requests_per_minute else 0.0)
        self._waiting = 0
        self._waiting_since = 0.0
        self._waited = 0.0

    @property
    def waited(self) -> float:
        """Seconds for which requests have waited for the limit."""
        with self._changed:
            current = self.clock.now() - self._waiting_since if self._waiting else 0.0
            return self._waited + current

    def send(self, request: Callable[[], A], stop: threading.Event) -> A:
        """Send a request when its turn comes; raise a StoppedError once `stop` is set."""
        with self._changed:
            self._wait_for_turn(stop)
            began = self.clock.now()
            self._pace = sent(self._pace, began)
        quota = None
        try:
            answer = request()
            quota = quota_of(answer.headers)
        finally:
            with self._changed:
                self._pace = answered(self._pace, quota, began, self.clock.now())
                self._changed.notify_all()
        return answer

    def pause(self, seconds: float) -> bool:
        """Let all requests wait; tell whether no other thread has just asked for the same."""
        with self._changed:
            until = self.clock.now() + seconds
            news = until > self._pace.paused_until + 1
            self._pace = replace(self._pace, paused_until=max(until, self._pace.paused_until))
            return news

    def rest(self, seconds: float, stop: threading.Event) -> None:
        """Wait before one request is tried again; raise a StoppedError once `stop` is set."""
        with self._changed:
            until = self.clock.now() + seconds
            while (left := until - self.clock.now()) > 0:
                self._wait(left, stop)

    def wake(self) -> None:
        """Let every thread that waits check whether to stop."""
        with self._changed:
            self._changed.notify_all()

    def _wait_for_turn(self, stop: threading.Event) -> None:
        if stop.is_set():
            raise StoppedError
        if not delay(self._pace, self.clock.now()):
            return
        self._waiting += 1
        if self._waiting == 1:
            self._waiting_since = self.clock.now()
        try:
            while seconds := delay(self._pace, self.clock.now()):
                self._wait(seconds, stop)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._waited += self.clock.now() - self._waiting_since

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        if stop.is_set():
            raise StoppedError
        self.clock.wait(self._changed, seconds)
        if stop.is_set():
            raise StoppedError
