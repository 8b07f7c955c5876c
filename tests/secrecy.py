"""Checks whether a text reveals a secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HALF = 12
"""Number of consecutive characters that reveal too much."""


def shown(text: str, secrets: Iterable[str]) -> list[str]:
    """Return every piece of a secret that a text reveals: plain, URL-encoded, or in Base64.

    Args:
        text: What anybody may read.
        secrets: What nobody may read.
    """
    pieces = {piece for secret in secrets for form in _forms(secret) for piece in _pieces(form)}
    return sorted(pieces.intersection(_pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    return (text[at : at + HALF] for at in range(len(text) - HALF + 1))


def _forms(secret: str) -> set[str]:
    content = secret.encode()
    shifted = {base64.b64encode(b"id:"[:before] + content)[4:-4].decode() for before in range(3)}
    return {secret, quote(secret, safe=""), *shifted}
