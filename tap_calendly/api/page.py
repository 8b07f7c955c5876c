"""A page of a list, as Calendly's API answers it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import requests

Record = dict[str, Any]
"""A row, as the API gives it."""


class Page(msgspec.Struct, frozen=True):
    """A page."""

    rows: list[Record]  # in the API's order
    next_page: str | None  # its URL; None on the last page
    answered_at: datetime  # by the server's clock (UTC, whole seconds)


def digest(row: Record) -> bytes:
    """Return a digest that tells the versions of a row apart."""
    return hashlib.blake2b(msgspec.json.encode(row), digest_size=16).digest()


def page_of(envelope: str, body: Any, response: requests.Response, *, paged: bool) -> Page:  # noqa: ANN401
    """Read a response; raise one of `errors.UNREADABLE` if it is not what Calendly sends.

    The envelope is the key that holds the rows (`collection`), or the one row (`resource`).
    """
    rows = body[envelope] if envelope == "collection" else [body[envelope]]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = "rows that are not objects"
        raise TypeError(message)
    return Page(
        rows=rows,
        next_page=_next_page(body["pagination"], response) if paged else None,
        answered_at=parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc),
    )


def _next_page(pagination: dict[str, Any], response: requests.Response) -> str | None:
    """Return the URL of the next page: Calendly binds a page token to the exact query."""
    url, token = pagination["next_page"], pagination.get("next_page_token")
    if url is None and token is not None:
        parts = urlsplit(str(response.request.url))
        query = [pair for pair in parse_qsl(parts.query) if pair[0] != "page_token"]
        url = parts._replace(query=urlencode([*query, ("page_token", token)])).geturl()
    if url is not None and not isinstance(url, str):
        message = "a URL that is not a string"
        raise TypeError(message)
    return url
