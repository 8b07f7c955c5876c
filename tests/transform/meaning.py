"""What an organization's records mean: its bookings, meetings and submissions, in plain Python.

Nothing here reads a database or resembles the models' SQL, so that the two can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.organization.timestamps import from_timestamp

if TYPE_CHECKING:
    from sandbox.organization.calendly import Calendly
    from tests.singer import Row

Rows = Mapping[str, Mapping[str, "Row"]]
"""Records by stream and URI."""


class Booking(NamedTuple):
    """A booking with all its reschedules."""

    event_type_name: str | None
    outcome: str
    canceled_by: str | None
    booked_at: datetime
    first_starts_at: datetime
    starts_at: datetime
    reschedules: int
    source: str | None
    campaign: str | None
    timezone: str | None
    answers: frozenset[tuple[str, str]]
    revenue: Decimal | None
    currency: str | None

    @property
    def is_past(self) -> bool:
        """Whether it was held, or the invitee did not come."""
        return self.outcome in {"held", "no-show"}


class Meeting(NamedTuple):
    """A meeting; its hosts are URIs, each with the time that it takes with buffers."""

    team_name: str | None
    starts_at: datetime
    length: timedelta
    outcome: str
    active_invitees: int
    hosts: tuple[tuple[str, timedelta], ...]


class Submission(NamedTuple):
    """A submission of a routing form, with the booking that followed."""

    form_name: str | None
    result_type: str | None
    until_booking: timedelta | None


def records(calendly: Calendly, before: Rows | None = None) -> dict[str, dict[str, Row]]:
    """Return an organization's records as they are now, and those `before` that are gone."""
    found: dict[str, dict[str, Row]] = {name: dict(rows) for name, rows in (before or {}).items()}
    for name, rows in {**calendly.truth(), **calendly.more_truth()}.items():
        found.setdefault(name, {}).update({row["uri"]: row for row in rows if "uri" in row})
    return found


