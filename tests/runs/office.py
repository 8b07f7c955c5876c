"""A small organization, and the warehouse that the tap loads from it run by run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.singer import STREAMS, Warehouse, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

MEETINGS = {"scheduled_events", "event_invitees"}
INVITEES = "/scheduled_events/{uuid}/invitees"

A_WHILE = timedelta(minutes=10)
"""Longer than the overlap in which a run repeats what the last one read."""


class Office:
    """An organization with two event types, and the warehouse that the tap loads from it."""

    def __init__(self, sandbox: Sandbox, clock: SimulatedClock) -> None:
        """Add a host with two event types."""
        self.calendly = sandbox.calendly
        self.clock = clock
        host = self.calendly.add_member(name="Grace", email="grace@example.com")
        add = self.calendly.add_event_type
        self.call = add(owner=host, name="Call", duration=30)
        self.course = add(owner=host, name="Course", duration=60, kind="group")
        self.warehouse = Warehouse(sandbox)

    def book(self, days: float, *, course: bool = False) -> tuple[str, str]:
        """Book a meeting some days from now, or ago; return the event and the invitee."""
        return self.calendly.book(
            event_type=self.course if course else self.call,
            start=self.clock.now() + timedelta(days=days),
            name="Ada Lovelace",
            email="ada@example.com",
        )

    def run(self, **options: Any) -> int:  # noqa: ANN401 - passed on
        """Run the tap after a while; return how many meetings' invitees were read."""
        self.clock.advance(A_WHILE)
        self.warehouse.run(**{"select": set(STREAMS), **options})
        return self.warehouse.sandbox.requests_by_path().get(INVITEES, 0)

    def run_hourly(self, times: int) -> list[int]:
        """Run the tap every hour for meetings and invitees; return how many were read by each."""
        read = []
        for _ in range(times):
            self.clock.advance(timedelta(hours=1) - A_WHILE)
            read.append(self.run(select=MEETINGS))
        return read

    def pass_days(self, days: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(days=days))

    def shows(self, stream: str, uri: str) -> bool:
        """Return whether a row equals Calendly's."""
        return self.warehouse.tables[stream].get(uri) == truth(self.warehouse.sandbox)[stream][uri]
