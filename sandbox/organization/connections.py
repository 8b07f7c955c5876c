"""What users have connected to Calendly: calendars and conference providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandbox.organization.locations import CONFERENCES, PLACES
from sandbox.organization.state import Record, State, find, life_event
from sandbox.organization.timestamps import in_utc, to_timestamp

if TYPE_CHECKING:
    from datetime import datetime


@life_event
def block_time(
    state: State,
    *,
    user: str,
    start: datetime,
    end: datetime,
    kind: Literal["external", "reserved"] = "external",
) -> None:
    """Make a user busy: by an entry in their calendar (external), or by time held for them."""
    find(state.users, user, "user")
    if kind not in ("external", "reserved"):
        message = f"time is blocked as external or reserved, not as {kind!r}"
        raise ValueError(message)
    if in_utc(end) <= in_utc(start):
        message = f"what begins at {start.isoformat()} cannot end at {end.isoformat()}"
        raise ValueError(message)
    busy = {"type": kind, "start_time": to_timestamp(start), "end_time": to_timestamp(end)}
    state.busy_times.setdefault(user, []).append(busy)


@life_event
def unblock_time(state: State, *, user: str, start: datetime) -> None:
    """Free all blocked time that begins at ``start``."""
    blocked = state.busy_times.get(user, [])
    kept = [one for one in blocked if one["start_time"] != to_timestamp(start)]
    if len(kept) == len(blocked):
        message = f"{user} has no blocked time at {start.isoformat()}"
        raise ValueError(message)
    state.busy_times[user] = kept


@life_event
def lose_calendar(state: State, *, user: str) -> None:
    """Make a user's calendar unreachable: their busy times answer with 424."""
    find(state.users, user, "user")
    state.lost_calendars.add(user)


@life_event
def find_calendar(state: State, *, user: str) -> None:
    """Make a user's calendar reachable again."""
    if user not in state.lost_calendars:
        message = f"the calendar of {user} is within reach"
        raise ValueError(message)
    state.lost_calendars.remove(user)


@life_event
def connect_conference(state: State, *, user: str, kind: str) -> None:
    """Connect a conference provider, such as ``zoom_conference``."""
    find(state.users, user, "user")
    if kind not in CONFERENCES:
        message = f"Calendly knows no conferences of kind {kind!r}"
        raise ValueError(message)
    state.conferences.setdefault(user, {})[kind] = True


@life_event
def disconnect_conference(state: State, *, user: str, kind: str, forget: bool = False) -> None:
    """Disconnect a conference provider; unless forgotten, it stays listed as not connected."""
    connected = state.conferences.get(user, {})
    if not connected.get(kind):
        message = f"{user} has not connected {kind!r}"
        raise ValueError(message)
    if forget:
        del connected[kind]
    else:
        connected[kind] = False


def meeting_places(state: State, user: str) -> list[Record]:
    """Return where a user can meet: any kind of place, and the conferences they connected."""
    return [
        *({"kind": kind} for kind in PLACES),
        *(
            {"kind": kind, "connected": connected}
            for kind, connected in state.conferences.get(user, {}).items()
        ),
    ]
