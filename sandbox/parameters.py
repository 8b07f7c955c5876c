"""The parameters of a query, read as Calendly's API reference describes them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.errors import invalid_argument
from sandbox.identifiers import API, rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_COUNT = 20
MAX_COUNT = 100

TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Parameters:
    """The parameters of one query; each is checked when it is asked for.

    Every method returns ``None`` for a parameter that was not sent, unless it has a default, and
    raises :class:`~sandbox.errors.CalendlyError` (400, naming the parameter) for a wrong one.
    """

    def __init__(self, sent: Mapping[str, str]) -> None:
        """Take the parameters as they were sent."""
        self.sent = sent

    def count(self) -> int:
        """Return how many rows a page shall have, from 1 to 100."""
        name = "count"
        text = self.sent.get(name)
        if text is None:
            return DEFAULT_COUNT
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= MAX_COUNT:
            raise invalid_argument(name, f"must be an integer from 1 to {MAX_COUNT}")
        return int(text)

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Return one of the ``allowed`` words."""
        text = self.sent.get(name)
        if text is not None and text not in allowed:
            raise invalid_argument(name, f"must be one of {', '.join(allowed)}")
        return text

    def boolean(self, name: str) -> bool | None:
        """Return whether it says true or false."""
        text = self.choice(name, ("true", "false"))
        return None if text is None else text == "true"

    def email(self, name: str) -> str | None:
        """Return an e-mail address."""
        text = self.sent.get(name)
        if text is not None and not EMAIL.fullmatch(text):
            raise invalid_argument(name, "is not a valid email")
        return text

    def time(self, name: str) -> str | None:
        """Return a moment in the form that records have, so that the two compare as text."""
        text = self.sent.get(name)
        if text is None:
            return None
        match = TIME.fullmatch(text)
        if match is None:
            raise invalid_argument(name, "is not a valid date-time")
        date, clock, fraction, offset = match.groups()
        micros = (fraction or "").ljust(6, "0")[:6]
        try:
            moment = datetime.fromisoformat(
                f"{date}T{clock}.{micros}{offset.replace('Z', '+00:00')}"
            )
            return rendered(moment)
        except (ValueError, OverflowError):
            raise invalid_argument(name, "is not a valid date-time") from None

    def uri(self, name: str, collection: str) -> str | None:
        """Return the canonical URI of something in ``collection``, such as ``users``."""
        text = self.sent.get(name)
        if text is not None and not re.fullmatch(rf"{re.escape(API)}/{collection}/[\w-]+", text):
            raise invalid_argument(name, f"is not a valid URI of {collection}")
        return text

    def required_uri(self, name: str, collection: str) -> str:
        """Return the canonical URI of something in ``collection``, which must be given."""
        uri = self.uri(name, collection)
        if uri is None:
            raise invalid_argument(name, "is missing")
        return uri

    def sort(self, *fields: str) -> str | None:
        """Return the order asked for: one of ``fields`` with ``:asc`` or ``:desc``."""
        return self.choice(
            "sort", [f"{field}:{way}" for field in fields for way in ("asc", "desc")]
        )
