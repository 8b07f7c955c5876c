"""A simulated inbox, and the API that a run with an inbox asks meeting by meeting, both in memory.

Webhooks tell who booked, left, canceled or did not show up; not what was edited, paid or erased.
Deliveries arrive at once.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING

from benchmarks.organization import FIRST_INVITEE, START, Kind, Organization
from tap_calendly.api.page import Page
from tap_calendly.api.throttle import SystemClock
from tap_calendly.inbox.delivery import (
    HINTS,
    INVITEE_CANCELED,
    INVITEE_CREATED,
    LAG,
    NO_SHOW_CREATED,
    Delivery,
    Received,
)
from tap_calendly.inbox.reader import Subscription  # noqa: TID253 - there is an inbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from threading import Event

    from tap_calendly.api.client import Request
    from tap_calendly.api.page import Record

SUBSCRIBED = START - timedelta(days=1)

ABOUT = {"scope": "organization", "organization": "/organizations/1"}

EVENTS = {
    Kind.BOOKED: INVITEE_CREATED,
    Kind.LEFT: INVITEE_CANCELED,
    Kind.CANCELED: INVITEE_CANCELED,
    Kind.NO_SHOW: NO_SHOW_CREATED,
}
"""What webhooks tell, and by which event."""

ALL_CANCELED = '{"payload": {"scheduled_event": {"status": "canceled"}}}'


class Inbox:
    """What `InboxReader` reads, as it is now.

    Attributes:
        beat: The time now, as a receiver always runs.
    """

    identity = "inbox"
    subscription = Subscription("/webhook_subscriptions/1", ABOUT, 0)
    removed = 0

    def __init__(self, lost: float) -> None:
        """Start with nothing received; a share of the deliveries is lost without a trace."""
        self.beat = START
        self._lost = lost
        self._random = random.Random(7)  # noqa: S311 - a simulation
        self._received: list[Received] = []
        self._by_invitee: dict[str | None, list[Received]] = defaultdict(list)

    def note_change(self, meeting: str, row: int, at: datetime, kind: Kind) -> None:
        """Receive what webhooks tell of a change to an invitee, unless it is lost."""
        event = EVENTS.get(kind)
        is_told = event is not None and row >= FIRST_INVITEE and at >= SUBSCRIBED
        if not is_told or self._random.random() < self._lost:
            return
        position, invitee = self.last + 1, f"{meeting}/invitees/{row}"
        body = ALL_CANCELED if kind is Kind.CANCELED else "{}"
        delivery = Delivery(str(position), str(event), None, meeting, invitee, body)
        self._received.append(Received(position, at, delivery))
        self._by_invitee[invitee].append(self._received[-1])

    @property
    def last(self) -> int:
        """The last position."""
        return len(self._received)

    @property
    def settled(self) -> int:
        """The last position that is an hour old."""
        return bisect_right(self._received, self.beat - LAG, key=attrgetter("received_at"))

    def has_removed_after(self, position: int) -> bool:
        """Nothing is ever removed."""
        return self.removed > position

    def has_gap_after(self, _: int) -> bool:
        """Return that a receiver has always run."""
        return False

    def has_unclear_hint_after(self, _: int) -> bool:
        """Return that every delivery names its meeting."""
        return False

    def has_delivery_after(self, position: int) -> bool:
        """Whether anything was delivered after a position was given out."""
        return self.last > position

    def is_recent(self, received: Received) -> bool:
        """Whether the API may still be behind a delivery."""
        return self.beat - received.received_at < LAG

    def after(self, position: int, events: Collection[str]) -> Iterator[Received]:
        """Yield the deliveries of some events after a position."""
        return (one for one in self._received[position:] if one.delivery.event in events)

    def about(self, invitees: Collection[str]) -> Iterator[Received]:
        """Yield all deliveries about some invitees."""
        return (one for invitee in invitees for one in self._by_invitee[invitee])


class Api:
    """Stands in for `Client`: answers for the subscription, for a meeting, and for its invitees.

    Attributes:
        requests: How many requests were made.
    """

    url = ""
    throttle = SimpleNamespace(clock=SystemClock())

    def __init__(self, organization: Organization, now: datetime) -> None:
        """Answer as the organization is now."""
        self.now = now
        self.requests = 0
        self._organization = organization

    def send(self, request: Request, _: object, __: Event) -> Page:
        """Answer a request."""
        self.requests += 1
        return Page(self._rows(request.url), None, self.now)

    def _rows(self, url: str) -> list[Record]:
        if url == Inbox.subscription.uri:
            nulls = {"user": None, "group": None, "retry_started_at": None}
            return [{"state": "active", "events": [*HINTS], **ABOUT, **nulls}]
        if url.endswith("/invitees"):
            return self._organization.invitees[url.removesuffix("/invitees")]
        return [self._organization.by_uri[url]]
