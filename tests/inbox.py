"""An inbox as `calendly-webhooks serve` fills it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, delete, insert, text

from tap_calendly.inbox import delivery, tables
from tap_calendly.inbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Row

RECEIVED_AT = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
MEETING = "https://api.calendly.com/scheduled_events/E1"
INVITEE = f"{MEETING}/invitees/I1"


class Inbox:
    """An inbox in a file; a delivery comes every minute.

    Attributes:
        url: Its URL, as the setting `inbox_url` takes it.
        rows: What `webhook_events` has to return, in that order.
    """

    def __init__(self, file: Path) -> None:
        """Create it, empty."""
        self.url = f"sqlite:///{file}"
        self.rows: list[Row] = []
        self._file = file
        self._store = Store(self.url)
        self._now = RECEIVED_AT

    def receive(self, event: str = "invitee.created", **payload: Any) -> str:  # noqa: ANN401 - JSON
        """Take a delivery, and return its id."""
        posted = {
            "event": event,
            "created_at": "2026-03-04T09:29:59.000000Z",
            "created_by": "https://api.calendly.com/users/U1",
            "payload": {"uri": INVITEE, "event": MEETING, **payload},
        }
        received = delivery.parse(json.dumps(posted).encode())
        self._store.add(received, self._now)
        row = {
            "id": received.id,
            "event": event,
            "created_at": posted["created_at"],
            "received_at": f"{self._now:%Y-%m-%dT%H:%M:%SZ}",
            "scheduled_event_uri": received.scheduled_event_uri,
            "invitee_uri": received.invitee_uri,
            "payload": posted["payload"],
        }
        self.rows = [one for one in self.rows if one["id"] != received.id] + [row]
        self._now += timedelta(minutes=1)
        return received.id

    def pause(self) -> None:
        """Have no receiver run for a while, which leaves a gap marker."""
        for _ in range(2):
            self._now += timedelta(hours=1)
            self._store.beat(self._now)

    def back_up(self, file: Path) -> str:
        """Copy it as it is now, and return the copy's URL."""
        with closing(sqlite3.connect(self._file)) as own, closing(sqlite3.connect(file)) as copy:
            own.backup(copy)
        return f"sqlite:///{file}"

    def break_down(self) -> None:
        """Become unreadable."""
        with create_engine(self.url).begin() as connection:
            connection.execute(text(f"DROP TABLE {tables.DELIVERIES}"))

    def remove(self, number: int) -> None:
        """Remove the oldest deliveries, as `serve --keep-days` does."""
        positions = range(1, number + 1)
        deliveries = tables.DELIVERIES.c.position
        with create_engine(self.url).begin() as connection:
            connection.execute(delete(tables.DELIVERIES).where(deliveries.in_(positions)))
            removed = {"name": tables.REMOVED, "value": str(number)}
            connection.execute(insert(tables.FACTS).values(removed))
        del self.rows[:number]
