"""The demo company's last year at Calendly.

A calendar day depends only on the seed, the size and the day. Run again a day later, the demo has
the same meetings and one more day; the oldest ones make room.
"""

from __future__ import annotations

import heapq
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sandbox.demo import cast, office, quarters
from sandbox.demo.quarters import Quarter
from sandbox.demo.scenes import DAY, Deed, Scene, Story
from sandbox.demo.stories import DECK, Card
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from sandbox.organization.timestamps import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.organization.clock import Clock

FOUNDED = datetime(2014, 3, 3, 8, 30, tzinfo=timezone.utc)
"""When the company signed up."""

BOOKINGS = ("book", "book_from_submission", "reschedule")

MONDAY = date(2014, 3, 3)
WEEKDAY_SHARES = (6, 7, 6, 6, 5, 1, 1)
STORIES_PER_EVENT_AND_WEEK = 0.0195
"""So that the size is the number of meetings in about a year."""


def simulate(seed: int, size: int, now: datetime, plan: str = "teams") -> Calendly:
    """Return the demo organization as it is at ``now``, with a simulated clock.

    The other arguments and errors are those of :func:`populate`.
    """
    clock = SimulatedClock(FOUNDED)
    calendly = Calendly(clock, seed=seed, plan=plan)
    populate(calendly, seed=seed, size=size, until=now)
    clock.move_to(now)
    return calendly


def populate(calendly: Calendly, *, seed: int, size: int, until: datetime) -> None:
    """Play the company's life up to ``until``, so that exactly ``size`` scheduled events exist.

    Args:
        calendly: A new organization; it keeps its clock.
        seed: What everything depends on.
        size: The number of scheduled events.
        until: The time (aware) up to which to play.

    Raises:
        ValueError: If ``size`` is negative, or ``until`` too early for a company of that size.
    """
    if size < 0:
        message = f"there cannot be {size} meetings"
        raise ValueError(message)
    until = in_utc(until)
    chosen = _newest(seed, size, until)
    with calendly.lock:
        own_clock: Clock = calendly.clock
        clock = SimulatedClock(FOUNDED)
        calendly.clock = clock
        _date_back(calendly)
        stage = cast.enter(calendly)
        office.furnish(calendly, stage)
        oldest = chosen[0].day if chosen else until.date()
        periods = [*_quarters(oldest, until.date())]
        going = ((one.begins, one.story(stage)) for one in periods)
        run = ((one.begins, quarters.administering(one, stage)) for one in periods)
        told = ((one.day, _told(seed, size, one, stage)) for one in chosen)
        _play(calendly, clock, [*going, *told, *run], until)
        calendly.clock = own_clock


def _date_back(calendly: Calendly) -> None:
    """Date the organization and its owner back to when the company was founded."""
    signed_up = calendly.stamp()
    for record in (
        calendly.organization,
        *calendly.users.values(),
        *calendly.memberships.values(),
        *(membership["user"] for membership in calendly.memberships.values()),
    ):
        record.update(created_at=signed_up, updated_at=signed_up)


def _play(
    calendly: Calendly,
    clock: SimulatedClock,
    stories: Iterable[tuple[date, Story]],
    until: datetime,
) -> None:
    """Do the deeds of all stories in order of time, up to ``until``."""
    due: list[tuple[datetime, int, Deed | None, Story]] = [
        (datetime.combine(day, time(), timezone.utc), order, None, story)
        for order, (day, story) in enumerate(stories)
    ]
    heapq.heapify(due)
    while due:
        at, order, deed, story = due[0]
        clock.move_to(at)
        result = deed and getattr(calendly, deed.method)(**deed.arguments)
        following = _next(story, result)
        if following is not None and following.at <= until:
            heapq.heapreplace(due, (following.at, order, following, story))
        else:
            heapq.heappop(due)


def _next(story: Story, result: object) -> Deed | None:
    try:
        return story.send(result)
    except StopIteration:
        return None


def _newest(seed: int, size: int, until: datetime) -> list[_Dealt]:
    """Choose the newest stories before ``until`` that have ``size`` events together.

    A story that would exceed the size is skipped for older, shorter ones, on every later day too.
    """
    chosen = []
    missing = size
    day = until.date()
    while missing:
        if day <= FOUNDED.date() + 365 * DAY:
            message = f"a company founded on {FOUNDED.date()} has no {size} meetings by {until}"
            raise ValueError(message)
        for number in reversed(_numbers(size, day)):
            dealt = _Dealt(day, number, _card(seed, number))
            events = _events(_told(seed, size, dealt, _Anyone()), until)
            if events <= missing:
                chosen.append(dealt)
                missing -= events
        day -= DAY
    return chosen[::-1]


class _Dealt(NamedTuple):
    """A card dealt for a day."""

    day: date
    number: int
    card: Card


class _Anyone(dict[str, str]):
    """A stage that has everybody, for counting events without playing them."""

    def __missing__(self, name: str) -> str:
        return name


def _events(story: Story, until: datetime) -> int:
    """Count the events that a story creates by ``until``, without playing it."""
    events = 0
    deed = _next(story, None)
    while deed is not None and deed.at <= until:
        makes_event = deed.method in BOOKINGS
        events += makes_event
        deed = _next(story, ("", "") if makes_event else "")
    return events


def _told(seed: int, size: int, dealt: _Dealt, stage: dict[str, str]) -> Story:
    dice = _dice(seed, size, dealt.day, dealt.number)
    deck = dealt.number // len(DECK)
    return dealt.card.plot(
        Scene(
            dealt.day,
            deck,
            dice,
            stage,
            dice.choice(cast.SOURCES),
            dealt.card.event_type,
            dealt.card.location,
        )
    )


def _numbers(size: int, day: date) -> range:
    """Return the numbers of the stories that begin on ``day``."""
    return range(_begun(size, day), _begun(size, day + timedelta(days=1)))


def _begun(size: int, day: date) -> int:
    weeks, weekday = divmod((day - MONDAY).days, 7)
    weight = weeks + sum(WEEKDAY_SHARES[:weekday]) / sum(WEEKDAY_SHARES)
    return int(weight * size * STORIES_PER_EVENT_AND_WEEK)


def _card(seed: int, number: int) -> Card:
    deck, place = divmod(number, len(DECK))
    return _shuffled(seed, deck)[place]


@lru_cache(maxsize=64)
def _shuffled(seed: int, deck: int) -> list[Card]:
    return _dice(seed, deck).sample(DECK, len(DECK))


def _dice(*key: object) -> Random:
    return Random(repr(key))  # noqa: S311 -- a story's course is no secret


def _quarters(first: date, last: date) -> Iterator[Quarter]:
    quarter = Quarter.of(first)
    while quarter.begins <= last:
        yield quarter
        quarter = quarter.after()
