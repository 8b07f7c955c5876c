"""Rows that fit their columns, though Calendly gives a value in another form than it documents.

A target fails on a value that is not what the schema says. Whether a row fits is told by msgspec,
in C; one that does not is looked at value by value: put into the form of its column where nothing
is lost by that, else left null or cut, which is counted.
"""

from __future__ import annotations

import math
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union

import msgspec

from tap_calendly import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_sdk.helpers.types import Record

INTEGERS = (-(2**63), 2**63 - 1)
"""What a column of whole numbers holds in most databases."""

COLUMN_INTEGER = Annotated[int, msgspec.Meta(ge=INTEGERS[0], le=INTEGERS[1])]
COLUMN_TIME = Annotated[datetime, msgspec.Meta(tz=True)]

WRITTEN = "2026-03-04T09:30:00.000000Z"
"""A moment as Calendly writes it, to the microsecond: databases keep it no finer."""

DAY_ENDS = len("2026-03-04")
SECONDS_END = len("2026-03-04T09:30:00")

MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?)(\d*)(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
WHOLE = re.compile(r"-?\d{1,300}", re.ASCII)
DECIMAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

CUT = "finer than a microsecond: cut in the table"
TOO_LARGE = "beyond 64 bits: null in the table"
NOT_THE_KIND = {
    "object": "no object: null in the table",
    "array": "no list: null in the table",
    "integer": "no whole number: null in the table",
    "number": "no number: null in the table",
    "boolean": "neither true nor false: null in the table",
}
NO_MOMENT = "no moment in time: null in the table"


class CoercionIssue(NamedTuple):
    """A value that could not be kept as it is.

    Attributes:
        field: Where it stood; dots lead into objects.
        problem: What it is, and what the table has.
    """

    field: str
    problem: str


class Columns:
    """The columns of a stream's table."""

    def __init__(self, schema: Mapping[str, Any], levels: int) -> None:
        """Prepare to tell quickly what fits.

        Args:
            schema: What a row is.
            levels: How many levels of objects are made columns of their own.
        """
        self._properties: Mapping[str, Any] = schema["properties"]
        self._levels = levels
        self._type = _struct_of(self._properties, 0, complete=True)
        self._times = [name for name, one in self._properties.items() if _is_time(one)]

    def fits(self, row: Record) -> bool:
        """Tell whether nothing needs to be done, as of almost all rows.

        Args:
            row: The row.

        Returns:
            Whether it has columns alone, and all are in their form.
        """
        if self._levels:
            return False
        try:
            msgspec.convert(row, self._type)
        except msgspec.ValidationError:
            return False
        for name in self._times:
            value = row.get(name)
            if value is not None and (
                len(value) > len(WRITTEN) or value[-1] != "Z" or value[DAY_ENDS] != "T"
            ):
                return False
        return True

    def fit(self, row: Record) -> tuple[Record, list[CoercionIssue]]:
        """Put a row into the form of its columns.

        Args:
            row: The row; it stays as it is.

        Returns:
            The row as the schema has it, and what could not be kept.
        """
        found: list[CoercionIssue] = []
        fitted = {
            name: _fitted(value, self._properties.get(name, {}), name, self._levels, found)
            for name, value in row.items()
        }
        return fitted, found


def _struct_of(
    properties: Mapping[str, Any], levels: int, *, complete: bool = False
) -> type[msgspec.Struct]:
    """Write an object as a type for msgspec; what it does not name is refused, or not looked at."""
    names = {f"field_{number}": name for number, name in enumerate(properties)}
    fields = [(ours, _type_of(properties[name], levels), None) for ours, name in names.items()]
    return msgspec.defstruct("Row", fields, rename=names, gc=False, forbid_unknown_fields=complete)


def _type_of(schema: Mapping[str, Any], levels: int) -> Any:  # noqa: ANN401 - a type
    """Write a schema as a type for msgspec."""
    if "type" not in schema:
        return Any
    column = levels >= 0
    types: dict[str, Any] = {
        "boolean": bool,
        "integer": COLUMN_INTEGER if column else int,
        "number": float,
        "string": COLUMN_TIME if column and _is_time(schema) else str,
        "array": list[_type_of(schema.get("items", {}), -1)],  # type: ignore[misc]
        "object": _struct_of(schema["properties"], levels - 1) if "properties" in schema else dict,
    }
    return Union[(*(types[kind] for kind in _kinds(schema)), None)]


def _fitted(
    value: Any,  # noqa: ANN401 - whatever JSON holds
    schema: Mapping[str, Any],
    field: str,
    levels: int,
    found: list[CoercionIssue],
) -> Any:  # noqa: ANN401 - likewise
    """Put a value into the form that its schema asks for, and collect what could not be kept.

    Args:
        value: The value.
        schema: What it should be.
        field: Where it stands.
        levels: Levels of objects within it that are columns; below 0 it is JSON within one.
        found: Where to collect.
    """
    kinds = _kinds(schema)
    if value is None or not kinds:
        return value
    if isinstance(value, dict) and "object" in kinds:
        known = schema.get("properties", {})
        return {
            name: _fitted(inner, known.get(name, {}), f"{field}.{name}", levels - 1, found)
            for name, inner in value.items()
        }
    if isinstance(value, list) and "array" in kinds:
        return [_fitted(inner, schema.get("items", {}), field, -1, found) for inner in value]
    fitted, problem = _scalar(value, schema, column=levels >= 0)
    if problem is not None:
        found.append(CoercionIssue(field, problem))
    return fitted


def _scalar(value: Any, schema: Mapping[str, Any], *, column: bool) -> tuple[Any, str | None]:  # noqa: ANN401
    """Put a value into one of the kinds that are no objects or lists, its own if possible."""
    kinds = _kinds(schema)
    own = KIND_OF.get(type(value))
    attempts = (AS_KIND[kind](value) for kind in sorted(kinds, key=lambda kind: kind != own))
    fitted = next((attempt for attempt in attempts if attempt is not None), None)
    if fitted is None:
        return None, NOT_THE_KIND[kinds[0]]
    if column and _is_time(schema):
        return _moment(fitted)
    if column and kinds == ["integer"] and not INTEGERS[0] <= fitted <= INTEGERS[1]:
        return None, TOO_LARGE
    return fitted, None


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if WHOLE.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if not isinstance(value, float) and (whole := _whole(value)) is not None:
        return whole if abs(whole) <= sys.float_info.max else None
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, (int, float)) and value in (0, 1) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _nothing(_: object) -> None:
    """Make no object or list of what is none."""


def _moment(text: str) -> tuple[str | None, str | None]:
    """Write a moment in UTC, to the microsecond."""
    if (parts := MOMENT.fullmatch(text)) is None:
        return None, NO_MOMENT
    whole, rest, offset = parts.groups()
    try:
        moment = timestamps.parse(whole + (offset or ""))
    except ValueError:
        return None, NO_MOMENT
    written = moment.isoformat().replace("+00:00", "Z")
    if not rest and offset == "Z" and text.startswith(written[:SECONDS_END]):
        return text, None  # which differs in the digits of a second alone
    return written, CUT if rest.strip("0") else None


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """Give the kinds of JSON value that a schema names, beside null."""
    kinds = schema.get("type", [])
    return [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]


def _is_time(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "date-time"


KIND_OF = {bool: "boolean", str: "string", int: "integer", float: "number"}
AS_KIND: dict[str, Callable[[object], Any]] = {
    "integer": _whole,
    "number": _number,
    "boolean": _truth,
    "string": _text,
    "object": _nothing,
    "array": _nothing,
}
