"""How the rows of one stream lead to those of another, which the API gives row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tap_calendly.api.page import Record


class Context(NamedTuple):
    """A row of the parent, for which another stream is read.

    Attributes:
        uri: What is asked for.
        columns: What the rows that are read for it get from it.
    """

    uri: str
    columns: dict[str, Any]


@dataclass(frozen=True)
class Parent:
    """The stream for whose rows another one is read.

    Attributes:
        stream: The parent's class.
        parameter: The parameter that takes the URI; None where the path holds its id.
        uri: The field of the parent's row that holds the URI; a dot leads into an object.
        columns: Columns that join the two tables, with the field of the parent's row for each.
        applies_to: Whether there is anything to read for a row of the parent.
        link: The field of the parent's row that is null where there is nothing to read.
        tolerates: Statuses beside 404 that say of a row that nothing can be read for it.
    """

    stream: type
    parameter: str | None = None
    uri: str = "uri"
    columns: Mapping[str, str] = field(default_factory=dict)
    applies_to: Callable[[Record], bool] = lambda _: True
    link: str | None = None
    tolerates: frozenset[int] = frozenset()

    def context(self, row: Record) -> Context | None:
        """Give the context of a row; None where it names nothing to ask for."""
        uri = _value(row, self.uri)
        if not isinstance(uri, str):
            return None
        columns = {column: _value(row, name) for column, name in self.columns.items()}
        return Context(uri, columns)


def _value(row: Record, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
