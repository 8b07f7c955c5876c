"""Every version of every row, and when a run has to show it by docs/guarantees.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tap_calendly.timestamps import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_calendly.settings import InviteeRechecks
    from tests.singer import Row, Tables

    Due = Callable[[datetime, datetime, InviteeRechecks], bool]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Version:
    """A row after a change, and from when on a run has to show it.

    Attributes:
        row: The row; None once it is deleted.
        is_due: Whether a later run has to show it, given the times (UTC) at which the run and the
            last full scan began, and the run's `invitee_rechecks`.
        kind: The kind of change, for the statistics.
    """

    row: Row | None
    is_due: Due
    kind: str


class Chronicle:
    """Every version of every row.

    Attributes:
        versions: By stream and key, oldest first.
    """

    def __init__(self, lookback: timedelta) -> None:
        """Start empty; `lookback` is the setting `lookback_days`."""
        self.versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self._lookback = lookback
        self._tables: Tables = {}

    def observe(self, tables: Tables, now: datetime) -> None:
        """Record what has changed in the tables, as they are now (UTC)."""
        for stream, rows in tables.items():
            before = self._tables.get(stream, {})
            for uri in before.keys() | rows.keys():
                row = rows.get(uri)
                if row != before.get(uri):
                    kind, is_due = self._due(stream, row, before.get(uri), tables, now)
                    versions = self.versions[stream, uri]
                    if stream == "event_types" and row is not None and row["deleted_at"]:
                        is_due = _after_full_scan(now)
                        # No list has it any more, in any version.
                        versions[:] = [Version(one.row, is_due, kind) for one in versions]
                    versions.append(Version(row, is_due, kind))
        self._tables = tables

    def _due(
        self, stream: str, row: Row | None, before: Row | None, tables: Tables, now: datetime
    ) -> tuple[str, Due]:
        """Return the kind of a change, and when it is due."""
        if stream == "scheduled_events" and row is not None:
            return stream, self._due_with_event(row, now)
        if stream == "event_invitees" and row is not None:
            event = tables["scheduled_events"][row["event"]]
            known = self._tables.get("scheduled_events", {}).get(row["event"])
            if known is None or known["updated_at"] != event["updated_at"]:
                return "an invitee with the meeting", self._due_with_event(event, now)
            return self._due_alone(event, now)
        if row is None and stream in {"scheduled_events", "event_invitees", "event_types"}:
            return stream, _never  # a deleted row stays in these tables
        if stream == "routing_form_submissions" and row is not None and before is not None:
            recent = now - parse(row["created_at"]) <= self._lookback
            return stream, _at_once if recent else _never
        return stream, _at_once

    def _due_with_event(self, event: Row, now: datetime) -> Due:
        if parse(event["start_time"]) >= now - self._lookback:
            return _at_once
        return _after_full_scan(now)

    def _due_alone(self, event: Row, now: datetime) -> tuple[str, Due]:
        """Return when an invitee's change that leaves the event's timestamp alone is due."""
        start, age = parse(event["start_time"]), now - parse(event["start_time"])
        shared = event["invitees_counter"]["limit"] != 1
        if event["status"] != "active":
            return "an invitee of a canceled meeting", self._due_if_canceled(event, now)
        if age > self._lookback:
            return "an invitee of an older meeting", self._once_found(event, start + 2 * age)
        if age >= timedelta(0):
            kind = f"an invitee of a recent {'group' if shared else 'one-to-one'} meeting"
            return kind, _by_mode(every_run=now, doubling=start + max(2 * age, HOUR))
        if age < -DAY:
            when, due, with_doubling = "more than a day before", start - DAY, start - DAY
        else:
            when, due, with_doubling = "less than a day before", start, start + HOUR
        if not shared:
            kind = f"an invitee {when} a one-to-one meeting"
            return kind, _by_mode(every_run=due, doubling=with_doubling)
        updated = parse(event["updated_at"])
        doubled = updated + max(2 * (now - updated), HOUR)
        kind = f"an invitee {when} a group meeting"
        return kind, _by_mode(every_run=now, doubling=min(doubled, with_doubling))

    def _due_if_canceled(self, event: Row, now: datetime) -> Due:
        """Return when the time since the last change has doubled and a sweep lists the meeting."""
        start, updated = parse(event["start_time"]), parse(event["updated_at"])
        doubled = updated + max(2 * (now - updated), self._lookback)
        listed, age = doubled, self._lookback
        if doubled > start + self._lookback:
            while start + age < doubled:
                age *= 2
            listed = start + age
        in_band = self._once_found(event, listed)
        return lambda began, full_scan, mode: (
            full_scan >= doubled or in_band(began, full_scan, mode)
        )

    def _once_found(self, event: Row, due: datetime) -> Due:
        """Return that a change is due from a time on, once the meeting has been found."""
        booked = parse(event["created_at"])
        if booked > parse(event["start_time"]) + self._lookback:  # only a full scan finds it
            return lambda began, full_scan, _: began >= due and full_scan >= booked
        return lambda began, *_: began >= due


def _at_once(*_: object) -> bool:
    return True


def _never(*_: object) -> bool:
    return False


def _after_full_scan(changed: datetime) -> Due:
    return lambda _, full_scan, __: full_scan >= changed


def _by_mode(**due: datetime) -> Due:
    # A change that was made before a run in the same second is due in it.
    return lambda began, _, mode: began >= due[mode].replace(microsecond=0)
