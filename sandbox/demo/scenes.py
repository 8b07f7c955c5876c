"""What stories are made of: deeds, and the scene in which a story begins."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from sandbox.demo import cast

if TYPE_CHECKING:
    from random import Random

SATURDAY = 5
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Deed(NamedTuple):
    """A life event, a method of :class:`~sandbox.organization.calendly.Calendly`, and its time."""

    at: datetime
    method: str
    arguments: dict[str, Any]


Story: TypeAlias = Generator[Deed, Any, None]
Chapter: TypeAlias = Generator[Deed, Any, tuple[str, str]]


@dataclass(frozen=True)
class Scene:
    """Where a story begins.

    Attributes:
        day: The calendar day (UTC) on which it begins.
        deck: The number of the deck that its card is from.
        dice: Its own random numbers.
        stage: URIs of hosts, event types and forms, by name.
        source: Where the visitor comes from.
        event_type: The name of the event type booked.
        location: The location configuration chosen.
    """

    day: date
    deck: int
    dice: Random
    stage: dict[str, str]
    source: cast.Source
    event_type: str = "Intro call"
    location: dict[str, str] | None = None

    def sometime(self) -> datetime:
        """Return a time of the day when people are awake."""
        seconds = self.dice.uniform(5 * 3600, 21 * 3600)
        return datetime.combine(self.day, time(), timezone.utc) + timedelta(seconds=seconds)

    def lead(self) -> int:
        """Return how many days ahead somebody books."""
        least, most = cast.HABITS[self.event_type].leads
        return least + round((most - least) * self.dice.random() ** 2)

    def opening(self, days: int, minutes: int | None = None) -> datetime:
        """Return a start in office hours, ``days`` ahead, or in the middle of the next week."""
        day = self.day + timedelta(days=days)
        if day.weekday() >= SATURDAY:
            day += timedelta(days=7 - day.weekday() + self.dice.randint(1, 3))
        if minutes is None:
            minutes = 30 * self.dice.randrange(16)
        zone = ZoneInfo(cast.zone_of(self.event_type))
        return datetime.combine(day, time(9), zone).astimezone(timezone.utc) + timedelta(
            minutes=minutes
        )

    def between(self, earliest: datetime, latest: datetime) -> datetime:
        """Return a time after ``earliest`` and before ``latest``."""
        return earliest + (latest - earliest) * self.dice.uniform(0.05, 0.95)

    @property
    def online(self) -> bool:
        """Whether the meeting takes place at a conference."""
        return self.location is not None and self.location["kind"].endswith("_conference")
