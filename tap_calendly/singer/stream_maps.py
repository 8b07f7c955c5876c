"""Checks the stream maps.

The SDK ignores names that it does not know, so that data meant to be hidden would be loaded, finds
most errors in an expression only at the first row, and prints the expression.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)

FUNCTIONS = ("md5", "sha256", "datetime", "json", "bool", "int", "float", "str", "rand", "randint")
NAMES = ("_", "record", "self", "config", "fake", "__stream_name__", "__original_stream_name__")
"""What an expression can use besides columns, according to the SDK's documentation."""


def problems(
    maps: object, columns: Mapping[str, Collection[str]], keys: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield a sentence for each problem, given each stream's columns and key."""
    if not isinstance(maps, dict):
        yield "Setting `stream_maps` must be an object with a map for each stream."
        return
    for name, given in maps.items():
        setting = f"Setting `stream_maps.{name}`"
        if name == MAPPER_ELSE_OPTION:
            if problem := _problem_with_null(given):
                yield f"{setting} {problem}."
            continue
        source = given.get(MAPPER_SOURCE_OPTION, name) if isinstance(given, dict) else name
        streams = [one for one in columns if isinstance(source, str) and fnmatch(one, source)]
        if not streams:
            yield f"{setting} must be the name of a stream, or name one as its `__source__`."
        elif isinstance(given, dict):
            known = {column for one in streams for column in columns[one]}
            key = {column for one in streams for column in keys[one]}
            for part, problem in _problems_with_map(given, known, key):
                yield f"Setting `stream_maps.{name}.{part}` {problem}."
        elif _problem_with_null(given):
            yield f"{setting} must be an object of columns, or null to leave the stream out."


def _problems_with_map(
    given: Mapping[str, Any], columns: Collection[str], key: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield each wrong part of a stream's map, and what is wrong with it."""
    named = given.get(MAPPER_KEY_PROPERTIES_OPTION, list(key))
    if not isinstance(named, list) or not all(one in (*columns, *given) for one in named):
        yield MAPPER_KEY_PROPERTIES_OPTION, "must be a list of columns"
        named = []
    for part, value in given.items():
        problem = None
        if part in OPTIONS:
            problem = OPTIONS[part](value)
        elif part == MAPPER_FILTER_OPTION or _problem_with_null(value):
            problem = _problem_with_expression(value, columns)
        elif part in named:
            problem = "must not be left out, as it is part of the key"
        elif part not in columns:
            problem = "must be the name of a column"
        if part.startswith("__") and part not in {*OPTIONS, MAPPER_FILTER_OPTION}:
            problem = "is not an option of stream maps"
        if problem is not None:
            yield part, problem


def _problem_with_expression(value: object, columns: Collection[str]) -> str | None:
    """Check an expression without printing it: it may contain a secret, such as a salt."""
    tree = _parsed(value)
    if tree is None:
        return "must be a stream map expression"
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    if {node.id for node in names} - bound - {*FUNCTIONS, *NAMES, *columns}:
        return "uses a name that is neither a column of the stream nor a stream map function"
    return None


def _parsed(value: object) -> ast.Expression | None:
    try:
        return ast.parse(value, mode="eval") if isinstance(value, str) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _problem_with_alias(value: object) -> str | None:
    return None if _parsed(value) else "must be the name of a table, or an expression"


def _problem_with_null(value: object) -> str | None:
    return None if value is None or value == NULL_STRING else f"must be null or {NULL_STRING}"


OPTIONS: dict[str, Callable[[object], str | None]] = {
    MAPPER_ELSE_OPTION: _problem_with_null,
    MAPPER_ALIAS_OPTION: _problem_with_alias,
    MAPPER_SOURCE_OPTION: lambda _: None,  # checked against the streams
    MAPPER_KEY_PROPERTIES_OPTION: lambda _: None,  # checked against the columns
}
