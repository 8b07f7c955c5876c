"""Coerces values to the types of their columns when Calendly departs from its documentation.

A target fails on a value that does not match the schema. msgspec checks in C whether a row matches,
as almost every row does. Any other row is coerced value by value; what cannot be coerced without
loss becomes null, or is truncated, and is counted.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeAlias, Union

import msgspec

from tap_calendly import timestamps

Schema = Mapping[str, Any]
Value: TypeAlias = Any
"""Any JSON."""

BIGINT = (-(2**63), 2**63 - 1)
"""The least and the greatest value of an integer column in most databases."""

COLUMN_INTEGER = Annotated[int, msgspec.Meta(ge=BIGINT[0], le=BIGINT[1])]
COLUMN_TIMESTAMP = Annotated[datetime, msgspec.Meta(tz=True)]

LONGEST = len("2026-03-04T09:30:00.000000Z")
"""Databases keep timestamps to the microsecond."""

DATE = len("2026-03-04")
DATE_AND_TIME = len("2026-03-04T09:30:00")

TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?)(\d*)(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
INTEGER = re.compile(r"-?\d{1,300}", re.ASCII)
DECIMAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

TRUNCATED = "finer than a microsecond, truncated in the table"
TOO_LARGE = "larger than 64 bits, null in the table"
NOT_A_TIMESTAMP = "not a timestamp, null in the table"
NOT_OF_TYPE = {
    "object": "not an object, null in the table",
    "array": "not a list, null in the table",
    "integer": "not an integer, null in the table",
    "number": "not a number, null in the table",
    "boolean": "neither true nor false, null in the table",
}


class CoercionIssue(NamedTuple):
    """A value that could not be kept: its field, as a dotted path, and what became of it."""

    field: str
    problem: str


class Columns:
    """The columns of a stream's table."""

    def __init__(self, schema: Schema, levels: int) -> None:
        """Compile a row's JSON schema; `levels` of nested objects become columns of their own."""
        self._properties: Schema = schema["properties"]
        self._levels = levels
        self._row_type = _struct(self._properties, 0, forbid_unknown=True)
        self._timestamps = [name for name, one in self._properties.items() if _is_timestamp(one)]

    def fits(self, row: dict[str, Any]) -> bool:
        """Check quickly whether a row needs no coercion and has no field without a column."""
        if self._levels:
            return False
        try:
            msgspec.convert(row, self._row_type)
        except msgspec.ValidationError:
            return False
        for name in self._timestamps:
            value = row.get(name)
            if value and (len(value) > LONGEST or value[-1] != "Z" or value[DATE] != "T"):
                return False
        return True

    def coerce(self, row: dict[str, Any]) -> tuple[dict[str, Any], list[CoercionIssue]]:
        """Return a copy of the row that matches the schema, and what could not be kept."""
        issues: list[CoercionIssue] = []
        coerced = {
            name: _coerced(value, self._properties.get(name, {}), name, self._levels, issues)
            for name, value in row.items()
        }
        return coerced, issues


def _struct(
    properties: Schema, levels: int, *, forbid_unknown: bool = False
) -> type[msgspec.Struct]:
    names = {f"field_{number}": name for number, name in enumerate(properties)}
    fields = [(field, _type(properties[name], levels), None) for field, name in names.items()]
    return msgspec.defstruct(
        "Row", fields, rename=names, gc=False, forbid_unknown_fields=forbid_unknown
    )


def _type(schema: Schema, levels: int) -> Any:  # noqa: ANN401 - a type
    """Translate a JSON schema for msgspec; below level 0 a value is JSON within a column."""
    if "type" not in schema:
        return Any
    is_column = levels >= 0
    types: dict[str, Any] = {
        "boolean": bool,
        "integer": COLUMN_INTEGER if is_column else int,
        "number": float,
        "string": COLUMN_TIMESTAMP if is_column and _is_timestamp(schema) else str,
        "array": list[_type(schema.get("items", {}), -1)],  # type: ignore[misc]
        "object": _struct(schema["properties"], levels - 1) if "properties" in schema else dict,
    }
    return Union[(*(types[name] for name in _types(schema)), None)]


def _coerced(
    value: Value, schema: Schema, field: str, levels: int, issues: list[CoercionIssue]
) -> Value:
    """Coerce a value and all within it; below level 0 it is JSON within a column."""
    types = _types(schema)
    if value is None or not types:
        return value
    if isinstance(value, dict) and "object" in types:
        known = schema.get("properties", {})
        return {
            name: _coerced(inner, known.get(name, {}), f"{field}.{name}", levels - 1, issues)
            for name, inner in value.items()
        }
    if isinstance(value, list) and "array" in types:
        return [_coerced(inner, schema.get("items", {}), field, -1, issues) for inner in value]
    coerced, problem = _coerced_scalar(value, schema, is_column=levels >= 0)
    if problem is not None:
        issues.append(CoercionIssue(field, problem))
    return coerced


def _coerced_scalar(value: Value, schema: Schema, *, is_column: bool) -> tuple[Value, str | None]:
    """Coerce a value to one of the schema's types, first of all its own; return also a problem."""
    types = _types(schema)
    own = JSON_TYPE.get(type(value))
    own_first = sorted(types, key=lambda name: name != own)
    attempts = (COERCE_TO[name](value) for name in own_first if name in COERCE_TO)
    coerced = next((attempt for attempt in attempts if attempt is not None), None)
    if coerced is None:
        return None, NOT_OF_TYPE[types[0]]
    if is_column and _is_timestamp(schema):
        return _to_timestamp(coerced)
    if is_column and types == ["integer"] and not BIGINT[0] <= coerced <= BIGINT[1]:
        return None, TOO_LARGE
    return coerced, None


def _to_integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if INTEGER.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _to_number(value: object) -> float | None:
    if not isinstance(value, float) and (integer := _to_integer(value)) is not None:
        return integer if abs(integer) <= sys.float_info.max else None
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def _to_boolean(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, (int, float)) and value in (0, 1) else None


def _to_string(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _to_timestamp(text: str) -> tuple[str | None, str | None]:
    """Write a timestamp in UTC to the microsecond; return also what that loses, if anything."""
    if (match := TIMESTAMP.fullmatch(text)) is None:
        return None, NOT_A_TIMESTAMP
    to_microsecond, finer, offset = match.groups()
    try:
        written = timestamps.in_iso(timestamps.parse(to_microsecond + (offset or "")))
    except ValueError:
        return None, NOT_A_TIMESTAMP
    if not finer and offset == "Z" and text.startswith(written[:DATE_AND_TIME]):
        return text, None  # it has another number of fractional digits at most
    return written, TRUNCATED if finer.strip("0") else None


def _types(schema: Schema) -> list[str]:
    """Return the JSON types that a schema names, except null."""
    types = schema.get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _is_timestamp(schema: Schema) -> bool:
    return schema.get("format") == "date-time"


JSON_TYPE = {bool: "boolean", str: "string", int: "integer", float: "number"}
COERCE_TO: dict[str, Callable[[object], Any]] = {
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "string": _to_string,
}
