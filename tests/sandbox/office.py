"""A small organization for tests of life events."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock

if TYPE_CHECKING:
    from sandbox.organization.state import Record

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
START = datetime(2026, 3, 10, 14, 30, tzinfo=timezone.utc)


class Office:
    """An organization with one solo and one group event type."""

    def __init__(self) -> None:
        """Open it on a Monday morning."""
        self.clock = SimulatedClock(NOW)
        self.calendly = Calendly(self.clock)
        self.host = self.calendly.add_member(name="Bo Berg", email="bo@office.example")
        self.intro = self.calendly.add_event_type(
            owner=self.host, name="Intro", duration=30, locations=[{"kind": "zoom_conference"}]
        )
        self.course = self.calendly.add_event_type(
            owner=self.host, name="Course", duration=60, kind="group", limit=3
        )
        self.later()

    def later(self, **delta: float) -> None:
        """Let time pass: an hour, if not told otherwise."""
        self.clock.advance(timedelta(**delta) if delta else timedelta(hours=1))

    def booked(self, event_type: str = "", email: str = "kim@guest.example") -> tuple[str, str]:
        """Book the introduction, or another event type, and let an hour pass."""
        made = self.calendly.book(
            event_type=event_type or self.intro,
            start=START,
            name="Kim Guest",
            email=email,
            answers={"Why?": "Because"},
        )
        self.later()
        return made

    def book(self, *names: str) -> None:
        """Book the introduction for each of these people at this moment."""
        for name in names:
            email = f"{name}@guest.example"
            self.calendly.book(event_type=self.intro, start=START, name=name, email=email)

    def recap(self) -> str:
        """Book a meeting and start its recap; return the recap's URI."""
        event, _ = self.booked()
        recap: str = self.calendly.start_recap(event=event)
        return recap

    def contact(self) -> str:
        """Add a contact to the host's; return its URI."""
        contact: str = self.calendly.add_contact(user=self.host, email="kim@guest.example")
        return contact

    def form(self) -> str:
        """Add a routing form; return its URI."""
        form: str = self.calendly.add_routing_form(name="Which?", questions=[{"name": "Size"}])
        return form

    def event(self, uri: str) -> Record:
        """Return the event as it is now."""
        return self.calendly.events[uri]

    def invitee(self, uri: str) -> Record:
        """Return the invitee as they are now."""
        every = (one for each in self.calendly.invitees.values() for one in each)
        return next(one for one in every if one["uri"] == uri)


def changed(before: Record, after: Record) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
