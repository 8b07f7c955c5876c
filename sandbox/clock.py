"""What time it is in the sandbox: the computer's time, or a simulated one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Protocol

from typing_extensions import override


class Clock(Protocol):
    """Whatever can tell the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock(Clock):
    """The computer's own time."""

    @override
    def now(self) -> datetime:
        return datetime.now(timezone.utc)


class SimulatedClock(Clock):
    """A clock that stands still until it is moved, and never runs backwards."""

    def __init__(self, start: datetime) -> None:
        """Set the clock.

        Args:
            start: The first moment it tells; aware, in any time zone.

        Raises:
            ValueError: If ``start`` is naive.
        """
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
        """Move the clock forward to the moment ``at``.

        Raises:
            ValueError: If ``at`` is naive, or lies before the present moment.
        """
        at = in_utc(at)
        if at < self._now:
            message = f"the clock stands at {self._now.isoformat()} and cannot go back"
            raise ValueError(message)
        self._now = at


def in_utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC.

    Raises:
        ValueError: If it is naive: a moment without an offset could be any of 24 hours.
    """
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} carries no offset from UTC"
        raise ValueError(message)
    return moment.astimezone(timezone.utc)
