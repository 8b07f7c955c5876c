"""What clients asked for, and how many asked at once."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class RecordedRequest:
    """A request as it came in.

    Attributes:
        method: Such as ``GET``.
        template: The path with its identifiers in braces; an unknown path stands as it is.
        path: The path that was asked for.
        query: The query string, undecoded.
        headers: The request's headers by lower-case name, without ``authorization``.
        connection: The client's port, which tells one connection from another.
        status: What it was answered with; ``None`` while, or if, it was not.
    """

    method: str
    template: str
    path: str
    query: str
    headers: Mapping[str, str]
    connection: int
    status: int | None = None


class Recording:
    """The requests of one sandbox; several threads may look at it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._under_way = 0
        self.forget()

    def forget(self) -> None:
        """Forget all requests so far; those under way still count as such."""
        with self._lock:
            self._requests: list[RecordedRequest] = []
            self._highest_concurrency = self._under_way

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests, in the order they came in."""
        with self._lock:
            return list(self._requests)

    @property
    def highest_concurrency(self) -> int:
        """How many requests at most were under way at once.

        Without latency or delay an answer takes no time, so that no two are.
        """
        with self._lock:
            return self._highest_concurrency

    def by_path(self) -> dict[str, int]:
        """Return how many requests there were, by path template."""
        return dict(Counter(request.template for request in self.requests))

    @contextmanager
    def under_way(self, request: RecordedRequest) -> Iterator[None]:
        """Record ``request``, which is under way as long as the context lasts."""
        with self._lock:
            self._requests.append(request)
            self._under_way += 1
            self._highest_concurrency = max(self._highest_concurrency, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
