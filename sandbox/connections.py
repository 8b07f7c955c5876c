"""What users have connected to Calendly: their calendars and their conference providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandbox.clock import in_utc
from sandbox.identifiers import rendered
from sandbox.locations import CONFERENCES, PLACES
from sandbox.state import Record, State, known, life

if TYPE_CHECKING:
    from datetime import datetime


class Connections(State):
    """The calendars and conference providers of users."""

    @life
    def block_time(
        self,
        *,
        user: str,
        start: datetime,
        end: datetime,
        kind: Literal["external", "reserved"] = "external",
    ) -> None:
        """Let a user be busy with something that is no meeting of Calendly's.

        Args:
            user: The user's URI.
            start: When it begins; aware.
            end: When it ends; aware.
            kind: ``external`` for an entry in his calendar, ``reserved`` for time held for him.

        Raises:
            ValueError: If there is no such user or kind, or it ends before it begins.
        """
        known(self.users, user, "user")
        if kind not in ("external", "reserved"):
            message = f"time is blocked as external or reserved, not as {kind!r}"
            raise ValueError(message)
        if in_utc(end) <= in_utc(start):
            message = f"what begins at {start.isoformat()} cannot end at {end.isoformat()}"
            raise ValueError(message)
        busy = {"type": kind, "start_time": rendered(start), "end_time": rendered(end)}
        self.busy_times.setdefault(user, []).append(busy)

    @life
    def unblock_time(self, *, user: str, start: datetime) -> None:
        """Let a user be free again of all that was to begin at a moment.

        Raises:
            ValueError: If nothing was.
        """
        kept = [
            one for one in self.busy_times.get(user, ()) if one["start_time"] != rendered(start)
        ]
        if len(kept) == len(self.busy_times.get(user, ())):
            message = f"{user} has nothing of his own at {start.isoformat()}"
            raise ValueError(message)
        self.busy_times[user] = kept

    @life
    def lose_calendar(self, *, user: str) -> None:
        """Let a user's calendar be out of reach: his busy times answer with 424.

        Raises:
            ValueError: If there is no such user.
        """
        known(self.users, user, "user")
        self.lost_calendars.add(user)

    @life
    def find_calendar(self, *, user: str) -> None:
        """Let a user's calendar be within reach again.

        Raises:
            ValueError: If it was.
        """
        if user not in self.lost_calendars:
            message = f"the calendar of {user} is within reach"
            raise ValueError(message)
        self.lost_calendars.remove(user)

    @life
    def connect_conference(self, *, user: str, kind: str) -> None:
        """Connect a conference provider, such as ``zoom_conference``.

        Raises:
            ValueError: If there is no such user or kind.
        """
        known(self.users, user, "user")
        if kind not in CONFERENCES:
            message = f"Calendly knows no conferences of kind {kind!r}"
            raise ValueError(message)
        self.conferences.setdefault(user, {})[kind] = True

    @life
    def disconnect_conference(self, *, user: str, kind: str, forget: bool = False) -> None:
        """Disconnect a conference provider.

        Args:
            user: The user's URI.
            kind: Such as ``zoom_conference``.
            forget: Whether it vanishes from his locations, or stays there as not connected.

        Raises:
            ValueError: If he has not connected it.
        """
        connected = self.conferences.get(user, {})
        if not connected.get(kind):
            message = f"{user} has not connected {kind!r}"
            raise ValueError(message)
        if forget:
            del connected[kind]
        else:
            connected[kind] = False

    def meeting_places(self, user: str) -> list[Record]:
        """Return where a user can meet: anywhere, and at the conferences he has connected."""
        return [
            *({"kind": kind} for kind in PLACES),
            *(
                {"kind": kind, "connected": connected}
                for kind, connected in self.conferences.get(user, {}).items()
            ),
        ]
