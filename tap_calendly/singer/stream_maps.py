"""What is wrong with given stream maps.

The SDK passes over a name that it does not know, so that what was to be hidden would be loaded,
finds most faults of an expression with the first row alone, and repeats the expression.
"""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
)
from typing_extensions import override

from tap_calendly.reporting.errors import CalendlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

FUNCTIONS = ("md5", "sha256", "datetime", "json", "bool", "int", "float", "str", "rand", "randint")
GIVEN = ("_", "record", "self", "config", "fake", "__stream_name__", "__original_stream_name__")
"""What an expression can use beside the columns, by the SDK's documentation."""

EXPRESSION = "must be an expression of stream maps"


def problems(
    maps: object, columns: Mapping[str, Collection[str]], keys: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Find what cannot be used.

    Args:
        maps: The setting `stream_maps`.
        columns: The names of the columns of each stream.
        keys: Those of its key.

    Yields:
        One sentence for each problem, naming the setting and what is allowed.
    """
    if not isinstance(maps, dict):
        yield "Setting `stream_maps` must be an object with a map for each stream."
        return
    for name, given in maps.items():
        setting = f"Setting `stream_maps.{name}`"
        if name == MAPPER_ELSE_OPTION:
            if problem := _of_nothing(given):
                yield f"{setting} {problem}."
            continue
        source = given.get(MAPPER_SOURCE_OPTION, name) if isinstance(given, dict) else name
        streams = [one for one in columns if isinstance(source, str) and fnmatch(one, source)]
        if not streams:
            yield f"{setting} must be the name of a stream, or have one as its `__source__`."
        elif isinstance(given, dict):
            known = {column for one in streams for column in columns[one]}
            key = {column for one in streams for column in keys[one]}
            for part, problem in _of_stream(given, known, key):
                yield f"Setting `stream_maps.{name}.{part}` {problem}."
        elif _of_nothing(given):
            yield f"{setting} must be an object of columns, or null to leave the stream out."


class Map(CustomStreamMap):
    """A stream map that says which column it cannot give for a row, without the expression."""

    @override
    def _eval(
        self, expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None
    ) -> str | int | float:
        """Evaluate an expression (private in singer-sdk 0.54)."""
        try:
            return super()._eval(expr, expr_parsed, record, property_name)
        except Exception as error:  # noqa: BLE001 - whatever an expression can do
            message = (
                f"{self.stream_name}: `{property_name or MAPPER_FILTER_OPTION}` of `stream_maps` "
                f"fails with a row ({type(error).__name__}): write it so that it bears what may be "
                "null, such as `md5(name) if name else None`."
            )
            raise CalendlyError(message) from None


def _of_stream(
    given: Mapping[str, Any], columns: Collection[str], key: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Check the map of a stream, part by part."""
    named = given.get(MAPPER_KEY_PROPERTIES_OPTION, list(key))
    if not isinstance(named, list) or not all(one in (*columns, *given) for one in named):
        yield MAPPER_KEY_PROPERTIES_OPTION, "must be a list of columns"
        named = []
    for part, value in given.items():
        problem = None
        if part in OPTIONS:
            problem = OPTIONS[part](value)
        elif part == MAPPER_FILTER_OPTION or _of_nothing(value):
            problem = _of_expression(value, columns)
        elif part in named:
            problem = "must not be left out, as it is in the key"
        elif part not in columns:
            problem = "must be the name of a column"
        if part.startswith("__") and part not in {*OPTIONS, MAPPER_FILTER_OPTION}:
            problem = "is no option of stream maps"
        if problem is not None:
            yield part, problem


def _of_expression(value: object, columns: Collection[str]) -> str | None:
    """Check an expression without repeating it: it may hold a secret, such as a salt."""
    tree = _parsed(value)
    if tree is None:
        return EXPRESSION
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    if {node.id for node in names} - bound - {*FUNCTIONS, *GIVEN, *columns}:
        return "uses a name that is neither a column of the stream nor a function of stream maps"
    return None


def _parsed(value: object) -> ast.Expression | None:
    try:
        return ast.parse(value, mode="eval") if isinstance(value, str) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _of_alias(value: object) -> str | None:
    return None if _parsed(value) else "must be the name of a table, or an expression"


def _of_nothing(value: object) -> str | None:
    return None if value is None or value == NULL_STRING else f"must be null or {NULL_STRING}"


OPTIONS: dict[str, Callable[[object], str | None]] = {
    MAPPER_ELSE_OPTION: _of_nothing,
    MAPPER_ALIAS_OPTION: _of_alias,
    MAPPER_SOURCE_OPTION: lambda _: None,  # checked with the streams
    MAPPER_KEY_PROPERTIES_OPTION: lambda _: None,  # checked with the columns
}
"""What is wrong with the options of a stream's map."""
