"""How many requests each Calendly user may make in a minute, with all their tokens together.

How Calendly counts is not known for sure: its documentation describes a countdown, while live
answers always said 60 seconds and recovered in between. So there are four models to try.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization.clock import Clock

WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Allowance:
    """What a user has left after a request.

    Attributes:
        limit: Requests per window.
        remaining: Requests left in this one.
        reset: Whole seconds until it ends, at least 1; if not told, the window's length.
        exceeded: Whether this request was one too many.
    """

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """Return Calendly's rate limit headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Count(Protocol):
    """The requests of one user: how many there may be, and how they are forgotten."""

    def add(self, now: float) -> Allowance:
        """Count a request made at a time (seconds), and say what is left."""


class Fixed(Count):
    """Counts from zero in each window; one begins with the first request after the last ended."""

    def __init__(self, limit: int, window: float) -> None:
        """Allow so many requests per window (seconds)."""
        self.limit, self.window = limit, window
        self.opened, self.made = -math.inf, 0

    @override
    def add(self, now: float) -> Allowance:
        if now - self.opened >= self.window:
            self.opened, self.made = now, 0
        self.made += 1
        left = self.limit - self.made
        return Allowance(self.limit, max(left, 0), self.reset(now), left < 0)

    def reset(self, now: float) -> int:  # noqa: ARG002 - for a countdown
        """Return what the header says."""
        return math.ceil(self.window)


class Countdown(Fixed):
    """Counts like ``Fixed``, and says when the window ends, as documented."""

    @override
    def reset(self, now: float) -> int:
        return math.ceil(self.opened + self.window - now)


class Rolling(Count):
    """Forgets each request when a window has passed since."""

    def __init__(self, limit: int, window: float) -> None:
        """Allow so many requests per window (seconds)."""
        self.limit, self.window = limit, window
        self.made: deque[float] = deque()

    @override
    def add(self, now: float) -> Allowance:
        while self.made and self.made[0] <= now - self.window:
            self.made.popleft()
        exceeded = len(self.made) >= self.limit
        if not exceeded:
            self.made.append(now)
        left = self.limit - len(self.made)
        return Allowance(self.limit, left, math.ceil(self.window), exceeded)


class Refill(Count):
    """Gives back one request after the other, evenly over the window, up to the limit."""

    def __init__(self, limit: int, window: float) -> None:
        """Allow so many requests per window (seconds)."""
        self.limit, self.window = limit, window
        self.left, self.at = float(limit), -math.inf

    @override
    def add(self, now: float) -> Allowance:
        refilled = self.left + (now - self.at) * self.limit / self.window
        self.left, self.at = min(refilled, self.limit), now
        exceeded = self.left < 1
        if not exceeded:
            self.left -= 1
        return Allowance(self.limit, int(self.left), math.ceil(self.window), exceeded)


MODELS: dict[str, Callable[[int, float], Count]] = {
    "countdown": Countdown,
    "fixed": Fixed,
    "rolling": Rolling,
    "refill": Refill,
}
"""The ways to count, by name."""


class RateLimit:
    """A count for each user."""

    def __init__(
        self,
        clock: Clock,
        limit: int = 500,
        window: timedelta = WINDOW,
        model: str = "countdown",
    ) -> None:
        """Allow ``limit`` requests per user and window.

        Raises:
            ValueError: If ``limit`` is below 1.
        """
        if limit < 1:
            message = f"at least 1 request per minute must be allowed, not {limit}"
            raise ValueError(message)
        self._clock = clock
        self._began = clock.now()
        self._new_count = partial(MODELS[model], limit, window.total_seconds())
        self._counts: dict[str, Count] = {}

    def count(self, user: str) -> Allowance:
        """Count one request of ``user``."""
        if user not in self._counts:
            self._counts[user] = self._new_count()
        return self._counts[user].add((self._clock.now() - self._began).total_seconds())
