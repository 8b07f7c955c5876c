"""How fast requests may be sent: pure decisions, by the current time and what responses tell.

All times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tap_calendly.api.limit import Quota, Recovery, Window


@dataclass(frozen=True)
class Pace:
    """How fast requests may be sent."""

    interval: float = 0.0  # seconds between two requests, by the setting `requests_per_minute`
    slot: float = -math.inf  # when that setting allows the next request
    paused_until: float = -math.inf  # when a pause of all requests ends
    limit: Window | Recovery | None = None  # None while no response has told of one
    reset: int | None = None  # the seconds until the limit's end that responses last told
    reset_since: float = math.inf  # since when all of them have told the same
    asked: bool = False  # whether any request has ended, so that no limit means there is none
    in_flight: int = 0  # requests sent and not yet answered


def delay(pace: Pace, now: float) -> float:
    """Return the seconds that the next request must wait; infinity: until a response comes."""
    wait = max(pace.slot, pace.paused_until) - now
    if wait > 0:
        return wait
    if pace.limit is None:
        return 0.0 if pace.asked or not pace.in_flight else math.inf
    return pace.limit.delay(now, pace.in_flight)


def sent(pace: Pace, now: float) -> Pace:
    """Return the pace after a request was sent."""
    slot = max(pace.slot, now) + pace.interval
    return replace(pace, in_flight=pace.in_flight + 1, slot=slot)


def answered(pace: Pace, quota: Quota | None, began: float, now: float) -> Pace:
    """Return the pace after a request sent at `began` ended, with a response or without.

    Which limit it is shows in the seconds until its end: they count down, or stay the same.
    """
    known, told = pace.limit, pace.reset
    pace = replace(pace, in_flight=pace.in_flight - 1, asked=True)
    limit = None if known is None else known.answered(quota, began, now)
    if quota is None:
        return replace(pace, limit=limit)
    if quota.reset != told:
        if isinstance(known, Recovery) and told is not None:  # they count down
            before = replace(quota, remaining=known.remaining, reset=told)
            window = Window.of(before, pace.reset_since, pace.reset_since)
            limit = window.answered(quota, began, now)
        pace = replace(pace, reset=quota.reset, reset_since=now)
    elif now >= pace.reset_since + quota.reset - 1:
        pace = replace(pace, reset_since=now)  # it may be another window
    elif began > pace.reset_since + 1 and isinstance(known, Window):  # they stay the same
        limit = Recovery.of(quota, now)
    return replace(pace, limit=limit or Recovery.of(quota, now))
