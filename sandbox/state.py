"""What Calendly holds: every record in the shape its API answers with, and when it was touched."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from sandbox.clock import SystemClock
from sandbox.identifiers import Identifiers, last_segment, rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.clock import Clock

Record: TypeAlias = dict[str, Any]
"""One record in API shape: handing it out is all that reading takes."""

Call = ParamSpec("Call")
Answer = TypeVar("Answer")
Held = TypeVar("Held", bound="State")

LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class State:
    """The records of one organisation. Whoever reads or changes them holds ``lock``."""

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        """Hold nothing yet.

        Args:
            clock: What tells the time of every change; the computer's clock if left out.
            seed: What all identifiers follow from.
        """
        self.lock = threading.RLock()
        self.identifiers = Identifiers(seed)
        self.clock = clock or SystemClock()
        self.organization: Record = {}
        self.owner = ""
        self.users: dict[str, Record] = {}
        self.memberships: dict[str, Record] = {}
        self.groups: dict[str, Record] = {}
        self.group_members: dict[str, set[str]] = {}
        self.group_relationships: dict[str, Record] = {}
        self.invitations: dict[str, Record] = {}
        self.teams: dict[str, Record] = {}
        self.team_members: dict[str, set[str]] = {}
        self.event_types: dict[str, Record] = {}
        self.event_type_hosts: dict[str, list[str]] = {}
        self.event_type_limits: dict[str, int] = {}
        self.event_type_memberships: dict[str, Record] = {}
        self.event_type_hours: dict[tuple[str, str], Record] = {}
        self.schedules: dict[str, Record] = {}
        self.conferences: dict[str, dict[str, bool]] = {}
        self.busy_times: dict[str, list[Record]] = {}
        self.lost_calendars: set[str] = set()
        self.events: dict[str, Record] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self.invitees: dict[str, list[Record]] = {}
        self.no_shows: dict[str, Record] = {}
        self.routing_forms: dict[str, Record] = {}
        self.submissions: dict[str, list[Record]] = {}
        self.communications: list[Record] = []
        self.contacts: dict[str, Record] = {}
        self.contact_fields: dict[str, Record] = {}
        self.contact_owners: dict[str, str] = {}
        self.recaps: dict[str, Record] = {}
        self.recap_owners: dict[str, str] = {}
        self.transcripts: dict[str, Record] = {}
        self.webhooks: dict[str, Record] = {}
        self.activity_log: list[Record] = []

    @property
    def clock(self) -> Clock:
        """What tells the time of every change; may be exchanged for another clock."""
        return self._clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock = clock
        self._last_stamp = LONG_AGO

    def stamp(self) -> str:
        """Return the present moment as a timestamp later than any other of this clock.

        A clock of whole seconds gets seeded microseconds, so that stamps never look rounded; they
        stay within a second of the clock.
        """
        self._last_stamp = max(self._now(), self._last_stamp + timedelta(microseconds=1))
        return rendered(self._last_stamp)

    def present(self) -> str:
        """Return the present moment as a timestamp no earlier than any other, and claim none.

        For what happens beside a change: whether it is noted must not move other timestamps.
        """
        return rendered(max(self._now(), self._last_stamp))

    def _now(self) -> datetime:
        now = self.clock.now()
        if now.microsecond == 0:
            fraction = 1 + self.identifiers.number("stamp", now.isoformat(), below=400_000)
            now += timedelta(microseconds=fraction)
        return now

    def _arrive(self, user: str) -> None:
        """Give a new user what every user has; each room adds its own."""

    def _depart(self, user: str) -> None:
        """Clear away what a user does not leave behind when he goes; each room does its own."""

    def is_member(self, user: str) -> bool:
        """Tell whether the user belongs to the organisation now."""
        return any(one["user"]["uri"] == user for one in self.memberships.values())


def life(
    method: Callable[Concatenate[Held, Call], Answer],
) -> Callable[Concatenate[Held, Call], Answer]:
    """Mark ``method`` as an event of life: it holds the lock from beginning to end."""

    @wraps(method)
    def under_lock(self: Held, /, *args: Call.args, **kwargs: Call.kwargs) -> Answer:
        with self.lock:
            return method(self, *args, **kwargs)

    return under_lock


def known(records: dict[str, Record], uri: str, what: str) -> Record:
    """Return the record that ``uri`` names.

    Raises:
        ValueError: If there is none; the sentence calls it ``what``.
    """
    try:
        return records[uri]
    except KeyError:
        message = f"there is no {what} {uri}"
        raise ValueError(message) from None


def slug(name: str) -> str:
    """Return ``name`` as it stands in a scheduling page's address."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return "-".join(words) or "page"


def deleted_address(uri: str) -> str:
    """Return the address Calendly puts in place of a deleted user's."""
    return f"{last_segment(uri).lower()}@deleted.calendly.com"
