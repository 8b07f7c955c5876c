"""Every version of every row, and when a run has to show it by docs/guarantees.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tap_calendly.timestamps import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_calendly.state import Rechecks
    from tests.singer import Row, Tables

    Due = Callable[[datetime, datetime, Rechecks], bool]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LAGGING = ("scheduled_events", "event_invitees")
"""The streams that the API may show as they were."""

GROWTH = {"every_run": 2, "doubling": 2, "fourfold": 4}
"""How many times as long it takes until invitees are read again."""


@dataclass(frozen=True)
class Version:
    """A row after a change, and from when on a run has to show it.

    Attributes:
        row: The row; None once it is deleted.
        is_due: Whether a later sweep has to show it, given the times (UTC) at which it and the
            last full scan began, and when it reads invitees again.
        kind: The kind of change, for the statistics.
        shown_from: From when on the API shows it (UTC).
    """

    row: Row | None
    is_due: Due
    kind: str
    shown_from: datetime


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

    def observe(self, tables: Tables, now: datetime, behind_until: datetime | None = None) -> None:
        """Record what has changed in the tables, as they are now (UTC).

        Until `behind_until`, the API shows meetings and invitees as they were before.
        """
        for stream, rows in tables.items():
            before = self._tables.get(stream, {})
            for uri in before.keys() | rows.keys():
                row = rows.get(uri)
                if row != before.get(uri):
                    shown_from = now if stream not in LAGGING else behind_until or now
                    kind, is_due = self._due(
                        stream, row, before.get(uri), tables, shown_from, behind=shown_from > now
                    )
                    versions = self.versions[stream, uri]
                    if stream == "event_types" and row is not None and row["deleted_at"]:
                        is_due = _after_full_scan(now)
                        # No list has it any more, in any version.
                        versions[:] = [replace(one, is_due=is_due, kind=kind) for one in versions]
                    versions.append(Version(row, is_due, kind, shown_from))
        self._tables = tables

    def _due(  # noqa: PLR0913 - what a change is told by
        self,
        stream: str,
        row: Row | None,
        before: Row | None,
        tables: Tables,
        now: datetime,
        *,
        behind: bool,
    ) -> tuple[str, Due]:
        """Return the kind of a change that the API shows from `now` on, and when it is due."""
        if stream == "scheduled_events" and row is not None:
            return stream, self._due_with_event(row, now)
        if stream == "event_invitees" and row is not None:
            event = tables["scheduled_events"][row["event"]]
            known = self._tables.get("scheduled_events", {}).get(row["event"])
            moved = known is None or known["updated_at"] != event["updated_at"]
            if moved and not behind:  # else a sweep may already have been later than the timestamp
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
            due_by_growth = {mode: start + growth * age for mode, growth in GROWTH.items()}
            return "an invitee of an older meeting", self._once_found(event, now, due_by_growth)
        last = start + self._lookback
        if age >= timedelta(0):
            kind = f"an invitee of a recent {'group' if shared else 'one-to-one'} meeting"
            doubled = start + max(2 * age, HOUR)
            return kind, _by_mode(every_run=now, doubling=doubled, fourfold=last)
        if age < -DAY:
            when, due, with_doubling, last = "more than a day before", *[start - DAY] * 3
        else:
            when, due, with_doubling = "less than a day before", start, start + HOUR
        if not shared:
            kind = f"an invitee {when} a one-to-one meeting"
            return kind, _by_mode(every_run=due, doubling=with_doubling, fourfold=last)
        updated = parse(event["updated_at"])
        doubled = min(updated + max(2 * (now - updated), HOUR), with_doubling)
        kind = f"an invitee {when} a group meeting"
        return kind, _by_mode(every_run=now, doubling=doubled, fourfold=last)

    def _due_if_canceled(self, event: Row, now: datetime) -> Due:
        """Return when the time since the last change has grown and a sweep lists the meeting."""
        start, updated = parse(event["start_time"]), parse(event["updated_at"])
        grown, listed = {}, {}
        for mode, growth in GROWTH.items():
            grown[mode] = listed[mode] = updated + max(growth * (now - updated), self._lookback)
            if grown[mode] > start + self._lookback:
                age = self._lookback
                while start + age < grown[mode]:
                    age *= growth
                listed[mode] = start + age
        in_band = self._once_found(event, now, listed)
        return lambda began, full_scan, mode: (
            full_scan >= grown[mode] or in_band(began, full_scan, mode)
        )

    def _once_found(self, event: Row, now: datetime, due: dict[str, datetime]) -> Due:
        """Return that a change is due from a time on, once the meeting has been found."""
        versions = self.versions["scheduled_events", event["uri"]]
        booked = versions[0].shown_from if versions else now
        if booked > parse(event["start_time"]) + self._lookback:  # only a full scan finds it
            return lambda began, full_scan, mode: began >= due[mode] and full_scan >= booked
        return lambda began, _, mode: began >= due[mode]


def _at_once(*_: object) -> bool:
    return True


def _never(*_: object) -> bool:
    return False


def _after_full_scan(changed: datetime) -> Due:
    return lambda _, full_scan, __: full_scan >= changed


def _by_mode(**due: datetime) -> Due:
    # A change that was made before a run in the same second is due in it.
    return lambda began, _, mode: began >= due[mode].replace(microsecond=0)
