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
    """A response of a list.

    Attributes:
        rows: In the API's order.
        next_page: The address of the next page; None on the last one.
        answered_at: When the server answered (UTC, its own clock, whole seconds).
    """

    rows: list[Record]
    next_page: str | None
    answered_at: datetime


def digest(row: Record) -> bytes:
    """Return a digest of a row's content, which tells its versions apart."""
    return hashlib.blake2b(msgspec.json.encode(row), digest_size=16).digest()


def page_of(envelope: str, body: Any, response: requests.Response, *, paged: bool) -> Page:  # noqa: ANN401
    """Read a response.

    Args:
        envelope: The key that holds the rows, `collection`, or the one row, `resource`.
        body: Its JSON.
        response: The response itself.
        paged: Whether the API gives the list in pages.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is not what Calendly's API sends.
    """
    found = body[envelope]
    several = envelope == "collection"
    rows = found if several else [found]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = "rows that are not objects"
        raise TypeError(message)
    return Page(
        rows=rows,
        next_page=_next_page(body["pagination"], response) if several and paged else None,
        answered_at=parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc),
    )


def _next_page(pagination: dict[str, Any], response: requests.Response) -> str | None:
    """Return the address of the next page: Calendly binds page tokens to the exact query."""
    address, token = pagination["next_page"], pagination.get("next_page_token")
    if address is None and token is not None:
        parts = urlsplit(str(response.request.url))
        query = [pair for pair in parse_qsl(parts.query) if pair[0] != "page_token"]
        address = parts._replace(query=urlencode([*query, ("page_token", token)])).geturl()
    if address is not None and not isinstance(address, str):
        message = "an address that is not a text"
        raise TypeError(message)
    return address
