"""When users are busy, and when an event type can be booked.

Both are computed from schedules, meetings and calendars when asked for.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.organization.schedules import WEEKDAYS, hours
from sandbox.organization.state import Record, State, find
from sandbox.organization.timestamps import from_timestamp, to_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

DAY = timedelta(days=1)


def busy(state: State, user: str, start: datetime, end: datetime) -> list[Record]:
    """Return a user's busy times that end after ``start`` and begin before ``end``, in order."""
    own = (
        {
            "type": "calendly",
            "start_time": event["start_time"],
            "end_time": event["end_time"],
            "buffered_start_time": membership["buffered_start_time"],
            "buffered_end_time": membership["buffered_end_time"],
            "event": {"uri": event["uri"]},
        }
        for event in state.events.values()
        if event["status"] == "active"
        for membership in event["event_memberships"]
        if membership["user"] == user
    )
    after, before = to_timestamp(start), to_timestamp(end)
    rows = (
        one
        for one in (*own, *state.busy_times.get(user, ()))
        if one["end_time"] > after and one["start_time"] < before
    )
    return sorted(rows, key=lambda one: one["start_time"])


def openings(state: State, event_type: str, start: datetime, end: datetime) -> list[Record]:
    """Return the times from ``start`` to before ``end`` at which an event type can be booked."""
    offered = find(state.event_types, event_type, "event type")
    if not offered["active"]:
        return []
    rules = [one["availability_rule"] for one in hours(state, event_type)]
    free = [set(_free(state, offered, rule, start, end)) for rule in rules]
    if not free:
        return []
    together = offered["pooling_type"] == "collective"
    starts = set.intersection(*free) if together else set.union(*free)
    seats = _seats_taken(state, event_type)
    limit = state.event_type_limits[event_type]
    # A meeting of a group event type that exists already can be joined whatever the hours.
    starts |= {from_timestamp(at) for at in seats}
    remaining = {at: limit - seats.get(to_timestamp(at), 0) for at in starts}
    return [
        {
            "status": "available",
            "invitees_remaining": remaining[at],
            "start_time": to_timestamp(at),
            "scheduling_url": f"{offered['scheduling_url']}/{at:%Y-%m-%dT%H:%M:%SZ}",
        }
        for at in sorted(remaining)
        if remaining[at] > 0 and start <= at < end
    ]


def _free(
    state: State, offered: Record, rule: Record, start: datetime, end: datetime
) -> Iterator[datetime]:
    """Yield when one host could begin a meeting: within their hours, and not busy."""
    zone = ZoneInfo(rule["timezone"])
    length = timedelta(minutes=offered["duration"])
    step = timedelta(minutes=offered["start_time_increment"] or offered["duration"])
    before = timedelta(minutes=offered["before_buffer"])
    after = timedelta(minutes=offered["after_buffer"])
    taken = [
        [
            from_timestamp(one.get(f"buffered_{key}") or one[key])
            for key in ("start_time", "end_time")
        ]
        for one in busy(state, rule["user"], start - DAY, end + DAY)
    ]
    day = start.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        for opens, closes in _intervals(rule, day, zone):
            at = opens
            while at + length <= closes:
                if not any(
                    at - before < late and at + length + after > early for early, late in taken
                ):
                    yield at
                at += step
        day += DAY


def _seats_taken(state: State, event_type: str) -> dict[str, int]:
    """Return the active invitees of a group event type's meetings, by start time."""
    if state.event_types[event_type]["kind"] != "group":
        return {}
    return {
        event["start_time"]: event["invitees_counter"]["active"]
        for event in state.events.values()
        if (event["event_type"], event["status"]) == (event_type, "active")
    }


def _intervals(rule: Record, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield a day's open intervals (UTC): a rule for the date goes before its weekday's."""
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
