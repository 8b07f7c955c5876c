"""The figures of an inbox: how much it holds, what came lately, and what was refused."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from tap_calendly import timestamps
from tap_calendly.inbox import tables
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.tables import DELIVERIES, FACTS

LATELY = timedelta(hours=24)


class Figures(msgspec.Struct, frozen=True):
    """The figures of an inbox.

    Attributes:
        deliveries: How many it holds.
        last_received_at: When the last of them came (UTC, the inbox's clock).
        by_event: How many came in the last 24 hours, by event.
        refused: How many were refused, by reason, since the full hour before the last 24 hours.
        beat: When a receiver last ran (UTC, the inbox's clock).
        size_bytes: What it takes on the disk.
    """

    deliveries: int
    last_received_at: datetime | None
    by_event: dict[str, int]
    refused: dict[str, int]
    beat: datetime | None
    size_bytes: int | None


def figures(url: str, now: datetime) -> Figures:
    """Read the figures of an inbox, without creating or changing it.

    Raises:
        CalendlyError: There is none, or it cannot be read.
    """
    reader = InboxReader(url)
    delivered = DELIVERIES.c.id.is_not(None)
    lately = DELIVERIES.c.received_at >= timestamps.in_request(now - LATELY)
    with reader.connection() as connection:
        number, last = connection.execute(
            select(func.count(), func.max(DELIVERIES.c.received_at)).where(delivered)
        ).one()
        by_event = connection.execute(
            select(DELIVERIES.c.event, func.count())
            .where(delivered, lately)
            .group_by(DELIVERIES.c.event)
        )
        return Figures(
            deliveries=number,
            last_received_at=None if last is None else timestamps.parse(last),
            by_event=dict(sorted(by_event.tuples())),
            refused=_refused(connection, now - LATELY),
            beat=reader.beat,
            size_bytes=_size(connection, url),
        )


def _refused(connection: Connection, since: datetime) -> dict[str, int]:
    found: Counter[str] = Counter()
    first = tables.refused_at(since)
    kept = select(FACTS).where(FACTS.c.name.startswith(f"{tables.REFUSED} "))
    for name, number in connection.execute(kept):
        if name >= first:
            found[name[len(first) + 1 :]] += int(number)
    return dict(sorted(found.items()))


def _size(connection: Connection, url: str) -> int | None:
    if (file := tables.file_of(tables.url_of(url))) is None:
        sizes = [func.pg_total_relation_size(table.name) for table in (DELIVERIES, FACTS)]
        size: int | None = connection.execute(select(sum(sizes[1:], sizes[0]))).scalar()
        return size
    return sum(one.stat().st_size for one in (file, tables.log_of(file)) if one.exists())
