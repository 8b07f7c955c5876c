"""How many requests each Calendly user may make in a minute, with all their tokens together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.organization.clock import Clock

WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Allowance:
    """What a user has left after a request.

    Attributes:
        limit: Requests per window.
        remaining: Requests left in this one.
        reset: Whole seconds until it ends, at least 1.
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


class RateLimit:
    """A window for each user, starting with their first request."""

    def __init__(self, clock: Clock, limit: int = 500, window: timedelta = WINDOW) -> None:
        """Allow ``limit`` requests per user and window.

        Raises:
            ValueError: If ``limit`` is below 1.
        """
        if limit < 1:
            message = f"at least 1 request per minute must be allowed, not {limit}"
            raise ValueError(message)
        self._clock = clock
        self._limit = limit
        self._window = window
        self._windows: dict[str, tuple[datetime, int]] = {}

    def count(self, user: str) -> Allowance:
        """Count one request of ``user``."""
        now = self._clock.now()
        opened, made = self._windows.get(user, (now, 0))
        if now - opened >= self._window:
            opened, made = now, 0
        made += 1
        self._windows[user] = (opened, made)
        return Allowance(
            limit=self._limit,
            remaining=max(self._limit - made, 0),
            reset=math.ceil((opened + self._window - now).total_seconds()),
            exceeded=made > self._limit,
        )
