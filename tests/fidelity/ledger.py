"""What the tap has loaded by the inbox and by sweeps, as far as it is known without asking the tap.

The state says when sweeps began, and up to which positions deliveries were loaded. Which inbox the
positions are of is kept here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tap_calendly.inbox.delivery import HINTS, INVITEE_CANCELED, INVITEE_CREATED
from tap_calendly.timestamps import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_calendly.state import Rechecks
    from tests.fidelity.inboxes import Delivered, Inboxes, Key

MEETINGS = ("scheduled_events", "event_invitees")
TELLS_MEETINGS = {INVITEE_CREATED, INVITEE_CANCELED}
"""The events that tell something of a meeting's own row."""

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

Inbox = tuple[str, str]
"""An inbox's identity, and its webhook subscription."""


@dataclass(frozen=True)
class Prospect:
    """What is known before a run.

    Attributes:
        began: When it begins (UTC, whole seconds).
        entries: What the state says of each stream of `MEETINGS` that is selected.
        interrupted: Whether an interrupted sweep is there.
        inbox: The inbox that it reads; None for none.
        news: The deliveries that it has to read, by the stream.
        named: The meetings that it has to read.
        doubts: Why it cannot trust the inbox; nothing without one.
        rechecks: When its sweep reads invitees again.
        subscription: What the API says of the inbox's webhook subscription.
    """

    began: datetime
    entries: dict[str, dict[str, Any]]
    interrupted: bool
    inbox: Inbox | None
    news: dict[str, list[Delivered]]
    named: set[str]
    doubts: list[str]
    rechecks: Rechecks
    subscription: dict[str, Any] | None


