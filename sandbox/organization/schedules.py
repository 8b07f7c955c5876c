"""Availability schedules of users, and which one each of their event types follows.

None of these records has a timestamp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.organization.event_types import offered, require_host
from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Rules = Sequence[Mapping[str, Any]]

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
DAYS_OFF = ("sunday", "saturday")


@life_event
def add_schedule(
    state: State,
    *,
    user: str,
    name: str,
    rules: Rules | None = None,
    timezone: str | None = None,
) -> str:
    """Give a user another schedule; office hours in their own time zone by default.

    Rules look like ``{"type": "wday", "wday": "monday", "intervals": [{"from": "09:00", "to":
    "17:00"}]}`` or ``{"type": "date", "date": "2026-12-24", "intervals": []}``.
    """
    zone = find(state.users, user, "user")["timezone"] if timezone is None else timezone
    return _new_schedule(state, user, name, zone, default=False, rules=rules)


@life_event
def edit_schedule(
    state: State,
    *,
    schedule: str,
    name: str | None = None,
    rules: Rules | None = None,
    timezone: str | None = None,
) -> None:
    """Change a schedule; what is left out stays."""
    record = find(state.schedules, schedule, "schedule")
    changes = {"name": name, "rules": rules and _copied(rules), "timezone": timezone}
    record.update({key: value for key, value in changes.items() if value is not None})


@life_event
def make_default(state: State, *, schedule: str) -> None:
    """Make a schedule its user's default one."""
    user = find(state.schedules, schedule, "schedule")["user"]
    for record in schedules_of(state, user):
        record["default"] = record["uri"] == schedule


@life_event
def delete_schedule(state: State, *, schedule: str) -> None:
    """Delete a schedule other than the default, which what followed it then follows."""
    if find(state.schedules, schedule, "schedule")["default"]:
        message = f"the schedule {schedule} is its user's default one"
        raise ValueError(message)
    del state.schedules[schedule]
    for key, hours in list(state.event_type_hours.items()):
        if hours.get("schedule") == schedule:
            del state.event_type_hours[key]


@life_event
def set_hours(
    state: State,
    *,
    event_type: str,
    user: str,
    schedule: str | None = None,
    rules: Rules | None = None,
) -> None:
    """Let a host's event type follow one of their schedules, or rules of its own.

    With neither, it follows the host's default schedule again.
    """
    offered(state, event_type)
    require_host(state, event_type, user)
    if schedule is not None and rules is not None:
        message = "an event type follows a schedule or has rules of its own, not both"
        raise ValueError(message)
    if schedule is None and rules is None:
        state.event_type_hours.pop((event_type, user), None)
    elif rules is not None:
        state.event_type_hours[event_type, user] = {"rules": _copied(rules)}
    else:
        find(state.schedules, str(schedule), "schedule")
        state.event_type_hours[event_type, user] = {"schedule": schedule}


def add_default(state: State, user: str) -> None:
    """Give a new user the schedule that every user starts with."""
    _new_schedule(state, user, "Working hours", state.users[user]["timezone"], default=True)


def schedules_of(state: State, user: str) -> list[Record]:
    """Return the user's schedules."""
    return [one for one in state.schedules.values() if one["user"] == user]


def hours(state: State, event_type: str) -> list[Record]:
    """Return an event type's hours as the API returns them: one row for each host."""
    return [
        {
            "event_type": event_type,
            "availability_setting": "host",
            "availability_rule": _rule(state, event_type, one["member"]),
        }
        for one in state.event_type_memberships.values()
        if one["event_type"] == event_type
    ]


def followers(state: State, schedule: str) -> set[str]:
    """Return the URIs of the event types that follow a schedule."""
    return {
        one["event_type"]
        for one in state.event_type_memberships.values()
        if _rule(state, one["event_type"], one["member"]).get("uri") == schedule
    }


def _rule(state: State, event_type: str, user: str) -> Record:
    """Return when a host offers an event type; there is a URI only if it follows a schedule."""
    hours = state.event_type_hours.get((event_type, user), {})
    if "rules" in hours:
        zone = state.users[user]["timezone"]
        return {"timezone": zone, "name": None, "user": user, "rules": hours["rules"]}
    schedule = hours.get("schedule")
    followed = next(
        one
        for one in schedules_of(state, user)
        if (one["default"] if schedule is None else one["uri"] == schedule)
    )
    return {key: followed[key] for key in ("timezone", "uri", "name", "user", "rules")}


def _new_schedule(
    state: State, user: str, name: str, timezone: str, *, default: bool, rules: Rules | None = None
) -> str:
    uri = state.identifiers.new_uri("user_availability_schedules", user, name)
    state.schedules[uri] = {
        "uri": uri,
        "default": default,
        "name": name,
        "user": user,
        "timezone": timezone,
        "rules": _office_hours() if rules is None else _copied(rules),
    }
    return uri


def _office_hours() -> list[Record]:
    """Return the rules for nine to five, Monday to Friday."""
    return [
        {
            "type": "wday",
            "wday": day,
            "intervals": [] if day in DAYS_OFF else [{"from": "09:00", "to": "17:00"}],
        }
        for day in WEEKDAYS
    ]


def _copied(rules: Rules) -> list[Record]:
    return [
        {**rule, "intervals": [dict(one) for one in rule.get("intervals", ())]} for rule in rules
    ]
