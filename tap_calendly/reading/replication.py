"""How a stream finds what changed since the last run: decisions alone, no requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import override

from tap_calendly import timestamps
from tap_calendly.api.page import Record
from tap_calendly.settings import Settings
from tap_calendly.state import OVERLAP


@dataclass(frozen=True)
class Replication:
    """How a stream replicates: unless a subclass says otherwise, every row is read and written."""

    key: str | None = None
    from_start_date: bool = False  # whether the setting `start_date` bounds the stream

    def start_date(self, settings: Settings) -> datetime | None:
        """Return the setting, where it bounds the stream."""
        return settings.start_date if self.from_start_date else None

    def since(self, bookmarks: Sequence[datetime | None], settings: Settings) -> datetime | None:  # noqa: ARG002 - for those with a bound
        """Return the time before which rows are left out; None to read everything.

        `bookmarks` are the stream's and those of streams read for its rows; None is nothing yet.
        """
        return None

    def parameters(self, since: datetime | None) -> dict[str, str]:  # noqa: ARG002 - likewise
        """Return the parameters by which the API leaves out older rows."""
        return {}

    def wants(self, row: Record, since: datetime | None) -> bool:
        """Whether a row is to be written."""
        changed = None if since is None else timestamps.of(row, str(self.key))
        return since is None or changed is None or changed >= since

    def ends_reading(self, *, older: bool) -> bool:  # noqa: ARG002 - likewise
        """Whether a page is the last to read, given whether it has rows that are too old."""
        return False


@dataclass(frozen=True)
class FullTable(Replication):
    """Read completely in every run; a target can mark the rows that vanished."""


@dataclass(frozen=True)
class WithParent(Replication):
    """Read whenever the row of the parent is, whose bookmark counts."""


@dataclass(frozen=True)
class BySweep(Replication):
    """Found by sweeps over the meetings (`tap_calendly.sweep`)."""


@dataclass(frozen=True)
class ByKey(Replication):
    """Rows from the bookmark on are wanted; the list comes in any order.

    With `lookback`, rows are read again for `lookback_days`: they change without moving the key.
    """

    lookback: bool = False

    @override
    def since(self, bookmarks: Sequence[datetime | None], settings: Settings) -> datetime | None:
        start_date = self.start_date(settings)
        bounds = [] if start_date is None else [start_date]
        captured = [bookmark for bookmark in bookmarks if bookmark is not None]
        if len(captured) == len(bookmarks):
            lookback = settings.lookback if self.lookback else timedelta()
            bounds.append(min(captured) - lookback - OVERLAP)
        return max(bounds, default=None)


@dataclass(frozen=True)
class NewestFirst(ByKey):
    """Sorted by the key, the newest first: reading ends at the first page with an older row."""

    @override
    def ends_reading(self, *, older: bool) -> bool:
        return older


@dataclass(frozen=True)
class ChangedSince(ByKey):
    """The API itself leaves out older rows, given the bound as `parameter`."""

    parameter: str = ""

    @override
    def parameters(self, since: datetime | None) -> dict[str, str]:
        return {} if since is None else {self.parameter: timestamps.in_request(since)}
