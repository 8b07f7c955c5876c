"""What the state holds: an entry for each stream, the names of the full tables loaded, the inbox.

An entry says what was captured, and how far a sweep has come. It is readable by a person and stays
small whatever the volume: timestamps in UTC, no page tokens, nothing for single meetings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import pendulum

from tap_calendly import timestamps
from tap_calendly.reporting import errors, messages
from tap_calendly.settings import InviteeRechecks

if TYPE_CHECKING:
    Timestamp = datetime
else:
    Timestamp = pendulum.DateTime  # which msgspec leaves to us, to read leniently

S = TypeVar("S", bound=msgspec.Struct)

Rechecks = InviteeRechecks | Literal["fourfold"]
"""When invitees are read again: by the setting, or rarely, with an inbox that can be trusted."""

OVERLAP = timedelta(minutes=5)
"""How far before a bookmark a read begins: what was being written then may show only later."""

LAYOUT = 1
"""The layout of an entry; a higher one comes from a later version of the tap."""

FULL_TABLES = "full_tables"
"""The state's field beside `bookmarks` that names the full tables that were loaded, by scope."""

INBOX = "inbox"
"""The state's field beside `bookmarks` that says which inbox the positions are of."""

STARTS = frozenset({"earliest", "remaining"})
"""Fields that hold the starts of meetings, which can be in any year."""


class Bookmark(msgspec.Struct, frozen=True, omit_defaults=True):
    """When the last complete reading began, by the server's clock, and the bound then in force.

    Of the inbox's deliveries, it is when the last of them came, and its `position`.
    """

    reached: Timestamp = msgspec.field(name="replication_key_value")
    start_date: Timestamp | None
    position: int | None = None


class Captured(msgspec.Struct, frozen=True, omit_defaults=True):
    """What complete sweeps, and the inbox, have captured of a stream.

    Attributes:
        began: When the last sweep began: the bookmark. `full_scan` is when the last full scan did.
        window_start: The earliest start that the last sweep read without a gap; None for all.
        start_date: The latest bound since the last full scan, itself included; None for all.
        earliest: The earliest start of any meeting seen, if any was.
        position: The inbox's position up to which everything it told is loaded; None for nothing.
    """

    began: Timestamp = msgspec.field(name="replication_key_value")
    full_scan: Timestamp
    window_start: Timestamp | None
    start_date: Timestamp | None
    earliest: Timestamp | None
    position: int | None = None


