"""What happens around a booking: each story is a generator of deeds, in the order of time.

A story decides, and does nothing itself: it yields what is to be done and when, and is sent what
came of it. It draws from its own dice alone, so it takes the same course however far it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from sandbox import cast

SATURDAY = 5
DETAILS_KEPT = timedelta(days=183)
HOUR = timedelta(hours=1)
WEBINAR_SLOTS = 32


class Deed(NamedTuple):
    """One event of life: the method of :class:`sandbox.calendly.Calendly`, and when it happens."""

    at: datetime
    method: str
    arguments: dict[str, Any]


Story: TypeAlias = Generator[Deed, Any, None]
Chapter: TypeAlias = Generator[Deed, Any, tuple[str, str]]


@dataclass(frozen=True)
class Scene:
    """Where a story begins.

    Attributes:
        day: The calendar day, in UTC, on which it begins.
        number: Its number among all stories ever told.
        deck: The number of the deck it was drawn from.
        dice: What it draws from.
        stage: URIs of hosts, event types and forms, by name.
        event_type: The name of what is booked.
        location: The location configuration chosen.
    """

    day: date
    number: int
    deck: int
    dice: Random
    stage: dict[str, str]
    event_type: str = "Intro call"
    location: dict[str, str] | None = None

    def morning(self) -> datetime:
        """Return a moment in the story's first hours; the same day always leaves time for more."""
        seconds = self.dice.uniform(5 * 3600, 21 * 3600)
        return datetime.combine(self.day, time(), timezone.utc) + timedelta(seconds=seconds)

    def lead(self) -> int:
        """Return how many days ahead somebody books."""
        near, later, far = (2, 9), (10, 40), (60, 120)
        return self.dice.randint(*self.dice.choices((near, later, far), (45, 35, 20))[0])

    def opening(self, days: int, minutes: int | None = None) -> datetime:
        """Return a start within office hours, ``days`` ahead or on the working day after."""
        day = self.day + timedelta(days=days)
        if day.weekday() >= SATURDAY:
            day += timedelta(days=7 - day.weekday())
        if minutes is None:
            minutes = 30 * self.dice.randrange(16)
        zone = ZoneInfo(cast.zone_of(self.event_type))
        return datetime.combine(day, time(9), zone).astimezone(timezone.utc) + timedelta(
            minutes=minutes
        )

    def between(self, earliest: datetime, latest: datetime) -> datetime:
        """Return a moment after ``earliest`` and before ``latest``."""
        return earliest + (latest - earliest) * self.dice.uniform(0.05, 0.95)


def booking(
    scene: Scene, at: datetime, start: datetime, person: cast.Person | None = None, **details: Any
) -> Chapter:
    """Tell how somebody books, and how the conference gets its link a little later."""
    person = person or cast.visitor(scene.dice)
    told = {
        "start": start,
        "name": person.name,
        "email": person.email,
        "location": scene.location,
        "timezone": scene.dice.choice(cast.VISITOR_ZONES),
        **details,
    }
    if "submission" not in told:
        told["event_type"] = scene.stage[scene.event_type]
    method = "book_from_submission" if "submission" in told else "book"
    event, invitee = yield Deed(at, method, told)
    yield from linking(scene, event, at)
    return event, invitee


def linking(scene: Scene, event: str, at: datetime) -> Story:
    """Tell how a conference gets its link, seconds after the booking."""
    if not is_online(scene):
        return
    status = "failed" if scene.dice.random() < 0.03 else "pushed"
    moves = scene.dice.random() < 0.5
    link = {"event": event, "moves_updated_at": moves}
    begun = at + timedelta(seconds=scene.dice.uniform(0.5, 2))
    yield Deed(begun, "push_conference_link", {**link, "status": "processing"})
    done = at + timedelta(seconds=scene.dice.uniform(2.5, 90))
    yield Deed(done, "push_conference_link", {**link, "status": status})


def forgetting(scene: Scene, event: str, start: datetime) -> Story:
    """Tell how a conference loses its details, half a year later."""
    if is_online(scene):
        yield Deed(start + DETAILS_KEPT, "drop_conference_details", {"event": event})


def is_online(scene: Scene) -> bool:
    """Tell whether the meeting takes place at a conference."""
    return scene.location is not None and scene.location["kind"].endswith("_conference")
