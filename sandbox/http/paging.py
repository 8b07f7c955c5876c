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
"""Without exactly six digits of a second, Calendly has refused its own page tokens."""

Pairs: TypeAlias = "Sequence[tuple[str, str]]"
"""The parameters of a query; a name may appear several times."""

PAGE_TOKEN = "page_token"  # noqa: S105 -- the name of a parameter


@dataclass(frozen=True)
class Page:
    """One page of a list; a token is ``None`` where there is no such page."""

    rows: Sequence[Record]
    next_token: str | None
    previous_token: str | None


@dataclass(frozen=True)
class PageTokens:
    """The page tokens of one query, which work for exactly this query.

    Attributes:
        path: The path requested.
        query: Its parameters as sent, page token included.
        now: The current time (UTC).
        life: How long a token is valid; ``None`` for ever. Calendly does not say.
    """

    path: str
    query: Pairs
    now: datetime
    life: timedelta | None = None

    def page(self, rows: Sequence[Record], count: int) -> Page:
        """Return the page of ``count`` rows that the query asks for.

        Rows are counted in the list as it is now, so one that comes or goes between two requests
        shifts all that follow; Calendly does not say otherwise.

        Raises:
            CalendlyError: 400, if the token was made for another query, or is too old.
        """
        start = self._start()
        end = start + count
        return Page(
            rows[start:end],
            self._token(end) if end < len(rows) else None,
            self._token(max(start - count, 0)) if start > 0 else None,
        )

    def _start(self) -> int:
        token = dict(self.query).get(PAGE_TOKEN)
        if token is None:
            return 0
        if any(name in TIMES and not SIX_DIGITS.search(value) for name, value in self.query):
            raise _invalid_token()
        try:
            content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            offset, digest, made = content.split(":")
            age = timedelta(seconds=self.now.timestamp() - float(made))
            if digest == self._digest() and (self.life is None or age <= self.life):
                return int(offset)
        except ValueError:
            raise _invalid_token() from None
        raise _invalid_token()

    def _token(self, offset: int) -> str:
        content = f"{offset}:{self._digest()}:{self.now.timestamp()}"
        return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()

    def _digest(self) -> str:
        """Return what queries have in common that differ only in the page token."""
        bound = sorted((name, value) for name, value in self.query if name != PAGE_TOKEN)
        return hashlib.sha256(json.dumps([self.path, bound]).encode()).hexdigest()[:16]


def _invalid_token() -> CalendlyError:
    return invalid_argument(PAGE_TOKEN, "is invalid")
