"""Pages of a list, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from sandbox.http.errors import CalendlyError, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.organization.state import Record

TIMES = {"min_start_time", "max_start_time"}
SIX_DIGITS = re.compile(r"\.\d{6}Z$")
"""Without exactly six digits of a second Calendly has refused its own page tokens."""

Pairs: TypeAlias = "Sequence[tuple[str, str]]"
"""The parameters of a query by name; a name may come several times."""

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


@dataclass(frozen=True)
class Moment:
    """When a page is asked for, and how long page tokens live.

    Attributes:
        now: The present moment (UTC).
        life: How long a token is good for; ``None`` for ever. Calendly does not say.
    """

    now: datetime
    life: timedelta | None = None


def page_of(rows: Sequence[Record], *, path: str, query: Pairs, count: int, moment: Moment) -> Page:
    """Cut the page that a query asks for out of a list.

    Rows are counted from the beginning of the list as it is now. A row that comes or goes between
    two pages moves all that follow: Calendly does not say that it is otherwise.

    Args:
        rows: The whole list.
        path: The path that was asked for.
        query: Its parameters as they were sent, the page token included.
        count: How many rows a page has.
        moment: When it is asked for.

    Raises:
        CalendlyError: 400, if the token was not made for exactly this query, or is too old.
    """
    token = dict(query).get(PAGE_TOKEN)
    if token is not None and any(
        name in TIMES and not SIX_DIGITS.search(value) for name, value in query
    ):
        raise _invalid_token()
    start = 0 if token is None else _offset(token, path, query, moment)
    end = start + count
    return Page(
        rows[start:end],
        _token(end, path, query, moment) if end < len(rows) else None,
        _token(max(start - count, 0), path, query, moment) if start > 0 else None,
    )


def _token(offset: int, path: str, query: Pairs, moment: Moment) -> str:
    content = f"{offset}:{_digest(path, query)}:{moment.now.timestamp()}"
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def _offset(token: str, path: str, query: Pairs, moment: Moment) -> int:
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        offset, digest, made = content.split(":")
        age = timedelta(seconds=moment.now.timestamp() - float(made))
        if digest == _digest(path, query) and (moment.life is None or age <= moment.life):
            return int(offset)
    except ValueError:
        raise _invalid_token() from None
    raise _invalid_token()


def _digest(path: str, query: Pairs) -> str:
    """Return what is the same for two queries that differ in nothing but the page token."""
    bound = sorted((name, value) for name, value in query if name != PAGE_TOKEN)
    return hashlib.sha256(json.dumps([path, bound]).encode()).hexdigest()[:16]


def _invalid_token() -> CalendlyError:
    return invalid_argument(PAGE_TOKEN, "is invalid")
