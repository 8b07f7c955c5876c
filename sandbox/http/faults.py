"""Faults on request: what goes wrong, where, and how often."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.http.errors import error_body

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with answers.

    Attributes:
        path: Which requests: a glob for the whole path; ``*`` matches slashes too.
        query: Only those whose query contains this text.
        status: Answer with this status instead.
        body: Answer with this body instead: text as it is, anything else as JSON. Left out,
            a status comes with Calendly's usual body.
        headers: Set these on the answer.
        delay: Seconds before the answer.
        truncate: Close the connection after the headers and this many bytes of the body.
        reset: Reset the connection instead of answering, or of closing it.
        stall: Send nothing instead of answering, or of closing the connection.
        drip: Seconds before each byte of the answer, headers included.
        after: Matching requests to let through first.
        times: Matching requests to hit; ``None`` for all that follow.
        share: The share of those that is hit, at random.
    """

    path: str
    query: str = ""
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    truncate: int | None = None
    reset: bool = False
    stall: bool = False
    drip: float = 0.0
    after: int = 0
    times: int | None = 1
    share: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If a number is out of range.
        """
        wrong = {
            "status": self.status is not None and not 200 <= self.status <= 599,  # noqa: PLR2004 -- all final statuses
            "delay": self.delay < 0,
            "drip": self.drip < 0,
            "share": not 0 <= self.share <= 1,
            "truncate": self.truncate is not None and self.truncate < 0,
            "after": self.after < 0,
            "times": self.times is not None and self.times < 1,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                message = f"a fault cannot have {name} {getattr(self, name)}"
                raise ValueError(message)

    def answer(self) -> Response | None:
        """Return the answer to send instead; ``None`` if the normal one stays."""
        if self.status is None and self.body is None:
            return None
        status = self.status or 200
        body = error_body(status) if self.body is None else self.body
        if isinstance(body, str):
            return Response(body, status, media_type="application/json")
        return JSONResponse(body, status)


class Faults:
    """The faults of one sandbox; safe to use from several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._orders: list[_Order] = []

    def add(self, fault: Fault) -> None:
        """Add a fault, behind those there are already."""
        with self._lock:
            self._orders.append(_Order(fault, len(self._orders)))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._orders.clear()

    def next_for(self, path: str, query: str) -> Fault | None:
        """Count a request, and return the fault that hits it, if any."""
        with self._lock:
            for order in self._orders:
                if order.strikes(path, query):
                    return order.fault
        return None


class _Order:
    """A fault, and the number of requests it matched."""

    def __init__(self, fault: Fault, number: int) -> None:
        self.fault = fault
        self._matched = 0
        self._random = random.Random(number)  # noqa: S311 -- which ones is no secret

    def strikes(self, path: str, query: str) -> bool:
        fault = self.fault
        if not fnmatchcase(path, fault.path) or fault.query not in query:
            return False
        if fault.times is not None and self._matched >= fault.after + fault.times:
            return False
        if fault.share < 1 and self._random.random() >= fault.share:
            return False
        self._matched += 1
        return self._matched > fault.after
