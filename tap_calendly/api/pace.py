"""How fast requests may be sent: pure decisions, by the current time and what responses tell.

All times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from tap_calendly.api.limit import Quota, Recovery, Window

ROUNDING = 1
"""Seconds by which the told end may vary without counting down: whole ones go up or down."""


class Told(NamedTuple):
    """What `X-RateLimit-Reset` has said since one response, in all responses."""

    reset: int  # seconds
    began: float  # when the request for that response was sent
    answered: float


@dataclass(frozen=True)
class Pace:
    """How fast requests may be sent."""

    interval: float = 0.0  # seconds between two requests, by the setting `requests_per_minute`
    slot: float = -math.inf  # when that setting allows the next request
    paused_until: float = -math.inf  # when a pause of all requests ends
    limit: Window | Recovery | None = None  # None while no response has told of one
    told: Told | None = None
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

    Which kind of limit it is shows in `X-RateLimit-Reset`: it counts down, or stays the same.
    """
    pace, known = replace(pace, in_flight=pace.in_flight - 1, asked=True), pace.limit
    limit = None if known is None else known.answered(quota, began, now)
    if quota is None:
        return replace(pace, limit=limit)
    told, news = pace.told, Told(quota.reset, began, now)
    if told is None or abs(quota.reset - told.reset) > ROUNDING:
        if told is not None and isinstance(known, Recovery):  # they count down
            before = replace(quota, remaining=known.remaining, reset=told.reset)
            window = Window.of(before, told.began, told.answered)
            limit = window.answered(quota, began, now)
        told = news
    elif now >= told.began + told.reset - ROUNDING:
        told = news  # it may be another window
    elif isinstance(known, Window) and began > told.answered + 1 + ROUNDING:
        # They stay the same.
        limit = Recovery.of(quota, now)
    return replace(pace, limit=limit or Recovery.of(quota, now), told=told)
