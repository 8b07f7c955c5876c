"""The identifiers in Calendly's records.

An identifier depends only on the seed, the collection and the record's natural key, not on how
many were made before: the same story told again, or a longer one, has the same identifiers.
"""

from __future__ import annotations

import uuid
from collections import Counter
from hashlib import blake2b

API = "https://api.calendly.com"
PAGES = "https://calendly.com"

OLDER_STYLE_ONE_IN = 8


class Identifiers:
    """Makes the identifiers of one sandbox."""

    def __init__(self, seed: int) -> None:
        """Start from ``seed``; another seed gives entirely different identifiers."""
        self._seed = seed
        self._made: Counter[tuple[str, ...]] = Counter()

    def digest(self, *key: str) -> bytes:
        """Return 16 bytes that depend only on the seed and ``key``."""
        text = "\x1f".join((str(self._seed), *key))
        return blake2b(text.encode(), digest_size=16).digest()

    def number(self, *key: str, below: int) -> int:
        """Return a number from 0 to ``below - 1`` that depends only on the seed and ``key``."""
        return int.from_bytes(self.digest("number", *key)[:8], "big") % below

    def new(self, *key: str) -> str:
        """Return an identifier not returned before; the n-th for a key is always the same."""
        self._made[key] += 1
        return self.of(*key, str(self._made[key]))

    def of(self, *key: str) -> str:
        """Return the one identifier of ``key``, always the same.

        Most are hyphenated lower-case UUIDs; some are 16 upper-case letters, like those of
        Calendly's older objects.
        """
        digest = self.digest("identifier", *key)
        if digest[0] % OLDER_STYLE_ONE_IN == 0:
            return "".join(chr(ord("A") + byte % 26) for byte in digest)
        return str(uuid.UUID(bytes=digest, version=4))

    def new_uri(self, collection: str, *key: str) -> str:
        """Return a new canonical URI, whatever host the sandbox listens on.

        Args:
            collection: The path below the API's root, such as ``"users"`` or
                ``"scheduled_events/<uuid>/invitees"``.
            key: The record's natural key.
        """
        return f"{API}/{collection}/{self.new(collection, *key)}"


def last_segment(uri: str) -> str:
    """Return the identifier at the end of ``uri``."""
    return uri.rsplit("/", 1)[-1]
