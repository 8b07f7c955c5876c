"""When people are willing to meet: their schedules, and the hours of their event types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from sandbox.event_types import EventTypes
from sandbox.state import Record, known, life

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Rules = Sequence[Mapping[str, Any]]

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
DAYS_OFF = ("sunday", "saturday")


class Schedules(EventTypes):
    """The availability schedules of users, and which of them their event types follow.

    None of these records has a timestamp.
    """

    @life
    def add_schedule(
        self, *, user: str, name: str, rules: Rules | None = None, timezone: str | None = None
    ) -> str:
        """Give a user a schedule beside the one he has had from the beginning.

        Args:
            user: The user's URI.
            name: The schedule's name.
            rules: Such as ``{"type": "wday", "wday": "monday", "intervals": [{"from": "09:00",
                "to": "17:00"}]}`` or ``{"type": "date", "date": "2026-12-24", "intervals": []}``;
                office hours if left out.
            timezone: The IANA name of the time zone they are in; the user's own if left out.

        Returns:
            The schedule's URI.

        Raises:
            ValueError: If there is no such user.
        """
        zone = known(self.users, user, "user")["timezone"] if timezone is None else timezone
        return self._new_schedule(user, name, zone, default=False, rules=rules)

    @life
    def edit_schedule(
        self,
        *,
        schedule: str,
        name: str | None = None,
        rules: Rules | None = None,
        timezone: str | None = None,
    ) -> None:
        """Change a schedule: what is left out stays.

        Raises:
            ValueError: If there is no such schedule.
        """
        record = known(self.schedules, schedule, "schedule")
        changes = {"name": name, "rules": rules and _copied(rules), "timezone": timezone}
        record.update({key: value for key, value in changes.items() if value is not None})

    @life
    def make_default(self, *, schedule: str) -> None:
        """Make a schedule its user's default one, in place of the one that was.

        Raises:
            ValueError: If there is no such schedule.
        """
        user = known(self.schedules, schedule, "schedule")["user"]
        for record in self.schedules_of(user):
            record["default"] = record["uri"] == schedule

    @life
    def delete_schedule(self, *, schedule: str) -> None:
        """Delete a schedule: it vanishes, and what followed it follows the default one.

        Raises:
            ValueError: If there is no such schedule, or it is its user's default one.
        """
        if known(self.schedules, schedule, "schedule")["default"]:
            message = f"the schedule {schedule} is its user's default one"
            raise ValueError(message)
        del self.schedules[schedule]
        for key, hours in list(self.event_type_hours.items()):
            if hours.get("schedule") == schedule:
                del self.event_type_hours[key]

    @life
    def set_hours(
        self,
        *,
        event_type: str,
        user: str,
        schedule: str | None = None,
        rules: Rules | None = None,
    ) -> None:
        """Let a host offer an event type at other hours than his default ones.

        Args:
            event_type: The event type's URI.
            user: The URI of the host.
            schedule: The URI of his schedule to follow, or
            rules: hours of its own; without either, his default schedule again.

        Raises:
            ValueError: If there is no such event type or schedule, he does not host it, or both
                are given.
        """
        self._offered(event_type)
        if user not in self.event_type_hosts[event_type]:
            message = f"{user} does not host the event type {event_type}"
            raise ValueError(message)
        if schedule is not None and rules is not None:
            message = "an event type follows a schedule or has rules of its own, not both"
            raise ValueError(message)
        if schedule is None and rules is None:
            self.event_type_hours.pop((event_type, user), None)
        elif rules is not None:
            self.event_type_hours[event_type, user] = {"rules": _copied(rules)}
        else:
            known(self.schedules, str(schedule), "schedule")
            self.event_type_hours[event_type, user] = {"schedule": schedule}

    @life
    @override
    def delete_user(self, *, user: str) -> None:
        super().delete_user(user=user)
        for schedule in self.schedules_of(user):
            del self.schedules[schedule["uri"]]

    def schedules_of(self, user: str) -> list[Record]:
        """Return the user's schedules."""
        return [one for one in self.schedules.values() if one["user"] == user]

    def hours(self, event_type: str) -> list[Record]:
        """Return the hours of an event type as the API tells them: of each host."""
        return [
            {
                "event_type": event_type,
                "availability_setting": "host",
                "availability_rule": self._rule(event_type, one["member"]),
            }
            for one in self.event_type_memberships.values()
            if one["event_type"] == event_type
        ]

    def followers(self, schedule: str) -> set[str]:
        """Return the URIs of the event types that follow a schedule."""
        return {
            one["event_type"]
            for one in self.event_type_memberships.values()
            if self._rule(one["event_type"], one["member"]).get("uri") == schedule
        }

    def _rule(self, event_type: str, user: str) -> Record:
        """Return when a host offers an event type; only what follows a schedule has a URI."""
        hours = self.event_type_hours.get((event_type, user), {})
        if "rules" in hours:
            zone = self.users[user]["timezone"]
            return {"timezone": zone, "name": None, "user": user, "rules": hours["rules"]}
        schedule = hours.get("schedule")
        followed = next(
            one
            for one in self.schedules_of(user)
            if (one["default"] if schedule is None else one["uri"] == schedule)
        )
        return {key: followed[key] for key in ("timezone", "uri", "name", "user", "rules")}

    def _new_schedule(
        self, user: str, name: str, timezone: str, *, default: bool, rules: Rules | None = None
    ) -> str:
        uri = self.identifiers.new_uri("user_availability_schedules", user, name)
        self.schedules[uri] = {
            "uri": uri,
            "default": default,
            "name": name,
            "user": user,
            "timezone": timezone,
            "rules": _office_hours() if rules is None else _copied(rules),
        }
        return uri

    @override
    def _arrive(self, user: str) -> None:
        super()._arrive(user)
        self._new_schedule(user, "Working hours", self.users[user]["timezone"], default=True)


def _office_hours() -> list[Record]:
    """Return the rules that every user begins with: nine to five, from Monday to Friday."""
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
