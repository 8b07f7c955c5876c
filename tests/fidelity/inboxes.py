"""The inboxes that a company's receiver fills, one after another, and what came into them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

from tap_calendly.inbox.delivery import HINTS, parse
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import LONGEST_PAUSE, Store

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.organization.announcements import Announcement
    from sandbox.organization.clock import SimulatedClock
    from tap_calendly.inbox.delivery import Delivery
    from tests.fidelity.chronicle import Chronicle

    Key = tuple[str, str]

OK, UNAVAILABLE = 200, 503


class Delivered(NamedTuple):
    """A delivery in an inbox, with how many versions of each row it tells."""

    position: int
    received_at: datetime
    delivery: Delivery
    told: Counter[Key]


class Inboxes:
    """The inbox of now, and the receiver that fills it.

    Attributes:
        url: The inbox, as `inbox_url` names it.
        identity: What tells it from the others.
        delivered: What is in it, in the order of the positions.
        gap: The position of the last gap; 0 for none. `removed` is the highest that was removed.
        subscription: The webhook subscription that it has; "" for none.
        since: The last position before that was noted.
        announced: How many versions of each row webhooks were to tell.
        refuses: Whether the receiver answers that it cannot store anything.
        runs: Whether the receiver runs at all.
    """

    def __init__(self, clock: SimulatedClock, folder: Path, organization: str) -> None:
        """Start with an empty inbox."""
        self.refuses, self.runs = False, True
        self._clock = clock
        self._folder = folder
        self._about = {"organization": organization, "scope": "organization"}
        self._told: dict[str, Counter[Key]] = {}
        self.announced: Counter[Key] = Counter()
        self.replace(at="first.db")

    def replace(self, at: str) -> None:
        """Go on with an empty inbox without a subscription, in place of what is in a file."""
        self._file = self._folder / at
        for file in self._folder.glob(f"{at}*"):  # with its log
            file.unlink()
        self.url = f"sqlite:///{self._file}"
        self._store = Store(self.url)
        self.identity = InboxReader(self.url).identity
        self.delivered: list[Delivered] = []
        self.gap = self.removed = self.since = 0
        self.subscription = ""
        self.beat()

    def subscribe(self, uri: str) -> None:
        """Note the webhook subscription whose deliveries come from now on."""
        self.subscription, self.since = uri, self.last
        self._store.note_subscription(uri, self._about)

    def expect(self, announcement: Announcement, chronicle: Chronicle) -> None:
        """Note which versions of which rows an announcement tells."""
        delivery = parse(announcement.body)
        meeting = delivery.scheduled_event_uri
        if meeting is not None:
            self._told[delivery.id] = Counter(
                {
                    key: len(versions)
                    for key, versions in chronicle.versions.items()
                    if key[1] == meeting or key[1].startswith(f"{meeting}/")
                }
            )
            self.announced |= self._told[delivery.id]

    def take(self, body: bytes) -> int:
        """Take what is delivered, and return the status of the answer."""
        if self.refuses:
            return UNAVAILABLE
        delivery, now = parse(body), self._clock.now()
        self._store.add(delivery, now)
        self.delivered = [one for one in self.delivered if one.delivery.id != delivery.id]
        told = self._told.get(delivery.id, Counter())
        self.delivered.append(Delivered(self.last, now, delivery, told))
        return OK

    def beat(self) -> None:
        """Let the receiver say that it runs, as it has done all the time."""
        if self.runs:
            self._beat = self._clock.now()
            with mock.patch("tap_calendly.inbox.store.LONGEST_PAUSE", timedelta.max):
                self._store.beat(self._beat)

    def stop(self) -> None:
        """Kill the receiver."""
        self.beat()
        self.runs = False

    def start(self) -> None:
        """Start the receiver again."""
        now, self.runs = self._clock.now(), True
        self._store.beat(now)
        if now - self._beat > LONGEST_PAUSE:
            self.gap = self.last
        self._beat = now

    def prune(self, before: datetime) -> None:
        """Remove what came before a time."""
        removed = [one.position for one in self.delivered if one.received_at < before]
        self._store.prune(before)
        self.removed = max([self.removed, *removed])
        self.delivered = [one for one in self.delivered if one.received_at >= before]

    @property
    def now(self) -> datetime:
        """The time by the receiver's clock, which is right."""
        return self._clock.now()

    @property
    def current(self) -> tuple[str, str]:
        """What tells this inbox from others, and the webhook subscription that it has."""
        return self.identity, self.subscription

    @property
    def has_delivered(self) -> bool:
        """Whether anything was delivered since the webhook subscription was noted."""
        came = (one.position > self.since for one in self.delivered)
        return self.removed > self.since or any(came)

    @property
    def last(self) -> int:
        """The last position that was given out."""
        with closing(sqlite3.connect(self._file)) as connection:
            found = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()
        return int(found[0]) if found else 0

    def after(self, position: int) -> list[Delivered]:
        """Return the deliveries after a position that are about meetings."""
        return [
            one for one in self.delivered if one.position > position and one.delivery.event in HINTS
        ]
