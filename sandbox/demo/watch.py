"""Watches how long a change in Calendly takes to show in the tables; nothing here is I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.organization.calendly import Calendly


class Invitee(NamedTuple):
    """What webhooks tell of an invitee."""

    uri: str
    status: str
    updated_at: str
    no_show: str | None


class Meeting(NamedTuple):
    """What webhooks tell of a meeting; its invitees are in the order of their URIs."""

    status: str
    updated_at: str
    invitees: tuple[Invitee, ...]


Meetings: TypeAlias = dict[str, Meeting]
"""Meetings by URI."""


class Change(NamedTuple):
    """Something that happened in Calendly.

    Attributes:
        at: When, by Calendly's clock.
        what: A sentence.
        meetings: The meetings that it changed, as they were then.
    """

    at: datetime
    what: str
    meetings: Meetings


@dataclass
class Watched:
    """A change, and when it showed.

    Attributes:
        since: When it happened, in the computer's seconds.
        versions: Which version of each meeting it left, by URI.
        delay: After how many seconds the tables showed it; None as long as they do not.
    """

    change: Change
    since: float
    versions: dict[str, int]
    delay: float | None = None


class Watch:
    """All changes so far, and which of them the tables show.

    Attributes:
        changes: In the order in which they happened.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.changes: list[Watched] = []
        self._versions: dict[str, list[Meeting]] = {}

    def add(self, change: Change, now: float) -> Watched:
        """Watch for a change that happened just now."""
        versions = {}
        for uri, meeting in change.meetings.items():
            known = self._versions.setdefault(uri, [])
            versions[uri] = len(known)
            known.append(meeting)
        self.changes.append(Watched(change, now, versions))
        return self.changes[-1]

    def look(self, tables: Meetings, now: float) -> list[Watched]:
        """Tick off what the tables show, and return it."""
        shown = [one for one in self.changes if one.delay is None and self._shows(one, tables)]
        for one in shown:
            one.delay = now - one.since
        return shown

    def _shows(self, watched: Watched, tables: Meetings) -> bool:
        """Tell whether each meeting is in the tables as it was left, or as a later change did."""
        return all(
            tables.get(uri) in self._versions[uri][version:]
            for uri, version in watched.versions.items()
        )

    def delay(self, share: float) -> float | None:
        """Return the delay within which a share of the changes showed; None before any did."""
        delays = sorted(one.delay for one in self.changes if one.delay is not None)
        return delays[max(math.ceil(share * len(delays)), 1) - 1] if delays else None


def meetings_in(calendly: Calendly) -> Meetings:
    """Return all meetings as Calendly has them now."""
    with calendly.lock:
        return {uri: meeting_in(calendly, uri) for uri in calendly.events}


def meeting_in(calendly: Calendly, uri: str) -> Meeting:
    """Return a meeting as Calendly has it now."""
    event = calendly.events[uri]
    invitees = (
        Invitee(
            one["uri"],
            one["status"],
            one["updated_at"],
            None if one["no_show"] is None else one["no_show"]["uri"],
        )
        for one in calendly.invitees[uri]
    )
    return Meeting(event["status"], event["updated_at"], tuple(sorted(invitees)))


def counts(meetings: Mapping[str, Meeting]) -> dict[str, int]:
    """Count meetings by status, the seats that are taken, and the no-shows."""
    invitees = [one for meeting in meetings.values() for one in meeting.invitees]
    booked = sum(meeting.status == "active" for meeting in meetings.values())
    return {
        "meetings booked": booked,
        "meetings canceled": len(meetings) - booked,
        "seats taken": sum(one.status == "active" for one in invitees),
        "no-shows": sum(one.no_show is not None for one in invitees),
    }
