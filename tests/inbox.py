"""An inbox as `calendly-webhooks serve` fills it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from tap_calendly import timestamps
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
        self._store.beat(self._now)

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

    def remove(self, *, keep: int) -> None:
        """Remove all but the last deliveries, as `serve --keep-days` does."""
        self.rows = self.rows[len(self.rows) - keep :]
        before = timestamps.parse(self.rows[0]["received_at"]) if keep else self._now
        self._store.prune(before + timedelta(seconds=0 if keep else 1))

    def forget(self, email: str) -> None:
        """Remove deliveries about a person."""
        self._store.forget(email)
        self.rows = [row for row in self.rows if email not in json.dumps(row)]
