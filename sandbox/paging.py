"""Pages of a list, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import CalendlyError, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.state import Record

PAGE_TOKEN = "page_token"  # noqa: S105 -- the name of a parameter


@dataclass(frozen=True)
class Page:
    """A stretch of a list.

    Attributes:
        rows: What stands on it.
        next_token: Leads to the following page; ``None`` on the last one.
        previous_token: Leads to the preceding page; ``None`` on the first one.
    """

    rows: Sequence[Record]
    next_token: str | None
    previous_token: str | None


def page_of(rows: Sequence[Record], *, path: str, query: Mapping[str, str], count: int) -> Page:
    """Cut the page that a query asks for out of a list.

    Rows are counted from the beginning of the list as it is now. A row that comes or goes between
    two pages moves all that follow: Calendly does not say that it is otherwise.

    Args:
        rows: The whole list.
        path: The path that was asked for.
        query: Its parameters as they were sent, the page token included.
        count: How many rows a page has.

    Raises:
        CalendlyError: 400, if the token was not made for exactly this query.
    """
    token = query.get(PAGE_TOKEN)
    start = 0 if token is None else _offset(token, path, query)
    end = start + count
    return Page(
        rows[start:end],
        _token(end, path, query) if end < len(rows) else None,
        _token(max(start - count, 0), path, query) if start > 0 else None,
    )


def _token(offset: int, path: str, query: Mapping[str, str]) -> str:
    content = f"{offset}:{_digest(path, query)}"
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def _offset(token: str, path: str, query: Mapping[str, str]) -> int:
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        offset, digest = content.split(":")
        if digest == _digest(path, query):
            return int(offset)
    except ValueError:
        raise _invalid_token() from None
    raise _invalid_token()


def _digest(path: str, query: Mapping[str, str]) -> str:
    """Return what is the same for two queries that differ in nothing but the page token."""
    bound = sorted((name, value) for name, value in query.items() if name != PAGE_TOKEN)
    return hashlib.sha256(json.dumps([path, bound]).encode()).hexdigest()[:16]


def _invalid_token() -> CalendlyError:
    return invalid_argument(PAGE_TOKEN, "is invalid")
