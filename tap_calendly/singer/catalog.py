"""What is wrong with a given catalog.

A catalog chooses streams and columns. What makes a row the same row, and by what a stream
continues, is not its to choose: rows would be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    REPLICATION_INCREMENTAL,
    Catalog,
    Metadata,
    MetadataMapping,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_calendly.singer.stream import CalendlyStream

METHODS = (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL)
"""The ways in which a stream can be read."""

INCLUSIONS = tuple(kind.value for kind in Metadata.InclusionType)


def problems(content: object, streams: Mapping[str, type[CalendlyStream]]) -> list[str]:
    """Find what cannot be used.

    Args:
        content: What the file holds.
        streams: The tap's streams by name.

    Returns:
        One sentence for each problem, naming the stream and what is allowed.
    """
    entries = content.get("streams") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return ["it must be a Singer catalog, as `tap-calendly --discover` gives it."]
    found: list[str] = []
    sound: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(entries, start=1):
        name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            found.append(f"entry {number} of `streams` must be an object with a `tap_stream_id`.")
            continue
        wrong = list(_malformed(name, entry))
        if name in sound:
            wrong.append("there must be one entry of it alone.")
        if not wrong and name in streams:
            wrong += _unusable(streams[name], entry)
        found += [f"{name}: {problem}" for problem in wrong or _misplaced(entry)]
        sound[name] = entry
    ours = [entry for name, entry in sound.items() if name in streams]
    if not found and not any(_selection(entry).get((), True) for entry in ours):
        found.append("it selects no stream of the tap: select one at least.")
    return found


def chosen(catalog: Catalog) -> Catalog:
    """Leave out the streams that are not selected.

    Args:
        catalog: The catalog of a run.

    Returns:
        A catalog of the others.
    """
    return Catalog(
        (name, entry)
        for name, entry in catalog.items()
        if entry.metadata.resolve_selection().get((), True)
    )


def _malformed(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Check the shape of an entry, whosever stream it is."""
    if entry.get("stream") not in (None, name):
        yield "`stream` must be the same as `tap_stream_id`."
    if not _is_schema(entry.get("schema")):
        yield "`schema` must be a JSON schema, as `tap-calendly --discover` gives it."
    metadata = entry.get("metadata", [])
    if not isinstance(metadata, list) or not all(_is_metadata(part) for part in metadata):
        yield "`metadata` must be a list of objects, each with a `breadcrumb` and a `metadata`."
        return
    for part in metadata:
        place, said = ".".join(part["breadcrumb"]) or "the stream", part["metadata"]
        for choice in ("selected", "selected-by-default"):
            if said.get(choice) not in (None, True, False):
                yield f"`{choice}` of {place} in `metadata` must be true or false."
        if said.get("inclusion") not in (None, *INCLUSIONS):
            yield f"`inclusion` of {place} in `metadata` must be one of {', '.join(INCLUSIONS)}."


def _unusable(stream: type[CalendlyStream], entry: Mapping[str, Any]) -> Iterator[str]:
    """Check that a sound entry leaves a stream what reading and loading its rows take."""
    keys, continues = list(stream.primary_keys), stream.replication.key
    parts = entry.get("metadata", [])
    root: dict[str, Any] = next((p["metadata"] for p in parts if not p["breadcrumb"]), {})
    if (entry.get("key_properties") or root.get("table-key-properties")) != keys:
        yield f"`key_properties` must be {', '.join(keys)}."
    if (entry.get("replication_key") or root.get("replication-key")) not in (None, continues):
        yield f"`replication_key` must be {continues or 'left out'}."
    method = entry.get("replication_method") or root.get("forced-replication-method")
    if method not in (None, *METHODS):
        yield f"`replication_method` must be one of {', '.join(METHODS)}."
    columns, selection = entry["schema"].get("properties") or {}, _selection(entry)
    for column in dict.fromkeys([*keys, *([continues] if continues else [])]):
        if column not in columns:
            yield f"the schema must have the column {column}."
        elif selection.get((), True) and not selection["properties", column]:
            yield f"the column {column} must be selected, or the stream deselected."


def _misplaced(entry: Mapping[str, Any]) -> Iterator[str]:
    """Check that what is chosen is there: a mistyped column would be loaded unawares."""
    crumbs = [part["breadcrumb"] for part in entry.get("metadata", [])]
    if strange := [".".join(path) for path in crumbs if not _leads_to(path, entry["schema"])]:
        yield f"`metadata` must name columns of the schema, not {', '.join(strange)}."


def _selection(entry: Mapping[str, Any]) -> Mapping[tuple[str, ...], bool]:
    return MetadataMapping.from_iterable(entry.get("metadata", [])).resolve_selection()


def _is_schema(value: object) -> bool:
    """Tell whether the SDK can read a schema."""
    if not isinstance(value, dict):
        return False
    columns, items = value.get("properties"), value.get("items")
    return (items is None or _is_schema(items)) and (
        columns is None
        or (isinstance(columns, dict) and all(_is_schema(column) for column in columns.values()))
    )


def _is_metadata(value: object) -> bool:
    crumbs = value.get("breadcrumb") if isinstance(value, dict) else None
    return (
        isinstance(value, dict)
        and isinstance(value.get("metadata"), dict)
        and isinstance(crumbs, list)
        and all(isinstance(crumb, str) for crumb in crumbs)
    )


def _leads_to(path: Iterable[str], schema: object) -> bool:
    """Tell whether a breadcrumb leads to a place in a schema."""
    place = schema
    for crumb in path:
        place = place.get(crumb) if isinstance(place, dict) else None
    return isinstance(place, dict)
