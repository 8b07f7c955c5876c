"""The office with an inbox that a receiver fills, and the tap that reads both."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

from typing_extensions import override

from tap_calendly.inbox import delivery
from tap_calendly.inbox.delivery import HINTS
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tests.runs.office import A_WHILE, MEETINGS, Office

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock


class InboxOffice(Office):
    """The office, the subscription that it has, and its inbox.

    What happens is delivered only where a test says so.
    """

    def __init__(self, sandbox: Sandbox, clock: SimulatedClock, folder: Path) -> None:
        """Subscribe, start a receiver, and hire a host."""
        super().__init__(sandbox, clock)
        self.folder = folder
        self.inboxes = 0
        self.receives = True
        organization = self.calendly.organization["uri"]
        self.warehouse.settings |= {"organization": organization}
        self.replace_inbox()
        self.subscribe()

    def replace_inbox(self) -> None:
        """Start with an empty inbox."""
        self.inboxes += 1
        self.file = self.folder / f"inbox_{self.inboxes}.db"
        self.url = f"sqlite:///{self.file}"
        self.store = Store(self.url)
        self.warehouse.settings |= {"inbox_url": self.url}
        self.receive()

    def subscribe(self, **changed: Any) -> str:  # noqa: ANN401 - passed on
        """Create a subscription, note it in the inbox, and have something delivered."""
        subscription = {
            "callback_url": f"https://hooks.example.com/{len(self.calendly.webhooks)}",
            "events": sorted(HINTS),
        }
        uri = self.calendly.subscribe(**{**subscription, **changed})
        self.note(uri)
        self.deliver_body({"event": "contact.created", "payload": {}, "of": uri})
        self.subscription = uri
        return uri

    def note(self, uri: str) -> None:
        """Note a subscription in the inbox."""
        about = {"organization": self.calendly.organization["uri"], "scope": "organization"}
        self.store.note_subscription(uri, about)

    @override
    def pass_days(self, days: float) -> None:
        """Let time pass while the receiver runs."""
        super().pass_days(days)
        self.receive()

    def receive(self, *, after_a_pause: bool = False) -> None:
        """Let the receiver say that it runs, as it has done all the time unless after a pause."""
        pause = timedelta(0) if after_a_pause else timedelta.max
        with mock.patch("tap_calendly.inbox.store.LONGEST_PAUSE", pause):
            self.store.beat(self.clock.now())

    @property
    def store_identity(self) -> str:
        """What tells the inbox from all others."""
        return InboxReader(self.url).identity

    def deliver(self, event: str, invitee: str) -> None:
        """Deliver that something happened to an invitee, as Calendly's records are now."""
        self.deliver_body(self.body(event, invitee))

    def body(self, event: str, invitee: str) -> dict[str, Any]:
        """Return what Calendly posts about an invitee, as its records are now."""
        meeting = invitee.partition("/invitees/")[0]
        record = next(one for one in self.calendly.invitees[meeting] if one["uri"] == invitee)
        payload = {**record, "scheduled_event": self.calendly.events[meeting]}
        created_at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        return copy.deepcopy({"event": event, "created_at": created_at, "payload": payload})

    def deliver_body(self, body: dict[str, Any]) -> None:
        """Deliver something."""
        self.store.add(delivery.parse(json.dumps(body).encode()), self.clock.now())

    @override
    def run(self, **options: Any) -> int:
        """Run the tap after a while for meetings and invitees; return the requests it made."""
        self.clock.advance(A_WHILE)
        if self.receives:
            self.receive()
        self.warehouse.run(**{"select": MEETINGS, **options})
        return sum(self.warehouse.sandbox.requests_by_path().values())

    def run_with(self, event: str, invitee: str) -> None:
        """Deliver that something happened to an invitee, and run the tap."""
        self.deliver(event, invitee)
        self.run()
