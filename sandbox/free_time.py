"""The time to come: when people are busy, and when an event type can be booked.

Nothing of it is kept: it follows from schedules, meetings and calendars whenever it is asked for.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.connections import Connections
from sandbox.identifiers import parsed, rendered
from sandbox.schedules import WEEKDAYS, Schedules
from sandbox.state import Record, known

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

DAY = timedelta(days=1)


class FreeTime(Schedules, Connections):
    """What can be told of the time to come."""

    def busy(self, user: str, start: datetime, end: datetime) -> list[Record]:
        """Return when a user is busy, in the order of time.

        Args:
            user: The user's URI.
            start: Only what ends after.
            end: Only what starts before.
        """
        own = (
            {
                "type": "calendly",
                "start_time": event["start_time"],
                "end_time": event["end_time"],
                "buffered_start_time": membership["buffered_start_time"],
                "buffered_end_time": membership["buffered_end_time"],
                "event": {"uri": event["uri"]},
            }
            for event in self.events.values()
            if event["status"] == "active"
            for membership in event["event_memberships"]
            if membership["user"] == user
        )
        after, before = rendered(start), rendered(end)
        rows = (
            one
            for one in (*own, *self.busy_times.get(user, ()))
            if one["end_time"] > after and one["start_time"] < before
        )
        return sorted(rows, key=lambda one: one["start_time"])

    def openings(self, event_type: str, start: datetime, end: datetime) -> list[Record]:
        """Return the times at which an event type can be booked, in their order.

        Args:
            event_type: The event type's URI.
            start: Not before.
            end: Before.

        Raises:
            ValueError: If there is no such event type.
        """
        offered = known(self.event_types, event_type, "event type")
        if not offered["active"]:
            return []
        hosts = [one["availability_rule"] for one in self.hours(event_type)]
        free = [set(self._free(offered, rule, start, end)) for rule in hosts]
        if not free:
            return []
        together = offered["pooling_type"] == "collective"
        moments = set.intersection(*free) if together else set.union(*free)
        seats = self._seats_taken(event_type)
        limit = self.event_type_limits[event_type]
        remaining = {at: limit - seats.get(rendered(at), 0) for at in moments | _joinable(seats)}
        return [
            {
                "status": "available",
                "invitees_remaining": remaining[at],
                "start_time": rendered(at),
                "scheduling_url": f"{offered['scheduling_url']}/{at:%Y-%m-%dT%H:%M:%SZ}",
            }
            for at in sorted(remaining)
            if remaining[at] > 0 and start <= at < end
        ]

    def _free(
        self, offered: Record, rule: Record, start: datetime, end: datetime
    ) -> Iterator[datetime]:
        """Yield when one host could begin a meeting: within his hours, and not busy meanwhile."""
        zone = ZoneInfo(rule["timezone"])
        length = timedelta(minutes=offered["duration"])
        step = timedelta(minutes=offered["start_time_increment"] or offered["duration"])
        before = timedelta(minutes=offered["before_buffer"])
        after = timedelta(minutes=offered["after_buffer"])
        busy = [
            [parsed(one.get(f"buffered_{key}") or one[key]) for key in ("start_time", "end_time")]
            for one in self.busy(rule["user"], start - DAY, end + DAY)
        ]
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            for opens, closes in _intervals(rule, day, zone):
                at = opens
                while at + length <= closes:
                    if not any(
                        at - before < late and at + length + after > early for early, late in busy
                    ):
                        yield at
                    at += step
            day += DAY

    def _seats_taken(self, event_type: str) -> dict[str, int]:
        """Return how many take part in the meetings of a group event type, by their start."""
        if self.event_types[event_type]["kind"] != "group":
            return {}
        return {
            event["start_time"]: event["invitees_counter"]["active"]
            for event in self.events.values()
            if (event["event_type"], event["status"]) == (event_type, "active")
        }


def _joinable(seats: dict[str, int]) -> set[datetime]:
    """Return the starts of meetings that there are already: they can be joined."""
    return {parsed(start) for start in seats}


def _intervals(rule: Record, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield from when to when a day is open (UTC): a date's own rule goes before its weekday's."""
    weekday = WEEKDAYS[day.isoweekday() % 7]
    rules = [one for one in rule["rules"] if one.get("date") == day.isoformat()] or [
        one for one in rule["rules"] if one.get("wday") == weekday
    ]
    for one in rules:
        for interval in one["intervals"]:
            opens, closes = (
                datetime.combine(day, time.fromisoformat(interval[key]), zone).astimezone(
                    timezone.utc
                )
                for key in ("from", "to")
            )
            yield opens, closes
