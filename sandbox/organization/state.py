"""An organization's records, in the shape Calendly's API returns them."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from sandbox.organization.clock import SystemClock
from sandbox.organization.identifiers import Identifiers, last_segment
from sandbox.organization.timestamps import to_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization.announcements import Announcement
    from sandbox.organization.clock import Clock
    from sandbox.organization.lag import Meetings

Record: TypeAlias = dict[str, Any]
"""One record as the API returns it."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class State:
    """The records of one organization; hold ``lock`` to read or change them.

    Attributes:
        webhook_keys: The keys that deliveries are signed with, by subscription.
        webhooks_need_standard: Whether webhooks take a plan, as they did until November 2026.
        bare_no_shows: Whether webhooks tell only ``{uri, invitee, created_at}`` of a no-show.
        announcements: What webhooks have to tell; ``announced`` is notified of each.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        """Start empty.

        Args:
            clock: Gives the time of every change; the computer's clock if left out.
            seed: What all identifiers depend on.
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
        self.unlisted_event_types: set[str] = set()
        self.event_type_memberships: dict[str, Record] = {}
        self.event_type_hours: dict[tuple[str, str], Record] = {}
        self.schedules: dict[str, Record] = {}
        self.conferences: dict[str, dict[str, bool]] = {}
        self.busy_times: dict[str, list[Record]] = {}
        self.lost_calendars: set[str] = set()
        self.events: dict[str, Record] = {}
        self.sessions: dict[tuple[str, str], str] = {}
        self.invitees: dict[str, list[Record]] = {}
        self.no_shows: dict[str, Record] = {}
        self.routing_forms: dict[str, Record] = {}
        self.submissions: dict[str, list[Record]] = {}
        self.communications: list[Record] = []
        self.contacts: dict[str, Record] = {}
        self.contact_fields: dict[str, Record] = {}
        self.contact_lists: dict[str, Record] = {}
        self.contact_list_members: dict[str, set[str]] = {}
        self.contact_owners: dict[str, str] = {}
        self.notes: dict[str, Record] = {}
        self.recaps: dict[str, Record] = {}
        self.recap_owners: dict[str, str] = {}
        self.transcripts: dict[str, Record] = {}
        self.webhooks: dict[str, Record] = {}
        self.webhook_keys: dict[str, str | None] = {}
        self.webhooks_need_standard = False
        self.bare_no_shows = False
        self.announcements: list[Announcement] = []
        self.announced = threading.Condition(self.lock)
        self.lagging: Meetings | None = None
        self.lags_until: datetime | None = None
        self.activity_log: list[Record] = []

    @property
    def clock(self) -> Clock:
        """Gives the time of every change; can be replaced."""
        return self._clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock = clock
        self._last_stamp = LONG_AGO

    def stamp(self) -> str:
        """Return the current time as a timestamp later than any before on this clock.

        If the clock shows whole seconds, seeded microseconds are added, so that no timestamp
        looks rounded; they stay within a second of the clock.
        """
        self._last_stamp = max(self._now(), self._last_stamp + timedelta(microseconds=1))
        return to_timestamp(self._last_stamp)

    def peek_stamp(self) -> str:
        """Return the current time as a timestamp, without moving those that follow."""
        return to_timestamp(max(self._now(), self._last_stamp))

    def _now(self) -> datetime:
        now = self.clock.now()
        if now.microsecond == 0:
            fraction = 1 + self.identifiers.number("stamp", now.isoformat(), below=400_000)
            now += timedelta(microseconds=fraction)
        return now

    def is_member(self, user: str) -> bool:
        """Tell whether the user is a member of the organization now."""
        return any(one["user"]["uri"] == user for one in self.memberships.values())

    def membership(self, user: str) -> Record:
        """Return the user's membership, or raise ValueError if there is none."""
        find(self.users, user, "user")
        for membership in self.memberships.values():
            if membership["user"]["uri"] == user:
                return membership
        message = f"{user} is not a member of the organization"
        raise ValueError(message)

    def pending_invitation(self, uri: str) -> Record:
        """Return an invitation, or raise ValueError if it is unknown or already answered."""
        record = find(self.invitations, uri, "invitation")
        if record["status"] != "pending":
            message = f"the invitation {uri} is {record['status']} already"
            raise ValueError(message)
        return record


def life_event(
    function: Callable[Concatenate[State, Parameters], Result],
) -> Callable[Concatenate[State, Parameters], Result]:
    """Mark ``function`` as a life event: it holds the lock from start to end."""

    @wraps(function)
    def under_lock(state: State, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with state.lock:
            return function(state, *args, **kwargs)

    return under_lock


def find(records: dict[str, Record], uri: str, what: str) -> Record:
    """Return the record with this URI.

    Raises:
        ValueError: If there is none; the message calls it ``what``.
    """
    try:
        return records[uri]
    except KeyError:
        message = f"there is no {what} {uri}"
        raise ValueError(message) from None


def slug(name: str) -> str:
    """Return ``name`` as it appears in a scheduling page's address."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return "-".join(words) or "page"


def deleted_address(uri: str) -> str:
    """Return the address Calendly puts in place of a deleted user's."""
    return f"{last_segment(uri).lower()}@deleted.calendly.com"
