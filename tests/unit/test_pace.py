"""Requests respect Calendly's limit, make use of it, and leave a share of it for others.

Calendly's side is simulated: a window begins with its first request, a request is counted some time
between being sent and being answered, and the end of the window is given in whole seconds.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from sandbox.http.rate_limit import MODELS
from tap_calendly.api.limit import LONGEST_WAIT, SHARE, Quota, quota_of
from tap_calendly.api.pace import Pace, answered, delay, sent
from tests.cases import cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http.rate_limit import Count


@dataclass
class Calendly:
    """A rate limit as Calendly counts it.

    Attributes:
        limit: Requests per window.
        window: Its length (seconds).
        rounded: Rounds the seconds that remain of it.
        used: Requests made in the current window.
        opened: When the current window began (seconds).
        refused: Requests beyond the limit.
    """

    limit: int
    window: float
    rounded: Callable[[float], int] = math.ceil
    used: int = 0
    opened: float = 0.0
    refused: int = 0

    def answer(self, now: float) -> Quota:
        """Count a request."""
        if now - self.opened >= self.window:
            self.opened, self.used = now, 0
        self.used += 1
        self.refused += self.used > self.limit
        reset = self.rounded(self.opened + self.window - now)
        return Quota(self.limit, max(self.limit - self.used, 0), reset)


@dataclass
class Load:
    """Threads that send requests in simulated time.

    Attributes:
        calendly: What answers them.
        threads: How many threads send.
        latency: Returns the seconds that a request takes.
        pace: The pace that the threads keep.
        sent_at: When each request was sent (seconds).
        counted_at: When each request was counted (seconds).
    """

    calendly: Calendly | SharedLimit
    threads: int
    latency: Callable[[], float]
    pace: Pace = field(default_factory=Pace)
    sent_at: list[float] = field(default_factory=list)
    counted_at: list[float] = field(default_factory=list)

    def run(self, requests: int, others: Callable[[float], None] = lambda _: None) -> None:
        """Send them all; a request that was refused is sent again later."""
        order = count()
        events: list[tuple[float, int, str, tuple[float, Quota | None]]] = []
        idle, remaining = self.threads, requests
        heapq.heappush(events, (0.0, next(order), "wake", (0.0, None)))
        while events:
            now, _, kind, (began, quota) = heapq.heappop(events)
            if kind == "counted":
                others(now)
                refused = self.calendly.refused
                quota = self.calendly.answer(now)
                if self.calendly.refused > refused:
                    remaining += 1
                self.counted_at.append(now)
                answered_at = now + self.latency() / 2
                heapq.heappush(events, (answered_at, next(order), "answered", (began, quota)))
                continue
            if kind == "answered":
                self.pace = answered(self.pace, quota, began, now)
                idle += 1
            while idle and remaining and not (wait := delay(self.pace, now)):
                self.pace = sent(self.pace, now)
                idle, remaining = idle - 1, remaining - 1
                self.sent_at.append(now)
                counted_at = now + self.latency() / 2
                heapq.heappush(events, (counted_at, next(order), "counted", (now, None)))
            if idle and remaining and not math.isinf(wait):
                heapq.heappush(events, (now + wait + 1e-6, next(order), "wake", (0.0, None)))
        assert not remaining


ROUNDINGS = st.sampled_from([math.ceil, math.floor, round])
SEEDS = st.integers(0, 2**32)


@given(
    limit=st.integers(1, 600),
    window=st.sampled_from([3.0, 10.0, 60.0]),
    rounded=ROUNDINGS,
    used=st.floats(0, 1),
    threads=st.sampled_from([1, 4, 8, 16]),
    slowest=st.floats(0.01, 2.5),
    seed=SEEDS,
)
def test_the_tap_alone_never_exceeds_the_limit(  # noqa: PLR0913 - all of them drawn
    *,
    limit: int,
    window: float,
    rounded: Callable[[float], int],
    used: float,
    threads: int,
    slowest: float,
    seed: int,
) -> None:
    """However seconds are rounded and responses overtake each other, whatever was used before."""
    rng = random.Random(seed)  # noqa: S311 - a load, no secret
    calendly = Calendly(limit, window, rounded, used=int(used * (limit - 1)))
    load = Load(calendly, threads, lambda: rng.uniform(slowest / 10, slowest))

    load.run(requests=min(3 * limit, 400))

    assert calendly.refused == 0


LIMITS = [(500, 60, 8, 0.1), (500, 60, 16, 0.1), (500, 60, 8, 0.5), (50, 60, 8, 0.3)]


@pytest.mark.parametrize(
    ("limit", "window", "threads", "latency", "rounded"),
    [
        *((*limit, rounded) for limit in LIMITS for rounded in (math.ceil, math.floor, round)),
        (120, 3, 8, 0.05, math.ceil),
    ],
)
def test_all_but_5_percent_of_the_limit_is_used(
    limit: int, window: int, threads: int, latency: float, rounded: Callable[[float], int]
) -> None:
    usable = limit - math.ceil(limit * 0.05)
    windows = 10
    calendly = Calendly(limit, window, rounded)
    load = Load(calendly, threads, lambda: latency)

    load.run(requests=windows * usable + 1)

    took = load.counted_at[-1] - load.counted_at[0]
    assert took * 0.95 <= windows * window
    assert calendly.refused == 0


@pytest.mark.parametrize("rounded", [math.ceil, math.floor, round])
@pytest.mark.parametrize("limit", [50, 500])
def test_a_share_of_every_window_is_left_for_others(
    limit: int, rounded: Callable[[float], int]
) -> None:
    """Except for one request that finds out whether the window is over."""
    calendly = Calendly(limit, 60, rounded)
    unused: list[int] = []
    load = Load(calendly, 8, lambda: 0.1)

    def watch(now: float) -> None:
        if now - calendly.opened >= 60:
            unused.append(calendly.limit - calendly.used)

    load.run(requests=4 * limit, others=watch)

    assert len(unused) == 4
    assert min(unused) >= math.ceil(limit * 0.05) - 1


@given(per_minute=st.integers(1, 1_000), threads=st.sampled_from([1, 8]), seed=SEEDS)
def test_the_users_own_limit_holds_in_any_minute(per_minute: int, threads: int, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a load, no secret
    pace = Pace(interval=60 / per_minute)
    load = Load(Calendly(10_000, 60), threads, lambda: rng.uniform(0.01, 0.3), pace)

    load.run(requests=min(3 * per_minute, 600))

    sent_at = load.sent_at
    for index, first in enumerate(sent_at[:-per_minute]):
        assert sent_at[index + per_minute] - first >= 60 - 1e-6


@given(limit=st.integers(20, 600), greed=st.floats(0.1, 3), seed=SEEDS)
def test_a_quota_used_up_by_others_costs_time_but_no_request(
    limit: int, greed: float, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - a load, no secret
    calendly = Calendly(limit, 60)
    others_refused = 0

    def others(now: float) -> None:
        nonlocal others_refused
        before = calendly.refused
        for _ in range(int(rng.uniform(0, 2 * greed))):
            calendly.answer(now)
        others_refused += calendly.refused - before

    load = Load(calendly, 8, lambda: rng.uniform(0.05, 0.5))
    load.run(requests=300, others=others)

    own = calendly.refused - others_refused
    assert len(load.counted_at) == 300 + own
    # Those in flight when the quota ran out, once per window.
    windows = math.ceil(load.counted_at[-1] / 60)
    assert own <= 8 * windows


@dataclass
class SharedLimit:
    """A limit that counts as one of the sandbox's models, and that others use evenly, too.

    Attributes:
        count: Counts the requests.
        every: Seconds between two requests of others.
        told: Returns what the header says, given the number of the response and the true seconds.
        remaining: What each response to the tap said is left.
        refused: Requests of the tap that were refused.
        of_others: Requests of others that were not.
    """

    count: Count
    every: float = math.inf
    told: Callable[[int, int], int] = lambda _, reset: reset
    remaining: list[int] = field(default_factory=list)
    refused: int = 0
    of_others: int = 0
    last: float = 0.0

    def answer(self, now: float) -> Quota:
        """Count a request of the tap, and those of others before it."""
        while self.last + self.every <= now:
            self.last += self.every
            self.of_others += not self.count.add(self.last).exceeded
        allowance = self.count.add(now)
        self.refused += allowance.exceeded
        self.remaining.append(allowance.remaining)
        reset = self.told(len(self.remaining), allowance.reset)
        return Quota(allowance.limit, allowance.remaining, reset)


def reached(calendly: SharedLimit, threads: int, latency: float, limit: int) -> float:
    """Send requests for over five minutes; return the share of what limit and latency allow.

    The first minute is left out: it begins with everything left.
    """
    rng = random.Random(0)  # noqa: S311 - a load, no secret
    headroom = math.ceil(limit * SHARE)
    load = Load(calendly, threads, lambda: latency * rng.uniform(0.8, 1.2))
    allowed = min(threads / latency, (limit - headroom) / 60)
    load.run(requests=int(allowed * 365))
    end = load.counted_at[-1]
    others = calendly.of_others / (calendly.last or 1)
    measured = [counted for counted in load.counted_at if counted >= 60]
    return len(measured) / (end - 60) / min(threads / latency, (limit - headroom) / 60 - others)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("threads", [1, 8, 16])
@pytest.mark.parametrize("latency", cases([0.05, 0.25, 0.6], quick=[0.25]))
@pytest.mark.parametrize("limit", [50, 500])
def test_the_limit_is_used_however_it_is_counted(
    model: str, threads: int, latency: float, limit: int
) -> None:
    calendly = SharedLimit(MODELS[model](limit, 60))

    assert reached(calendly, threads, latency, limit) >= 0.92
    assert calendly.refused == 0
    assert min(calendly.remaining) >= math.ceil(limit * SHARE) - 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("threads", [1, 8, 16])
@pytest.mark.parametrize("latency", cases([0.05, 0.25, 0.6], quick=[0.25]))
@pytest.mark.parametrize("limit", [50, 500])
def test_what_others_leave_of_the_limit_is_used_however_it_is_counted(
    model: str, threads: int, latency: float, limit: int
) -> None:
    calendly = SharedLimit(MODELS[model](limit, 60), every=60 / limit * 4)

    assert reached(calendly, threads, latency, limit) >= 0.92
    assert calendly.refused == 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("wrong", [0, 59, LONGEST_WAIT])
@pytest.mark.parametrize("number", [1, 60])
def test_one_response_with_a_wrong_end_causes_no_refused_request(
    model: str, wrong: int, number: int
) -> None:
    told = {number: wrong}
    calendly = SharedLimit(MODELS[model](50, 60), told=told.get)

    assert reached(calendly, threads=16, latency=0.05, limit=50) >= 0.8  # slower for a while
    assert calendly.refused == 0


@pytest.mark.parametrize("model", MODELS)
def test_seconds_that_are_rounded_now_up_now_down_do_not_slow_the_tap(model: str) -> None:
    calendly = SharedLimit(MODELS[model](50, 60), told=lambda number, reset: reset - number % 2)

    assert reached(calendly, threads=8, latency=0.05, limit=50) >= 0.92
    assert calendly.refused == 0


def test_the_first_request_goes_alone_until_the_limit_is_known() -> None:
    pace = sent(Pace(), 0.0)

    assert math.isinf(delay(pace, 0.1))
    assert delay(answered(pace, Quota(500, 499, 60), 0.0, 0.2), 0.2) == 0


def test_an_api_without_a_limit_causes_no_waiting() -> None:
    pace = answered(sent(Pace(), 0.0), None, 0.0, 0.1)

    for _ in range(100):
        assert delay(pace, 0.1) == 0
        pace = sent(pace, 0.1)


def test_a_late_response_from_the_last_window_does_not_block_the_new_one() -> None:
    pace = sent(sent(Pace(), 0.0), 0.0)
    pace = answered(pace, Quota(100, 6, 1), 0.0, 59.5)
    pace = answered(sent(pace, 60.6), Quota(100, 99, 60), 60.6, 60.7)

    late = answered(pace, Quota(100, 5, 1), 0.0, 60.8)

    assert delay(late, 60.8) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Limit": "500"},
        {"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "1"},
        {"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"},
        {"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "1"},
    ],
)
def test_nonsensical_headers_are_ignored(headers: dict[str, str]) -> None:
    assert quota_of(headers) is None


def test_headers_are_case_insensitive_and_an_excessive_reset_is_capped() -> None:
    headers = {
        "x-ratelimit-limit": "500",
        "x-ratelimit-remaining": "7",
        "x-ratelimit-reset": "99999",
    }

    assert quota_of(CaseInsensitiveDict(headers)) == Quota(500, 7, LONGEST_WAIT)
