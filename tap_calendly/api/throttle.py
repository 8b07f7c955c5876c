"""One pace for all threads, and waiting that can be interrupted.

Calendly allows 500 requests a minute per user (50 on the Free plan), over all of that user's
integrations. Every response carries `X-RateLimit-Limit`, `X-RateLimit-Remaining` and
`X-RateLimit-Reset`: the seconds, not the time, until the count restarts. `Retry-After` is not
documented; it is honored where a proxy sends it.

The decisions are pure: a `Pace` and the current time in, seconds or another `Pace` out. Only
`Throttle` waits. All times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from typing_extensions import override


class Answer(Protocol):
    """Whatever has headers."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by name in any case."""


A = TypeVar("A", bound=Answer)


LONGEST_WAIT = 300
"""Seconds; a header that asks for more is taken to be wrong."""

SHARE = 0.05
"""The share of the limit that is left to the user's other integrations."""


@dataclass(frozen=True)
class Quota:
    """What a response says of the limit: requests per window, requests left, seconds left."""

    limit: int
    remaining: int
    reset: int


@dataclass(frozen=True)
class Window:
    """The current window of the limit, as far as the responses tell."""

    limit: int
    remaining: int  # the fewest requests that any response said are left
    ends_after: float  # a time at which it is not over yet
    ends_by: float  # a time at which it should be over
    late: bool = False  # whether it outlasted an earlier `ends_by`

    @property
    def headroom(self) -> int:
        """Requests left to other integrations."""
        return math.ceil(self.limit * SHARE)


@dataclass(frozen=True)
class Pace:
    """How fast requests may be sent."""

    interval: float = 0.0  # seconds between two requests, by the setting `requests_per_minute`
    slot: float = -math.inf  # when that setting allows the next request
    paused_until: float = -math.inf  # when a pause of all requests ends
    window: Window | None = None  # None while no response has told of one
    asked: bool = False  # whether any request has ended, so that no window means no limit
    in_flight: int = 0  # requests sent and not yet answered


def delay(pace: Pace, now: float) -> float:
    """Return the seconds that the next request must wait; infinity: until a response comes.

    A window that should be over may not be, as seconds are rounded: a single request finds out, a
    second later if the old window has nothing left.
    """
    wait = max(pace.slot, pace.paused_until) - now
    if wait > 0:
        return wait
    window = pace.window
    if window is None:
        return 0.0 if pace.asked or not pace.in_flight else math.inf
    if now < window.ends_by:
        left = window.remaining - pace.in_flight
        return 0.0 if left > window.headroom else window.ends_by - now
    if pace.in_flight:
        return math.inf
    return 0.0 if window.remaining else max(window.ends_by + 1 - now, 0.0)


def sent(pace: Pace, now: float) -> Pace:
    """Return the pace after a request was sent."""
    slot = max(pace.slot, now) + pace.interval
    return replace(pace, in_flight=pace.in_flight + 1, slot=slot)


def answered(pace: Pace, quota: Quota | None, began: float, now: float) -> Pace:
    """Return the pace after a request sent at `began` ended, with a response or without.

    Responses come in any order, even those of two windows.
    """
    pace = replace(pace, in_flight=pace.in_flight - 1, asked=True)
    if quota is None:
        return pace
    # It was answered between these times, and whole seconds are rounded up or down.
    after, by = began + quota.reset - 1, now + quota.reset
    window = pace.window
    if window is None or after > window.ends_by:
        window = Window(quota.limit, quota.remaining, after, by)
    elif by >= window.ends_after:
        if began >= window.ends_by:  # it should have been over, and is not
            late, ends_by = True, max(by, now + 1)
        else:
            late, ends_by = window.late, window.ends_by if window.late else min(by, window.ends_by)
        remaining = min(quota.remaining, window.remaining)
        window = Window(quota.limit, remaining, max(after, window.ends_after), ends_by, late)
    return replace(pace, window=window)


def quota_of(headers: Mapping[str, str]) -> Quota | None:
    """Read the limit from the headers of a response; None if they lack it or make no sense."""
    try:
        limit, remaining, reset = (
            int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
        )
    except (KeyError, ValueError):
        return None
    if limit < 1 or remaining < 0 or reset < 0:
        return None
    return Quota(limit, remaining, min(reset, LONGEST_WAIT))


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
