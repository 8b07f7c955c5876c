"""The sandbox's clock: the computer's, a simulated one, or a fast one."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from sandbox.organization.timestamps import in_utc

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Anything that can tell the time."""

    def now(self) -> datetime:
        """Return the current time in UTC, aware."""


class SystemClock(Clock):
    """The computer's clock."""

    @override
    def now(self) -> datetime:
        return datetime.now(timezone.utc)


class SimulatedClock(Clock):
    """A clock that stands still until it is moved, and never goes back."""

    def __init__(self, start: datetime) -> None:
        """Set the clock to ``start``, which must be aware."""
        self._now = in_utc(start)

    @override
    def now(self) -> datetime:
        return self._now

    def advance(self, delta: timedelta) -> None:
        """Move the clock forward by ``delta``.

        Raises:
            ValueError: If ``delta`` is negative.
        """
        self.move_to(self._now + delta)

    def move_to(self, at: datetime) -> None:
        """Move the clock forward to ``at``.

        Raises:
            ValueError: If ``at`` is naive or in the past.
        """
        at = in_utc(at)
        if at < self._now:
            message = f"the clock stands at {self._now.isoformat()} and cannot go back"
            raise ValueError(message)
        self._now = at


class FastClock(Clock):
    """A clock that sets off at a time, and runs many times as fast as the computer's."""

    def __init__(
        self, start: datetime, pace: float, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            start: The time it sets off at; must be aware.
            pace: How many seconds pass on it in one of the computer's.
            seconds: Gives the computer's seconds.
        """
        self._start = in_utc(start)
        self._pace = pace
        self._seconds = seconds
        self._begun = seconds()

    @override
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._pace * (self._seconds() - self._begun))
