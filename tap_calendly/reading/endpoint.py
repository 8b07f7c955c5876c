"""What a stream asks of the API: an address, whose rows, and how the answer is laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import override

from tap_calendly import timestamps
from tap_calendly.api.page import Record
from tap_calendly.api.scope import Whose

PAGE_SIZE = 100
"""The most rows that Calendly puts on a page of most lists."""


@dataclass(frozen=True)
class Endpoint:
    """An address of the API.

    Attributes:
        path: `{uuid}` stands for the ID of the parent's row, `{organization}` for the
            organization's.
        whose: Whose rows to ask for; None where the path says it all.
        statuses: The values of `status` to ask for one after the other, where Calendly gives only
            rows of one.
        with_details: Which rows to read again at their own URI, as the list leaves out fields; None
            if it leaves out none.
        envelope: The key of the answer that holds the row or rows.
        append_only: Whether no row can vanish while the list is read.
    """

    path: str
    whose: Whose | None = None
    statuses: tuple[str, ...] = ()
    with_details: Callable[[Record], bool] | None = None

    envelope = "collection"
    paged = False
    append_only = True

    @property
    def parts(self) -> list[dict[str, str]]:
        """The parameters by which to ask for each part of the list; usually for all of it."""
        return [{"status": status} for status in self.statuses] or [{}]

    def parameters(self, now: datetime) -> dict[str, str]:  # noqa: ARG002 - for those to come
        """Return the parameters of every first request; `now` is by the server's clock."""
        return {}


@dataclass(frozen=True)
class Paged(Endpoint):
    """A list in pages of `PAGE_SIZE` rows, unless `page_size` says otherwise."""

    sort: str | None = None
    page_size: int | None = None
    append_only: bool = False

    paged = True

    @override
    def parameters(self, now: datetime) -> dict[str, str]:
        return {} if self.sort is None else {"sort": self.sort}


@dataclass(frozen=True)
class Unpaged(Endpoint):
    """A list in one answer; `window` is how far ahead to ask in a list of what is to come."""

    window: timedelta | None = None

    @override
    def parameters(self, now: datetime) -> dict[str, str]:
        if self.window is None:
            return {}
        start = now + timedelta(minutes=1)  # it must lie in the future when the request arrives
        bounds = {"start_time": start, "end_time": start + self.window}
        return {name: timestamps.in_request(bound) for name, bound in bounds.items()}


@dataclass(frozen=True)
class Single(Endpoint):
    """One row."""

    envelope = "resource"
