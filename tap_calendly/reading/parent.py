"""How a stream is read for each row of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

from tap_calendly.api.page import Record


@dataclass(frozen=True)
class Parent:
    """The stream for each of whose rows another one is read.

    Attributes:
        stream: The parent's class.
        parameter: The query parameter that takes the URI; None where the path holds its ID.
        uri: The field of the parent's row that holds the URI; a dot leads into an object.
        columns: Columns to join the two tables by, each with the parent's field it is taken from.
        applies_to: Whether there is anything to read for a row of the parent.
        link: The field of the parent's row that is null where there is nothing to read.
        tolerates: Statuses that, like 404, say that nothing can be read for a row.
        gone: Statuses that may mean that the row is gone, which is then checked.
        at_once: How many rows of the parent one request asks about; if several, without `columns`.
    """

    stream: type
    parameter: str | None = None
    uri: str = "uri"
    columns: Mapping[str, str] = field(default_factory=dict)
    applies_to: Callable[[Record], bool] = lambda _: True
    link: str | None = None
    tolerates: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset({HTTPStatus.NOT_FOUND})
    at_once: int = 1

    def context(self, row: Record) -> Context | None:
        """Return the context that a row gives; None if it does not name what to ask for."""
        uri = _value(row, self.uri)
        if not isinstance(uri, str):
            return None
        columns = {column: _value(row, name) for column, name in self.columns.items()}
        return Context(self, (uri,), columns)


class Context(NamedTuple):
    """A row of the parent to read another stream for, or several that one request asks about.

    Attributes:
        parent: What the child declares.
        uris: The URIs of the rows.
        columns: Columns for what is read.
    """

    parent: Parent
    uris: tuple[str, ...]
    columns: dict[str, Any]

    @property
    def uri(self) -> str:
        """The URI of the row, or of the first one."""
        return self.uris[0]


def _value(row: Record, path: str) -> Any:  # noqa: ANN401 - any JSON
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
