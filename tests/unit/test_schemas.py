"""The fields of every table are those in the description of Calendly's API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.organization import fixtures
from tap_calendly.streams import STREAMS
from tests.description import Description
from tests.singer import fixture_rows, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Fields = dict[str, set[str]]
"""The types of value that each field may hold, by its path: `.a`, `.a.b`, `.list[].b`."""

API = Description()
COMPONENTS = API.content["components"]["schemas"]

SCHEMAS = {stream.name: stream.schema for stream in STREAMS}

FIXTURES = fixtures.read()
"""Streams whose rows the sandbox reads from files."""

NO_TABLE = {
    "InviteeNoShow",  # its content is in the invitee's row
    "WebhookPayload",  # an example of what a webhook posts
}

ADDED = {
    stream.name: {*stream.derived, *(stream.parent.columns if stream.parent else ())}
    for stream in STREAMS
}
"""Fields that the tap adds."""

KEYS = {stream.name: set(stream.primary_keys) for stream in STREAMS}

HEADCOUNTS = {
    "groups": {".member_count"},
    "event_type_available_times": {".invitees_remaining"},
    "scheduled_events": {f".invitees_counter.{name}" for name in ("total", "active", "limit")},
}
"""Fields described as numbers that count people, so they are integers."""

OBJECT_OR_URI = {"group_relationships": ".owner.user"}
"""Fields that hold an object or a URI: a JSON column, whatever the object holds."""

ANY = "any"


def fields(*described: Mapping[str, Any]) -> Fields:
    """Return the fields of some schemas, of the tap or of the API, taken together."""
    found: Fields = {}
    for schema in described:
        for path, kind in _kinds(schema, ""):
            found.setdefault(path, set()).add(kind)
    return found


def _kinds(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if not schema:
        yield path, ANY
    if "$ref" in schema:
        yield from _kinds(COMPONENTS[_name(schema["$ref"])], path)
    for option in schema.get("oneOf", ()):
        yield from _kinds(option, path)
    for name, inner in schema.get("properties", {}).items():
        yield from _kinds(inner, f"{path}.{name}")
    if "items" in schema:
        yield from _kinds(schema["items"], f"{path}[]")
    types = "string" if isinstance(schema.get("const"), str) else schema.get("type", [])
    for kind in [types] if isinstance(types, str) else types:
        if kind != "null":
            yield path, "date-time" if schema.get("format") == "date-time" else kind


def _name(reference: str) -> str:
    return reference.removeprefix("#/components/schemas/")


def _records() -> Iterator[tuple[str, str]]:
    """Yield each path of the API and the name of the record it returns."""
    for path, operation in API.paths.items():
        body = operation["responses"]["200"]["content"]["application/json"]["schema"]
        wrapped = body.get("properties", {})
        record = wrapped.get("resource") or wrapped.get("collection", {}).get("items") or body
        yield _general(path), _name(record["$ref"])


def _general(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def _described() -> Iterator[tuple[str, list[str]]]:
    """Yield each stream and the names of the records it reads."""
    records = dict(_records())
    for stream in STREAMS:
        if stream.name in FIXTURES or not stream.from_api:
            continue
        path = _general(stream.endpoint.path)
        paths = [path, f"{path}/{{}}"] if stream.endpoint.with_details else [path]
        yield stream.name, [records[path] for path in paths]


DESCRIBED = dict(_described())


def _properties(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from _properties(inner, f"{path}.{name}")
        yield from _properties(inner.get("items", {}), f"{path}.{name}[]")


def test_every_record_of_the_api_is_compared_or_exempt() -> None:
    compared = {name for names in DESCRIBED.values() for name in names}

    assert {name for _, name in _records()} == compared | NO_TABLE


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_table_has_the_fields_and_types_of_the_api(name: str) -> None:
    ours = fields(SCHEMAS[name])
    theirs = fields(*(COMPONENTS[record] for record in DESCRIBED[name]))
    for path in HEADCOUNTS.get(name, ()):
        assert theirs[path] == {"number"}
        theirs[path] = {"integer"}
    if union := OBJECT_OR_URI.get(name):
        assert theirs[union] == {"object", "string"}
        theirs = {path: kinds for path, kinds in theirs.items() if f"{union}." not in path}
    for path in [path for path, kinds in theirs.items() if kinds == {ANY}]:
        assert len(ours[path]) > 1, path
        theirs[path] = ours[path]
    added = {
        f".{field}": {"date-time" if field.endswith("_at") else "string"} for field in ADDED[name]
    }

    assert not added.keys() & theirs.keys()
    assert ours == theirs | added


def test_a_table_has_the_fields_of_its_fixture_and_tells_its_rows_apart() -> None:
    for name, rows in fixture_rows().items():
        assert {field for row in rows for field in row} <= SCHEMAS[name]["properties"].keys(), name
        assert len({key_of(name, row) for row in rows}) == len(rows), name


@pytest.mark.parametrize("name", SCHEMAS)
def test_only_the_key_is_required_and_not_nullable(name: str) -> None:
    schema = SCHEMAS[name]
    not_nullable = {path for path, field in _properties(schema, "") if "null" not in field["type"]}

    assert not_nullable == {f".{field}" for field in KEYS[name]}
    assert set(schema["required"]) == KEYS[name]


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_field_has_a_one_line_description(name: str) -> None:
    for path, field in _properties(SCHEMAS[name], ""):
        text = field["description"]
        assert text.endswith("."), path
        assert "\n" not in text, path
        is_timestamp = field.get("format") == "date-time"
        assert ("(UTC)" in text) == is_timestamp, path


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_object_keeps_undocumented_fields(name: str) -> None:
    for path, field in _properties(SCHEMAS[name], ""):
        for inner in (field, field.get("items", {})):
            if "properties" in inner:
                assert inner["additionalProperties"] is True, path
