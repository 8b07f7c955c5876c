"""What responses tell of the request limit, and when it allows the next request.

Calendly allows 500 requests a minute per user (50 on the Free plan), over all of that user's
integrations. Every response carries `X-RateLimit-Limit`, `X-RateLimit-Remaining` and
`X-RateLimit-Reset`. The documentation says that the last is the seconds until the count restarts;
answers of live accounts always said 60, while the count recovered in between. Both are handled:
`Window` waits for the end of a countdown; `Recovery` probes again when those of a window ago
should be forgotten. All times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from typing_extensions import Self

LONGEST_WAIT = 300
"""Seconds; a header that asks for more is taken to be wrong."""

SHARE = 0.05
"""The share of the limit that is left to the user's other integrations."""

STALE = 0.1
"""The share of a window after which others may have used up what a response said is left."""

STEPS = 120
"""How finely a window is divided to remember when requests were answered."""


Forgotten: TypeAlias = tuple[tuple[float, int], ...]
"""When requests no longer count, and how many each time, in order."""


@dataclass(frozen=True)
class Quota:
    """What a response says of the limit: requests per window, requests left, seconds left."""

    limit: int
    remaining: int
    reset: int

    @property
    def headroom(self) -> int:
        """Requests left to other integrations."""
        return math.ceil(self.limit * SHARE)


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


@dataclass(frozen=True)
class Window:
    """The current window of a limit that counts down to its end."""

    remaining: int  # the fewest requests that any response said are left
    headroom: int  # requests left to other integrations
    ends_after: float  # a time at which it is not over yet
    ends_by: float  # a time at which it should be over
    told_at: float  # when the first response told of it
    late: bool = False  # whether it outlasted an earlier `ends_by`

    @classmethod
    def of(cls, quota: Quota, began: float, now: float) -> Self:
        """Return the window that a response to a request sent at `began` tells of."""
        # It was answered between these times, and whole seconds are rounded up or down.
        after, by = began + quota.reset - 1, now + quota.reset
        return cls(quota.remaining, quota.headroom, after, by, now)

    def delay(self, now: float, in_flight: int) -> float:
        """Return the seconds that the next request must wait; infinity: until a response comes.

        A window that should be over may not be, as seconds are rounded: a single request finds out,
        a second later if the old window has nothing left.
        """
        if now < self.ends_by:
            return 0.0 if self.remaining - in_flight > self.headroom else self.ends_by - now
        if in_flight:
            return math.inf
        return 0.0 if self.remaining else max(self.ends_by + 1 - now, 0.0)

    def answered(self, quota: Quota | None, began: float, now: float) -> Self:
        """Return what is known after a response to a request sent at `began`.

        Responses come in any order, even those of two windows.
        """
        if quota is None:
            return self
        told = self.of(quota, began, now)
        if told.ends_after > self.ends_by:
            return told
        if told.ends_by < self.ends_after:  # it is over, or what was told of its end was wrong
            return self if began <= self.told_at else told
        if began >= self.ends_by:  # it should have been over, and is not
            late, ends_by = True, max(told.ends_by, now + 1)
        else:
            late = self.late
            ends_by = self.ends_by if late else min(told.ends_by, self.ends_by)
        remaining = min(quota.remaining, self.remaining)
        ends_after = max(told.ends_after, self.ends_after)
        return type(self)(remaining, told.headroom, ends_after, ends_by, self.told_at, late)


@dataclass(frozen=True)
class Recovery:
    """A limit that does not say when it recovers.

    Whether it counts the requests of the last window, restarts at unknown times, or refills
    steadily, it forgets a request at the latest a window after the response. So no more than the
    limit is sent within any window. If nothing is left all the same, because others use the limit,
    too, a single request probes again once enough of the tap's own should be forgotten. After a
    probe that finds nothing left, twice as many must be forgotten before the next.
    """

    quota: Quota
    remaining: int  # the fewest requests left by any response since `seen_at`
    seen_at: float  # when a response last set it; those to earlier requests can only lower it
    own_requests: Forgotten
    empty_probes: int = 0  # how many in a row found nothing left

    @classmethod
    def of(cls, quota: Quota, now: float) -> Self:
        """Return what the first response tells."""
        return cls(quota, quota.remaining, now, ((now + quota.reset, 1),))

    def delay(self, now: float, in_flight: int) -> float:
        """Return the seconds that the next request must wait; infinity: until a response comes."""
        headroom = self.quota.headroom
        counted = [(forgotten, count) for forgotten, count in self.own_requests if forgotten > now]
        most = max(self.quota.limit - headroom, 1)
        if sum(count for _, count in counted) + in_flight >= most:
            return counted[0][0] - now if counted else math.inf
        if in_flight and now - self.seen_at > self.quota.reset * STALE:
            return math.inf
        if self.remaining - in_flight > headroom:
            return 0.0
        return math.inf if in_flight else max(self._probes_at() - now, 0.0)

    def _probes_at(self) -> float:
        """Return when to probe whether anything is left again."""
        enough = (self.quota.headroom * 3 // 2 + 1 - self.remaining) << self.empty_probes
        rounding = 0 if self.remaining else 1  # seconds; whole ones may be rounded down
        for forgotten, count in self.own_requests:
            enough -= count
            if enough <= 0:
                return forgotten + rounding
        return self.seen_at + self.quota.reset + rounding

    def answered(self, quota: Quota | None, began: float, now: float) -> Self:
        """Return what is known after a response to a request sent at `began`."""
        told = quota or self.quota
        step = told.reset / STEPS
        forgotten = math.ceil(now / step + STEPS) * step if step else now
        known = dict(one for one in self.own_requests if one[0] > self.seen_at)
        known[forgotten] = known.get(forgotten, 0) + 1
        after = replace(self, quota=told, own_requests=tuple(known.items()))
        if quota is None:
            return after
        if began < self.seen_at:  # it may have been counted before the others
            return replace(after, remaining=min(quota.remaining, self.remaining))
        empty_probes = self.empty_probes
        if self.remaining <= told.headroom:  # it was a probe
            empty_probes = empty_probes + 1 if quota.remaining <= told.headroom else 0
        return replace(after, remaining=quota.remaining, seen_at=now, empty_probes=empty_probes)
