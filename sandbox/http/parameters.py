"""Query parameters, as Calendly's API reference describes them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.http.errors import invalid_argument
from sandbox.organization.identifiers import API
from sandbox.organization.timestamps import to_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.http.paging import Pairs

DEFAULT_COUNT = 20
MAX_COUNT = 100

TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Parameters:
    """The parameters of one query, each checked when it is read.

    A parameter that was not sent is ``None``, unless it has a default. A wrong one raises
    :class:`~sandbox.http.errors.CalendlyError` (400, naming the parameter).
    """

    def __init__(self, pairs: Pairs) -> None:
        """Take the parameters as sent."""
        self.pairs = pairs
        self.sent = dict(pairs)

    def count(self, most: int = MAX_COUNT) -> int:
        """Return the rows of a page, from 1 to ``most``."""
        name = "count"
        text = self.sent.get(name)
        if text is None:
            return DEFAULT_COUNT
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
            raise invalid_argument(name, f"must be an integer from 1 to {most}")
        return int(text)

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Return one of the ``allowed`` values."""
        text = self.sent.get(name)
        if text is not None and text not in allowed:
            raise invalid_argument(name, f"must be one of {', '.join(allowed)}")
        return text

    def required_choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of the ``allowed`` values; required."""
        return _given(name, self.choice(name, allowed))

    def boolean(self, name: str) -> bool | None:
        """Return a boolean."""
        text = self.choice(name, ("true", "false"))
        return None if text is None else text == "true"

    def email(self, name: str) -> str | None:
        """Return an e-mail address."""
        text = self.sent.get(name)
        if text is not None and not EMAIL.fullmatch(text):
            raise invalid_argument(name, "is not a valid email")
        return text

    def time(self, name: str) -> str | None:
        """Return a time as a timestamp, to compare with those of records."""
        text = self.sent.get(name)
        if text is None:
            return None
        match = TIME.fullmatch(text)
        if match is None:
            raise invalid_argument(name, "is not a valid date-time")
        date, clock, fraction, offset = match.groups()
        micros = (fraction or "").ljust(6, "0")[:6]
        try:
            time = datetime.fromisoformat(f"{date}T{clock}.{micros}{offset.replace('Z', '+00:00')}")
            return to_timestamp(time)
        except (ValueError, OverflowError):
            raise invalid_argument(name, "is not a valid date-time") from None

    def required_time(self, name: str) -> str:
        """Return a time as :meth:`time` does; required."""
        return _given(name, self.time(name))

    def uri(self, name: str, *collections: str) -> str | None:
        """Return the canonical URI of a record in one of ``collections``, such as ``users``."""
        text = self.sent.get(name)
        if text is not None:
            _check_uri(name, text, collections)
        return text

    def required_uri(self, name: str, collection: str) -> str:
        """Return the canonical URI of a record in ``collection``; required."""
        return _given(name, self.uri(name, collection))

    def several(self, name: str, allowed: Sequence[str] | None = None) -> list[str]:
        """Return the values of a parameter that may be repeated; none if it was not sent.

        Calendly does not say how: ``name=a&name=b`` and ``name[]=a&name[]=b`` both work.
        """
        values = [value for key, value in self.pairs if key in (name, f"{name}[]")]
        if allowed is not None and not set(values) <= set(allowed):
            raise invalid_argument(name, f"must be some of {', '.join(allowed)}")
        return values

    def several_uris(self, name: str, collection: str) -> list[str]:
        """Return the canonical URIs of records in ``collection``, as :meth:`several` does."""
        values = self.several(name)
        for value in values:
            _check_uri(name, value, [collection])
        return values

    def sort(self, *fields: str) -> str | None:
        """Return one of ``fields`` with ``:asc`` or ``:desc``."""
        return self.choice("sort", orders(*fields))


def orders(*fields: str) -> list[str]:
    """Return the values of ``sort`` for these fields."""
    return [f"{field}:{way}" for field in fields for way in ("asc", "desc")]


def _given(name: str, value: str | None) -> str:
    if value is None:
        raise invalid_argument(name, "is missing")
    return value


def _check_uri(name: str, text: str, collections: Sequence[str]) -> None:
    """Refuse ``text`` unless it is a canonical URI; ``{uuid}`` in a collection matches any."""
    for collection in collections:
        pattern = f"{re.escape(API)}/{collection}/{{uuid}}".replace("{uuid}", r"[\w-]+")
        if re.fullmatch(pattern, text):
            return
    raise invalid_argument(name, f"is not a valid URI of {' or '.join(collections)}")
