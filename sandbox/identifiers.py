"""The identifiers and timestamps that Calendly's records carry.

An identifier follows from what it names: the seed, the collection and the natural key of the
thing; never from how many were made before it: the same story played again, or a longer
one, gives the same identifiers.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime
from hashlib import blake2b

from sandbox.clock import in_utc

API = "https://api.calendly.com"
PAGES = "https://calendly.com"

OLDER_STYLE_ONE_IN = 8


class Identifiers:
    """Makes the identifiers of one sandbox."""

    def __init__(self, seed: int) -> None:
        """Start with nothing made; another ``seed`` gives wholly other identifiers."""
        self._seed = seed
        self._made: Counter[tuple[str, ...]] = Counter()

    def digest(self, *key: str) -> bytes:
        """Return 16 bytes that follow from the seed and ``key`` alone."""
        text = "\x1f".join((str(self._seed), *key))
        return blake2b(text.encode(), digest_size=16).digest()

    def number(self, *key: str, below: int) -> int:
        """Return a number from 0 to ``below - 1`` that follows from the seed and ``key`` alone."""
        return int.from_bytes(self.digest("number", *key)[:8], "big") % below

    def new(self, *key: str) -> str:
        """Return an identifier that was not given before; the n-th for a key is always the same.

        Most are hyphenated lower-case UUIDs, some are 16 upper-case letters, as Calendly's older
        objects have them.
        """
        self._made[key] += 1
        return self.of(*key, str(self._made[key]))

    def of(self, *key: str) -> str:
        """Return the one identifier that belongs to ``key``, however often it is asked for."""
        digest = self.digest("identifier", *key)
        if digest[0] % OLDER_STYLE_ONE_IN == 0:
            return "".join(chr(ord("A") + byte % 26) for byte in digest)
        return str(uuid.UUID(bytes=digest, version=4))

    def new_uri(self, collection: str, *key: str) -> str:
        """Return a new canonical URI in ``collection``, whatever host the sandbox listens on.

        Args:
            collection: The path below the API's root, such as ``"users"`` or
                ``"scheduled_events/<uuid>/invitees"``.
            key: What makes the thing itself: its natural key.
        """
        return f"{API}/{collection}/{self.new(collection, *key)}"


def last_segment(uri: str) -> str:
    """Return the identifier at the end of ``uri``."""
    return uri.rsplit("/", 1)[-1]


def rendered(moment: datetime) -> str:
    """Return ``moment`` as Calendly writes it: ``2026-02-25T18:13:01.136075Z``."""
    return in_utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parsed(timestamp: str) -> datetime:
    """Return the moment that :func:`rendered` wrote, aware, in UTC."""
    return in_utc(datetime.fromisoformat(timestamp.removesuffix("Z") + "+00:00"))
