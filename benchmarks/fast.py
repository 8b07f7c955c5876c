"""The tap with its clock sped up: `python -m benchmarks.fast 20 …` runs 20 times as fast."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_calendly.api import throttle
from tap_calendly.cli import main

if TYPE_CHECKING:
    import threading


class FastClock(throttle.Clock):
    """The computer's monotonic clock, sped up."""

    def __init__(self, speed: int) -> None:
        """Set the factor."""
        self._speed = speed

    @override
    def now(self) -> float:
        return time.monotonic() * self._speed

    @override
    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(None if math.isinf(seconds) else seconds / self._speed)


if __name__ == "__main__":
    speed = int(sys.argv.pop(1))
    setattr(throttle, "SystemClock", lambda: FastClock(speed))  # noqa: B010 - of another type
    main()