class Meaning:
    """What records mean at a time.

    Attributes:
        now: That time; has an offset.
        zone: Whose days and weeks count.
    """

    def __init__(self, rows: Rows, now: datetime, zone: str = "UTC") -> None:
        """Work out all bookings, meetings and submissions."""
        self.now, self.zone = now, ZoneInfo(zone)
        self._rows = rows
        self._invitees: dict[str, list[Row]] = defaultdict(list)
        for invitee in rows["event_invitees"].values():
            self._invitees[invitee["event"]].append(invitee)
        self._groups = self._groups_of_users()
        self.meetings = [self._meeting(row) for row in rows["scheduled_events"].values()]
        self._booking_of: dict[str, Booking] = {}
        self._bookings_from: dict[str, list[Booking]] = defaultdict(list)
        self.bookings = [self._booking(first, tree) for first, tree in self._trees()]
        self.submissions = [
            self._submission(row) for row in rows["routing_form_submissions"].values()
        ]

    def host_name(self, uri: str) -> str | None:
        """Return the name of a host: a member's own, else the one in their newest meeting."""
        for membership in self._rows["organization_memberships"].values():
            if membership["user"]["uri"] == uri:
                return str(membership["user"]["name"])
        names = [
            (event["start_time"], host["user_name"])
            for event in self._rows["scheduled_events"].values()
            for host in event["event_memberships"]
            if host["user"] == uri
        ]
        return max(names)[1] if names else None

    def _meeting(self, row: Row) -> Meeting:
        starts_at, ends_at = from_timestamp(row["start_time"]), from_timestamp(row["end_time"])
        invitees = self._invitees[row["uri"]]
        if row["status"] == "active":
            outcome = "held" if starts_at <= self.now else "upcoming"
        else:
            moved = bool(invitees) and all(one["rescheduled"] for one in invitees)
            outcome = "rescheduled" if moved else "canceled"
        return Meeting(
            self._team_name(row),
            starts_at,
            ends_at - starts_at,
            outcome,
            sum(one["status"] == "active" for one in invitees),
            tuple(
                (
                    host["user"],
                    from_timestamp(host["buffered_end_time"] or row["end_time"])
                    - from_timestamp(host["buffered_start_time"] or row["start_time"]),
                )
                for host in row["event_memberships"]
                if host["user"]
            ),
        )

    def _team_name(self, meeting: Row) -> str | None:
        profile = self._rows["event_types"].get(meeting["event_type"], {}).get("profile")
        if profile and profile["type"] == "Team":
            return str(profile["name"])
        hosts = [host["user"] for host in meeting["event_memberships"] if host["user"]]
        groups = self._groups.get(hosts[0], []) if hosts else []
        return min(groups, default=None)

    def _groups_of_users(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for place in self._rows["group_relationships"].values():
            if place["owner"]["type"] == "OrganizationMembership":
                group = self._rows["groups"][place["group"]]
                found[place["owner"]["user"]["uri"]].append(group["name"])
        return dict(found)

    def _event_type_name(self, meeting: Row) -> str | None:
        event_type = self._rows["event_types"].get(meeting["event_type"], {})
        name: str | None = event_type.get("name") or meeting["name"]
        return name

    def _trees(self) -> Iterator[tuple[Row, Mapping[str, list[Row]]]]:
        """Yield the first invitee of each booking, with who came after whom."""
        invitees = self._rows["event_invitees"]
        after: dict[str, list[Row]] = defaultdict(list)
        firsts = []
        for invitee in invitees.values():
            older = invitees.get(invitee["old_invitee"])
            if older is not None and older["created_at"] < invitee["created_at"]:
                after[older["uri"]].append(invitee)
            else:
                firsts.append(invitee)
        return ((first, after) for first in firsts)

    def _booking(self, first: Row, after: Mapping[str, list[Row]]) -> Booking:
        branches = list(_branches([first], after))
        chain = max(branches, key=lambda one: (len(one), one[-1]["created_at"], one[-1]["uri"]))
        everyone = {one["uri"]: one for branch in branches for one in branch}
        last = chain[-1]
        meeting = self._rows["scheduled_events"][last["event"]]
        starts_at = from_timestamp(meeting["start_time"])
        outcome = self._outcome(last, starts_at)
        booking = Booking(
            self._event_type_name(meeting),
            outcome,
            last["cancellation"]["canceler_type"] if outcome == "canceled" else None,
            from_timestamp(first["created_at"]),
            from_timestamp(self._rows["scheduled_events"][first["event"]]["start_time"]),
            starts_at,
            len(chain) - 1,
            first["tracking"]["utm_source"],
            first["tracking"]["utm_campaign"],
            last["timezone"],
            frozenset(
                (one["question"], one["answer"])
                for one in last["questions_and_answers"]
                if one["answer"]
            ),
            *_revenue(sorted(everyone.values(), key=lambda one: (one["created_at"], one["uri"]))),
        )
        self._booking_of.update(dict.fromkeys(everyone, booking))
        forms = (one["routing_form_submission"] for one in chain)
        if submission := next(filter(None, forms), None):
            self._bookings_from[submission].append(booking)
        return booking

    def _outcome(self, invitee: Row, starts_at: datetime) -> str:
        if invitee["status"] == "canceled":
            return "canceled"
        if invitee["no_show"]:
            return "no-show"
        return "held" if starts_at <= self.now else "upcoming"

    def _submission(self, row: Row) -> Submission:
        booking = self._booking_of.get(row["submitter"])
        if booking is None:
            booked = self._bookings_from[row["uri"]]
            booking = min(booked, key=lambda one: one.booked_at) if booked else None
        return Submission(
            self._rows["routing_forms"].get(row["routing_form"], {}).get("name"),
            (row.get("result") or {}).get("type"),
            None if booking is None else booking.booked_at - from_timestamp(row["created_at"]),
        )


def _branches(chain: list[Row], after: Mapping[str, list[Row]]) -> Iterator[list[Row]]:
    """Yield all ways from the first invitee to one that nobody came after."""
    following = after.get(chain[-1]["uri"], [])
    if not following:
        yield chain
    for invitee in following:
        yield from _branches([*chain, invitee], after)


def _revenue(invitees: list[Row]) -> tuple[Decimal | None, str | None]:
    """Return what invitees, oldest first, paid in the currency of the last payment."""
    paid = [one["payment"] for one in invitees if one["payment"] and one["payment"]["successful"]]
    if not paid:
        return None, None
    currency = paid[-1]["currency"]
    amounts = {
        one["external_id"]: Decimal(str(one["amount"]))
        for one in paid
        if one["currency"] == currency
    }
    return sum(amounts.values(), Decimal()), currency
