"""The requests that were made, and how many at once."""

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
    """One request.

    Attributes:
        method: Such as ``GET``.
        template: The path with its identifiers in braces; an unknown path as it is.
        path: The path requested.
        query: The query string, undecoded.
        headers: The request's headers by lower-case name, without ``authorization``.
        connection: The client's port, which tells connections apart.
        status: The answer's status; ``None`` until, or unless, there is one.
    """

    method: str
    template: str
    path: str
    query: str
    headers: Mapping[str, str]
    connection: int
    status: int | None = None


class Recording:
    """The requests of one sandbox; safe to read from several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._in_flight = 0
        self.forget()

    def forget(self) -> None:
        """Forget all requests so far; those in flight still count as such."""
        with self._lock:
            self._requests: list[RecordedRequest] = []
            self._highest_concurrency = self._in_flight

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests, in the order they arrived."""
        with self._lock:
            return list(self._requests)

    @property
    def highest_concurrency(self) -> int:
        """The most requests in flight at once; 1 unless answers are slowed down."""
        with self._lock:
            return self._highest_concurrency

    def by_path(self) -> dict[str, int]:
        """Return the number of requests by path template."""
        return dict(Counter(request.template for request in self.requests))

    @contextmanager
    def in_flight(self, request: RecordedRequest) -> Iterator[None]:
        """Record ``request``, in flight as long as the context lasts."""
        with self._lock:
            self._requests.append(request)
            self._in_flight += 1
            self._highest_concurrency = max(self._highest_concurrency, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