class Ledger:
    """What the tap has loaded.

    Attributes:
        told: How many versions of each row the tables show as they were delivered.
        vague: Rows whose deliveries do not say whether the API shows them yet.
    """

    def __init__(self, inboxes: Inboxes) -> None:
        """Start with nothing loaded."""
        self.told: dict[Key, int] = {}
        self.vague: set[Key] = set()
        self._inboxes = inboxes
        self._known: dict[str, Inbox] = {}
        self._swept_with: dict[tuple[str, str], Inbox | None] = {}
        self._rechecks: dict[tuple[str, str], set[Rechecks]] = defaultdict(set)

    def prospect(
        self,
        state: dict[str, Any],
        meetings: Sequence[str],
        settings: dict[str, Any],
        awaited: list[str],
        subscription: dict[str, Any] | None,
    ) -> Prospect:
        """Return what is known before a run that loads `meetings`.

        `awaited` is why deliveries cannot be relied on now, whatever was before.
        """
        inbox, now = self._inboxes, self._inboxes.now
        start_date = settings.get("start_date")
        entries = self.entries(state, meetings, start_date and parse(start_date))
        has_inbox = "inbox_url" in settings
        reads = has_inbox and settings["inbox_url"] == inbox.url
        missed = self._missed(entries, subscription, now) if reads else []
        mode: Rechecks = settings["invitee_rechecks"]
        for name, began, modes in self._sweeps_in(state):
            self._rechecks[name, began].add(modes or mode)
        if missed:
            mode = "every_run"
        elif reads and not awaited:
            mode = "fourfold"
        positions = [one.get("position", 0) for one in entries.values()]
        return Prospect(
            began=now.replace(microsecond=0),
            entries=entries,
            interrupted=any(self._sweeps_in(state)),
            inbox=inbox.current if reads else None,
            news=self._news(state, meetings) if reads else {},
            named={
                str(one.delivery.scheduled_event_uri)
                for one in inbox.after(min(positions, default=0))
                if one.delivery.event in (HINTS if "event_invitees" in meetings else TELLS_MEETINGS)
            },
            doubts=[*missed, *awaited] if has_inbox else [],
            rechecks=mode,
            subscription=subscription,
        )

    def entries(
        self, state: dict[str, Any], meetings: Sequence[str], start_date: datetime | None
    ) -> dict[str, dict[str, Any]]:
        """Return the streams' entries as they are once interrupted sweeps are finished.

        Each says which inbox its position is of.
        """
        found = {one: _entry(state, one) | {"inbox": self._known.get(one)} for one in meetings}
        for sweep in [_entry(state, holder).get("sweep") for holder in meetings]:
            if sweep is None or not set(sweep["streams"]) <= set(meetings):
                continue
            if (sweep["start_date"] and parse(sweep["start_date"])) != start_date:
                continue
            for stream in sweep["streams"]:
                entry, began = found[stream], sweep["began"]
                if parse(entry.get("replication_key_value", began)) > parse(began):
                    continue
                entry |= {"replication_key_value": began, "start_date": sweep["start_date"]}
                if sweep["full"]:
                    entry["full_scan"] = began
                if (inbox := self._swept_with.get((stream, began))) and "position" in sweep:
                    same = entry["inbox"] == inbox
                    before = entry.get("position", 0) if same else 0
                    entry |= {"position": max(before, sweep["position"]), "inbox": inbox}
        return found

    def _missed(
        self,
        entries: dict[str, dict[str, Any]],
        subscription: dict[str, Any] | None,
        now: datetime,
    ) -> list[str]:
        """Return why deliveries may be missing since the last run."""
        inbox = self._inboxes
        known = {one["inbox"] for one in entries.values() if "position" in one}
        positions: list[Any] = [one.get("position") for one in entries.values()]
        if not positions or None in known or None in positions:
            return ["loaded without it"]
        if {identity for identity, _ in known} != {inbox.identity}:
            return ["another inbox"]
        if known != {inbox.current}:
            return ["another subscription"]
        found, first = [], min(positions)
        if inbox.gap > first:
            found.append("a gap")
        if inbox.removed > first:
            found.append("pruned")
        late_until = late_until_of(subscription)
        if late_until is not None and late_until <= now:
            swept = min(parse(one["replication_key_value"]) for one in entries.values())
            found += ["has failed"] if swept < late_until else []
        return found

    def _news(self, state: dict[str, Any], meetings: Sequence[str]) -> dict[str, list[Delivered]]:
        """Return the deliveries that a run has to read for each stream."""
        news = {}
        for stream in meetings:
            position = _entry(state, stream).get("position")
            known = self._known.get(stream)
            if position is None or known is None or known[0] != self._inboxes.identity:
                continue
            tells = HINTS if stream == "event_invitees" else TELLS_MEETINGS
            found = self._inboxes.after(position)
            news[stream] = [one for one in found if one.delivery.event in tells]
        return news

    def note(
        self, state: dict[str, Any], prospect: Prospect, *, ended_well: bool, lagged: bool
    ) -> None:
        """Note what a run has loaded, by the state that it left."""
        for name, began, modes in self._sweeps_in(state):
            self._swept_with.setdefault((name, began), prospect.inbox)
            self._rechecks[name, began].add(modes or prospect.rechecks)
        for stream, before in prospect.entries.items():
            entry = _entry(state, stream)
            if "replication_key_value" not in entry:
                continue
            began = str(entry["replication_key_value"])
            if parse(began) >= prospect.began:
                self._rechecks[stream, began].add(prospect.rechecks)
                self._swept_with[stream, began] = prospect.inbox
            has_swept = began != before.get("replication_key_value") or ended_well
            with_inbox = self._swept_with.get((stream, began))
            if has_swept and with_inbox is not None and "position" in entry:
                self._known[stream] = with_inbox
            if ended_well and prospect.inbox is not None:
                self._known[stream] = prospect.inbox
        for stream, news in prospect.news.items():
            position = _entry(state, stream).get("position", 0)
            is_same = self._known[stream][0] == self._inboxes.identity
            for one in news:
                if (ended_well and not lagged) or (is_same and position >= one.position):
                    self._note_told(stream, one)

    def _note_told(self, stream: str, one: Delivered) -> None:
        for key, count in one.told.items():
            if key[0] == stream and key not in self.vague:
                self.told[key] = max(count, self.told.get(key, 0))

    def _sweeps_in(self, state: dict[str, Any]) -> list[tuple[str, str, Rechecks | None]]:
        """Return the interrupted sweeps: stream, when it began, how it reads invitees again."""
        sweeps = [_entry(state, holder).get("sweep") for holder in MEETINGS]
        return [
            (name, sweep["began"], sweep.get("rechecks"))
            for sweep in sweeps
            if sweep is not None
            for name in sweep["streams"]
        ]

    def swept(self, state: dict[str, Any], stream: str) -> datetime:
        """Return when the last sweep began."""
        return parse(_entry(state, stream)["replication_key_value"])

    def rechecks_since(self, stream: str, change: datetime, swept: datetime) -> Rechecks:
        """Return when invitees were read again since a change, up to a sweep: the latest."""
        sweeps = {
            parse(at): modes for (name, at), modes in self._rechecks.items() if name == stream
        }
        if any("fourfold" in modes for at, modes in sweeps.items() if at + SECOND > change):
            return "fourfold"
        return "doubling" if "doubling" in sweeps[swept] else "every_run"


def late_until_of(subscription: dict[str, Any] | None) -> datetime | None:
    """Return until when late deliveries may come."""
    if subscription is None or subscription["retry_started_at"] is None:
        return None
    return parse(subscription["retry_started_at"]) + DAY


def _entry(state: dict[str, Any], stream: str) -> dict[str, Any]:
    return dict(cast("dict[str, Any]", state.get("bookmarks", {})).get(stream, {}))