class Range(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Meetings by their start, both ends included; None is no end."""

    start: Timestamp | None
    end: Timestamp | None


class Sweep(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sweep in progress, or interrupted, with the ranges still to read in that order.

    The other fields become those of `Captured`, except `rechecks`: when the invitees of recent
    meetings are read again, if not by the settings.
    """

    began: Timestamp
    full: bool
    window_start: Timestamp | None
    start_date: Timestamp | None
    earliest: Timestamp | None
    remaining: tuple[Range, ...]
    position: int | None = None
    rechecks: Rechecks | None = None


class Inbox(msgspec.Struct, frozen=True):
    """The inbox that positions are of, and the webhook subscription that filled it.

    Attributes:
        start: The position after which it has news for streams that have none themselves.
    """

    identity: str
    subscription: str
    start: int


class _Interrupted(msgspec.Struct):
    streams: list[str]


FIELDS = frozenset(
    {"replication_key", "scope", "layout", "sweep"}.union(
        field.encode_name for kind in (Bookmark, Captured) for field in msgspec.structs.fields(kind)
    )
)


class StreamState:
    """A stream's entry; one of another scope is ignored, as it would keep rows out for good.

    All methods that read raise CalendlyError if the entry is damaged or from a later version.
    """

    def __init__(
        self,
        stream: str,
        entry: dict[str, Any],
        scope: str,
        key: str,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        """Take an entry, which is changed in place, and the stream's replication key.

        `scope` says whose data this run reads, and which rows; `on_change` is called by `write`.
        """
        self._stream = stream
        self._entry = entry
        self._scope = scope
        self._key = key
        self._on_change = on_change

    def bookmark(self, start_date: datetime | None) -> datetime | None:
        """Return up to when the stream is captured; None if `start_date` asks for older rows."""
        found = self._captured(Bookmark)
        if found is None or reaches_further_back(start_date, found.start_date):
            return None
        return found.reached

    @property
    def reached(self) -> datetime | None:
        """Up to when the stream was loaded, wherever it started; None if it was not."""
        found = self._captured(Bookmark)
        return None if found is None else found.reached

    @property
    def position(self) -> int:
        """Up to which of the inbox's positions deliveries were loaded; 0 for none."""
        found = self._captured(Bookmark)
        return 0 if found is None else found.position or 0

    def captured(self) -> Captured | None:
        """Return what sweeps have captured; None for nothing yet."""
        return self._captured(Captured)

    def interrupted(self) -> tuple[Sweep, list[str]] | None:
        """Return the sweep that an earlier run did not finish, and the streams that it is for."""
        found = self._known().get("sweep")
        if found is None:
            return None
        return self._read(found, Sweep, "sweep"), self._read(found, _Interrupted, "sweep").streams

    def refuse_future(self, now: datetime) -> None:
        """Raise CalendlyError if the entry is from after `now`, by the server's clock."""
        # It is not of this Calendly, and changes would be left out.
        entry = self._known()
        for field in entry.keys() & {"replication_key_value", "full_scan"}:
            if timestamps.parse(entry[field]) > now + OVERLAP:
                raise errors.CalendlyError(messages.STATE_FROM_FUTURE, stream=self._stream)

    def write(self, captured: Bookmark | Captured) -> None:
        """Write what is captured; no sweep is in progress."""
        self._entry.clear()
        self._entry |= {"replication_key": self._key, **_as_json(captured)}
        self._entry |= {"scope": self._scope, "layout": LAYOUT}
        self._on_change()

    def advance(self, position: int) -> None:
        """Write up to which position the inbox's deliveries are loaded, if all before it were."""
        if isinstance(known := self._known().get("position"), int):
            self._entry["position"] = max(known, position)

    def write_interrupted(self, sweep: Sweep, streams: list[str]) -> None:
        """Write how far a sweep has come, beside what earlier ones have captured."""
        if self._entry.get("scope") != self._scope:
            self._entry.clear()
        progress = {"streams": streams, **_as_json(sweep)}
        self._entry |= {"scope": self._scope, "layout": LAYOUT, "sweep": progress}

    def forget_interrupted(self) -> None:
        """Write that no sweep is in progress: another stream's entry has it."""
        self._entry.pop("sweep", None)

    def check(self) -> None:
        """Refuse an entry that cannot be read."""
        if not isinstance(self._scope, str):
            raise self._damaged(field="scope")
        self.bookmark(None)
        if self._entry.keys() & {"full_scan", "window_start", "earliest"}:
            self.captured()
        self.interrupted()

    def _known(self) -> Mapping[str, Any]:
        """Return the entry; nothing if it has another scope."""
        layout = self._entry.get("layout", LAYOUT)
        if not isinstance(layout, int) or isinstance(layout, bool) or layout < 1:
            raise self._damaged(field="layout")
        if layout > LAYOUT:
            raise errors.CalendlyError(messages.STATE_FROM_LATER_VERSION, stream=self._stream)
        return self._entry if self._entry.get("scope") == self._scope else {}

    def _captured(self, kind: type[S]) -> S | None:
        entry = self._known()
        return self._read(entry, kind, "bookmark") if "replication_key_value" in entry else None

    def _read(self, found: object, kind: type[S], place: str) -> S:
        try:
            read = msgspec.convert(found, kind, dec_hook=_timestamp)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:  # of half a character
            named = re.search(r"(?:field `|at `\$\.)(\w+)", str(error))
            raise self._damaged(named.group(1) if named else place) from None
        for field in msgspec.structs.fields(kind):
            value = getattr(read, field.name)
            if field.name in STARTS or not isinstance(value, datetime):
                continue
            if not timestamps.is_plausible(timestamps.in_iso(value)):
                raise self._damaged(field.encode_name)
        return read

    def _damaged(self, field: str) -> errors.CalendlyError:
        return errors.CalendlyError(messages.STATE_DAMAGED, stream=self._stream, field=field)


def problems(content: object, streams: Collection[str]) -> list[str]:
    """Return a sentence for each problem of a state file, in the entries of `streams` alone."""
    if isinstance(content, dict) and content.keys() <= {"currently_syncing"}:
        return []  # how a first run begins
    bookmarks = content.get("bookmarks") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(bookmarks, dict):
        return ["it must be an object with `bookmarks`: the `value` of a run's last STATE message."]
    found = []
    for read in (partial(loaded_full_tables, scope=""), known_inbox):
        try:
            read(content)
        except errors.CalendlyError as error:
            found.append(str(error))
    for stream, entry in bookmarks.items():
        if not isinstance(entry, dict):
            found.append(f"{stream}: its entry in `bookmarks` must be an object.")
        elif stream in streams and "scope" in entry:
            try:
                StreamState(stream, entry, entry["scope"], "").check()
            except errors.CalendlyError as error:
                found.append(str(error))
    return found


def own(
    bookmarks: Mapping[str, Mapping[str, Any]], streams: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """Return the entries that this tap wrote: others may be another tap's or organization's."""
    return {
        stream: {field: value for field, value in entry.items() if field in FIELDS}
        for stream, entry in bookmarks.items()
        if stream in streams and "scope" in entry
    }


def loaded_full_tables(state: Mapping[str, Any], scope: str) -> frozenset[str]:
    """Return the full tables that were loaded with a scope.

    Raises:
        CalendlyError: The list is damaged.
    """
    if FULL_TABLES not in state:
        return frozenset()
    try:
        found = msgspec.convert(state[FULL_TABLES], dict[str, list[str]])
        msgspec.json.encode(found)  # as the next STATE will
    except (msgspec.ValidationError, UnicodeEncodeError):  # of half a character
        raise errors.CalendlyError(messages.STATE_LIST_DAMAGED, field=FULL_TABLES) from None
    return frozenset(found.get(scope, ()))


def note_full_table(state: dict[str, Any], stream: str, scope: str) -> None:
    """Write that a full table was loaded; the lists of other scopes stay."""
    streams = sorted({*loaded_full_tables(state, scope), stream})
    state[FULL_TABLES] = {**state.get(FULL_TABLES, {}), scope: streams}


def known_inbox(state: Mapping[str, Any]) -> Inbox | None:
    """Return the inbox that the positions are of; None if there are none.

    Raises:
        CalendlyError: It is damaged.
    """
    if INBOX not in state:
        return None
    try:
        return msgspec.convert(state[INBOX], Inbox)
    except msgspec.ValidationError:
        raise errors.CalendlyError(messages.STATE_LIST_DAMAGED, field=INBOX) from None


def known_positions(state: Mapping[str, Any], streams: Collection[str]) -> list[int | None]:
    """Return the inbox's positions of streams that were loaded; None for one without any."""
    entries = [state.get("bookmarks", {}).get(name) or {} for name in streams]
    loaded = [entry.get("position") for entry in entries if "replication_key_value" in entry]
    begun = [(entry.get("sweep") or {}).get("position") for entry in entries]
    positions = [*loaded, *(position for position in begun if position is not None)]
    return [position if isinstance(position, int) else None for position in positions]


def note_inbox(state: dict[str, Any], inbox: Inbox, streams: Collection[str]) -> None:
    """Write which inbox positions are of from now on; forget those that `streams` have."""
    state[INBOX] = msgspec.to_builtins(inbox)
    for name in streams:
        entry = state.get("bookmarks", {}).get(name, {})
        for part in (entry, entry.get("sweep")):
            if isinstance(part, dict):
                part.pop("position", None)


def reaches_further_back(timestamp: datetime | None, bound: datetime | None) -> bool:
    """Whether `timestamp` lies before `bound`; None is the beginning of all time."""
    return bound is not None and (timestamp is None or timestamp < bound)


def _timestamp(_: type, value: object) -> datetime:
    if not isinstance(value, str) or not timestamps.is_timestamp(value):
        message = "not a timestamp"
        raise ValueError(message)
    return timestamps.parse(value)


def _as_json(found: msgspec.Struct) -> dict[str, Any]:
    written: dict[str, Any] = msgspec.to_builtins(found, enc_hook=timestamps.in_iso)
    return written
