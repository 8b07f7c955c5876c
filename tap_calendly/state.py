"""What a stream's entry in the state says, read and written.

An entry is readable by a person and stays small whatever the volume: moments in UTC, no page
tokens, nothing for single meetings.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_calendly import timestamps
from tap_calendly.reporting import errors
from tap_calendly.sweep.plan import OVERLAP, Captured, Range, Sweep, reaches_further_back

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

STARTS = frozenset({"earliest", "remaining"})
"""Fields that hold the starts of meetings."""

LAYOUT = 1
"""The layout of an entry; a higher one comes from a later version of the tap."""

OF_SWEEPS = frozenset({"full_scan", "window_start", "earliest"})
"""The fields of an entry that sweeps write beside the bookmark."""

FIELDS = OF_SWEEPS | {
    "replication_key",
    "replication_key_value",
    "start_date",
    "scope",
    "layout",
    "sweep",
}
"""All fields of an entry."""


def problems(content: object, streams: Collection[str]) -> list[str]:
    """Find what cannot be used in a whole state.

    Args:
        content: What the file holds.
        streams: The names of the tap's streams; entries of others are no concern.

    Returns:
        One sentence for each problem, naming the stream.
    """
    if isinstance(content, dict) and content.keys() <= {"currently_syncing"}:
        return []  # how a first run begins
    bookmarks = content.get("bookmarks") if isinstance(content, dict) else None
    if not isinstance(bookmarks, dict):
        return ["it must be an object with `bookmarks`: the `value` of a run's last STATE message."]
    found = []
    for stream, entry in bookmarks.items():
        if not isinstance(entry, dict):
            found.append(f"{stream}: its entry in `bookmarks` must be an object.")
            continue
        try:
            if stream in streams:
                _check(stream, entry)
        except errors.CalendlyError as error:
            found.append(str(error))
    return found


def own(
    bookmarks: Mapping[str, Mapping[str, Any]], streams: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """Choose the entries that a run can go by.

    Args:
        bookmarks: The entries by the name of the stream.
        streams: The names of the tap's streams.

    Returns:
        Those of the tap's streams which say what they are about, with the fields that this tap
        writes: others may be another tap's, or another organization's.
    """
    return {
        stream: {field: value for field, value in entry.items() if field in FIELDS}
        for stream, entry in bookmarks.items()
        if stream in streams and "scope" in entry
    }


def bookmark(
    stream: str, entry: Mapping[str, Any], scope: str, start_date: datetime | None
) -> datetime | None:
    """Read the moment up to which a stream is captured.

    Args:
        stream: The stream's name.
        entry: Its entry in the state.
        scope: What this run reads.
        start_date: The bound of the rows that are wanted; None for all.

    Returns:
        The moment (UTC); None for nothing yet, when the entry is about other data, or when older
        rows are wanted than then.

    Raises:
        CalendlyError: The entry is damaged or from a later version.
    """
    entry = _checked(stream, entry, scope)
    if "replication_key_value" not in entry:
        return None
    reached = _moment(stream, entry, "replication_key_value")
    bound = _moment_or_none(stream, entry, "start_date")
    return None if reaches_further_back(start_date, bound) else reached


def refuse_future(stream: str, entry: Mapping[str, Any], scope: str, now: datetime) -> None:
    """Refuse to go on from a moment that has not come: what lay before it was left out.

    Args:
        stream: The stream's name.
        entry: Its entry in the state.
        scope: What this run reads.
        now: The present moment, in the server's clock, by which all of a state is.

    Raises:
        CalendlyError: The entry is not of this Calendly.
    """
    entry = _checked(stream, entry, scope)
    for field in entry.keys() & {"replication_key_value", "full_scan"}:
        if _moment(stream, entry, field) > now + OVERLAP:
            message = (
                f"{stream}: the state is from the future, by Calendly's clock: start without this "
                "stream's state, and everything is read again."
            )
            raise errors.CalendlyError(message)


def write_bookmark(
    entry: dict[str, Any], key: str, moment: datetime, scope: str, start_date: datetime | None
) -> None:
    """Note that a stream is captured up to a moment.

    Args:
        entry: The stream's entry in the state, which is changed.
        key: The stream's replication key.
        moment: The moment (UTC).
        scope: What this run reads.
        start_date: The bound of the rows that were wanted; None for all.
    """
    entry.clear()
    entry |= {
        "replication_key": key,
        "replication_key_value": _written(moment),
        "start_date": None if start_date is None else _written(start_date),
        "scope": scope,
        "layout": LAYOUT,
    }


def captured(stream: str, entry: Mapping[str, Any], scope: str) -> Captured | None:
    """Read what sweeps have captured of a stream.

    Args:
        stream: The stream's name.
        entry: Its entry in the state.
        scope: What this run reads.

    Returns:
        It; None for nothing yet, or when the entry is about other data.

    Raises:
        CalendlyError: The entry is damaged or from a later version.
    """
    entry = _checked(stream, entry, scope)
    if "replication_key_value" not in entry:
        return None
    return Captured(
        began=_moment(stream, entry, "replication_key_value"),
        full_scan=_moment(stream, entry, "full_scan"),
        window_start=_moment_or_none(stream, entry, "window_start"),
        start_date=_moment_or_none(stream, entry, "start_date"),
        earliest=_moment_or_none(stream, entry, "earliest"),
    )


def write_captured(entry: dict[str, Any], key: str, found: Captured, scope: str) -> None:
    """Note what sweeps have captured of a stream; no sweep is under way.

    Args:
        entry: The stream's entry in the state, which is changed.
        key: The stream's replication key.
        found: What they have captured.
        scope: What this run reads.
    """
    write_bookmark(entry, key, found.began, scope, found.start_date)
    fields = asdict(found)
    del fields["began"], fields["start_date"]
    entry |= {name: None if value is None else _written(value) for name, value in fields.items()}


def interrupted(
    stream: str, entry: Mapping[str, Any], scope: str
) -> tuple[Sweep, list[str]] | None:
    """Read the sweep that an earlier run did not finish.

    Args:
        stream: The stream's name.
        entry: Its entry in the state.
        scope: What this run reads.

    Returns:
        The sweep with what remains of it, and the streams that it is for; None when there is none.

    Raises:
        CalendlyError: The entry is damaged or from a later version.
    """
    found = _checked(stream, entry, scope).get("sweep")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise _damaged(stream, "sweep")
    for field, kind in (("streams", list), ("full", bool), ("remaining", list)):
        if not isinstance(found.get(field), kind):
            raise _damaged(stream, field)
    begun = Sweep(
        began=_moment(stream, found, "began"),
        full=found["full"],
        window_start=_moment_or_none(stream, found, "window_start"),
        start_date=_moment_or_none(stream, found, "start_date"),
        earliest=_moment_or_none(stream, found, "earliest"),
        remaining=tuple(_ranges(stream, found)),
    )
    return begun, [str(name) for name in found["streams"]]


def write_interrupted(entry: dict[str, Any], sweep: Sweep, scope: str, streams: list[str]) -> None:
    """Note how far a sweep has come, beside what earlier ones have captured.

    Args:
        entry: The stream's entry in the state, which is changed.
        sweep: The sweep with what remains of it.
        scope: What this run reads.
        streams: The streams that the sweep is for.
    """
    if entry.get("scope") != scope:
        entry.clear()
    progress = {"streams": streams, **_as_json(asdict(sweep))}
    entry |= {"scope": scope, "layout": LAYOUT, "sweep": progress}


def _check(stream: str, entry: Mapping[str, Any]) -> None:
    """Refuse an entry that this tap wrote and cannot read."""
    if "scope" not in entry:
        return
    if not isinstance(scope := entry["scope"], str):
        raise _damaged(stream, "scope")
    bookmark(stream, entry, scope, None)
    if entry.keys() & OF_SWEEPS:
        captured(stream, entry, scope)
    interrupted(stream, entry, scope)


def _checked(stream: str, entry: Mapping[str, Any], scope: str) -> Mapping[str, Any]:
    """Refuse what cannot be understood, and pass over what is about other data."""
    layout = entry.get("layout", LAYOUT)
    if not isinstance(layout, int) or isinstance(layout, bool) or layout < 1:
        raise _damaged(stream, "layout")
    if layout > LAYOUT:
        message = (
            f"{stream}: the state was written by a later version of tap-calendly: use that "
            "version, or start without this stream's state, and everything is read again."
        )
        raise errors.CalendlyError(message)
    return entry if entry.get("scope") == scope else {}


def _moment(stream: str, found: Mapping[str, Any], field: str) -> datetime:
    value = found.get(field)
    # A meeting can start whenever Calendly says; when a run began is within reason.
    usable = timestamps.is_timestamp if field in STARTS else timestamps.is_plausible
    if not isinstance(value, str) or not usable(value):
        raise _damaged(stream, field)
    return timestamps.parse(value)


def _moment_or_none(stream: str, found: Mapping[str, Any], field: str) -> datetime | None:
    if field in found and found[field] is None:
        return None
    return _moment(stream, found, field)


def _ranges(stream: str, found: Mapping[str, Any]) -> Iterator[Range]:
    for bounds in found["remaining"]:
        match bounds:
            case [_, _]:
                start, end = (
                    _moment_or_none(stream, {"remaining": b}, "remaining") for b in bounds
                )
                yield Range(start, end)
            case _:
                raise _damaged(stream, "remaining")


def _damaged(stream: str, field: str) -> errors.CalendlyError:
    return errors.CalendlyError(
        f"{stream}: the state cannot be read, as its `{field}` is damaged: start without this "
        "stream's state, and everything is read again."
    )


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _as_json(value: Any) -> Any:  # noqa: ANN401 - whatever a sweep is made of
    if isinstance(value, datetime):
        return _written(value)
    if isinstance(value, dict):
        if set(value) == {"start", "end"}:
            return [_as_json(value["start"]), _as_json(value["end"])]
        return {name: _as_json(inner) for name, inner in value.items()}
    return [_as_json(inner) for inner in value] if isinstance(value, (list, tuple)) else value
