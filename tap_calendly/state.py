"""What a stream's entry in the state says, read and written.

An entry is readable by a person and stays small whatever the volume: moments in UTC, no page
tokens, nothing for single meetings.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_calendly import errors, settings
from tap_calendly.sweep import Captured, Range, Sweep, reaches_further_back

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYOUT = 1
"""The layout of an entry; a higher one comes from a later version of the tap."""


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
    value = entry.get("replication_key_value")
    if value is None:
        return None
    bound = _moment_or_none(stream, entry.get("start_date"))
    return None if reaches_further_back(start_date, bound) else _moment(stream, value)


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
    try:
        return Captured(
            began=_moment(stream, entry["replication_key_value"]),
            full_scan=_moment(stream, entry["full_scan"]),
            window_start=_moment_or_none(stream, entry["window_start"]),
            start_date=_moment_or_none(stream, entry["start_date"]),
            earliest=_moment_or_none(stream, entry["earliest"]),
        )
    except KeyError:
        raise _damaged(stream) from None


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
    try:
        begun = Sweep(
            began=_moment(stream, found["began"]),
            full=found["full"] is True,
            window_start=_moment_or_none(stream, found["window_start"]),
            start_date=_moment_or_none(stream, found["start_date"]),
            earliest=_moment_or_none(stream, found["earliest"]),
            remaining=tuple(
                Range(_moment_or_none(stream, start), _moment_or_none(stream, end))
                for start, end in found["remaining"]
            ),
        )
        return begun, [str(name) for name in found["streams"]]
    except (KeyError, TypeError, ValueError):
        raise _damaged(stream) from None


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


def _checked(stream: str, entry: Mapping[str, Any], scope: str) -> Mapping[str, Any]:
    """Refuse what cannot be understood, and pass over what is about other data."""
    layout = entry.get("layout", 0)
    if not isinstance(layout, int) or layout > LAYOUT:
        message = (
            f"{stream}: the state was written by a later version of tap-calendly: use that "
            "version, or start without this stream's state, and everything is read again."
        )
        raise errors.CalendlyError(message)
    return entry if entry.get("scope") == scope else {}


def _moment(stream: str, value: object) -> datetime:
    try:
        return settings.moment(str(value))
    except ValueError:
        raise _damaged(stream) from None


def _moment_or_none(stream: str, value: object) -> datetime | None:
    return None if value is None else _moment(stream, value)


def _damaged(stream: str) -> errors.CalendlyError:
    return errors.CalendlyError(
        f"{stream}: the state cannot be read: start without this stream's state, and everything is "
        "read again."
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
