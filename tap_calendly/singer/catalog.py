"""Checks a catalog file.

It selects streams and columns, and must not change a stream's keys: rows would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    REPLICATION_INCREMENTAL,
    Catalog,
    Metadata,
    MetadataMapping,
)

from tap_calendly.singer.stream import CalendlyStream

METHODS = (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL)
INCLUSIONS = tuple(kind.value for kind in Metadata.InclusionType)

T = TypeVar("T")


class _Schema(msgspec.Struct):
    """The parts of a JSON schema that the SDK goes through."""

    properties: dict[str, _Schema] | None = None
    items: _Schema | None = None


class _Metadata(msgspec.Struct):
    breadcrumb: list[str]
    metadata: dict[str, Any]


def problems(content: object, streams: Mapping[str, type[CalendlyStream]]) -> list[str]:
    """Return a sentence for each problem of a catalog file, for the tap's streams by name."""
    entries = content.get("streams") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return ["it must be a Singer catalog, as written by `tap-calendly --discover`."]
    found: list[str] = []
    named: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(entries, start=1):
        name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            found.append(f"entry {number} of `streams` must be an object with a `tap_stream_id`.")
            continue
        wrong = list(_problems_with_shape(name, entry))
        if name in named:
            wrong.append("there must be only one entry.")
        if not wrong and name in streams:
            wrong += _problems_with_keys(streams[name], entry)
        found += [f"{name}: {problem}" for problem in wrong or _problems_with_breadcrumbs(entry)]
        named[name] = entry
    selections = (_selection(entry) for name, entry in named.items() if name in streams)
    if not found and not any(selection.get((), True) for selection in selections):
        found.append("it selects no stream of this tap: select at least one.")
    return found


def selected(catalog: Catalog) -> Catalog:
    """Return a catalog of the selected streams alone."""
    return Catalog(
        (name, entry)
        for name, entry in catalog.items()
        if entry.metadata.resolve_selection().get((), True)
    )


def _problems_with_shape(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Check what the SDK needs to read an entry, of whatever stream."""
    if entry.get("stream") not in (None, name):
        yield "`stream` must be the same as `tap_stream_id`."
    if _parsed(entry.get("schema"), _Schema) is None:
        yield "`schema` must be a JSON schema, as written by `tap-calendly --discover`."
    metadata = _parsed(entry.get("metadata", []), list[_Metadata])
    if metadata is None:
        yield "`metadata` must be a list of objects, each with a `breadcrumb` and a `metadata`."
    for part in metadata or ():
        place = ".".join(part.breadcrumb) or "the stream"
        for choice in ("selected", "selected-by-default"):
            if part.metadata.get(choice) not in (None, True, False):
                yield f"`{choice}` of {place} in `metadata` must be true or false."
        if part.metadata.get("inclusion") not in (None, *INCLUSIONS):
            yield f"`inclusion` of {place} in `metadata` must be one of {', '.join(INCLUSIONS)}."


def _problems_with_keys(stream: type[CalendlyStream], entry: Mapping[str, Any]) -> Iterator[str]:
    """Check that an entry does not change or deselect a stream's keys."""
    keys, replication_key = list(stream.primary_keys), stream.replication.key
    metadata = entry.get("metadata", [])
    root: dict[str, Any] = next((p["metadata"] for p in metadata if not p["breadcrumb"]), {})
    if (entry.get("key_properties") or root.get("table-key-properties")) != keys:
        yield f"`key_properties` must be {', '.join(keys)}."
    given = entry.get("replication_key") or root.get("replication-key")
    if given not in (None, replication_key):
        yield f"`replication_key` must be {replication_key or 'left out'}."
    method = entry.get("replication_method") or root.get("forced-replication-method")
    if method not in (None, *METHODS):
        yield f"`replication_method` must be one of {', '.join(METHODS)}."
    columns, selection = entry["schema"].get("properties") or {}, _selection(entry)
    for column in dict.fromkeys([*keys, *([replication_key] if replication_key else [])]):
        if column not in columns:
            yield f"the schema must have the column {column}."
        elif selection.get((), True) and not selection["properties", column]:
            yield f"the column {column} must be selected, or the stream deselected."


def _problems_with_breadcrumbs(entry: Mapping[str, Any]) -> Iterator[str]:
    """Check that metadata names existing columns: with a typo, one would be loaded unnoticed."""
    paths = [part["breadcrumb"] for part in entry.get("metadata", [])]
    if unknown := [".".join(path) for path in paths if not _exists(path, entry["schema"])]:
        yield f"`metadata` must name columns of the schema, not {', '.join(unknown)}."


def _selection(entry: Mapping[str, Any]) -> Mapping[tuple[str, ...], bool]:
    return MetadataMapping.from_iterable(entry.get("metadata", [])).resolve_selection()


def _parsed(value: object, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):  # of half a character
        return None


def _exists(breadcrumb: Iterable[str], schema: object) -> bool:
    place = schema
    for crumb in breadcrumb:
        place = place.get(crumb) if isinstance(place, dict) else None
    return isinstance(place, dict)
