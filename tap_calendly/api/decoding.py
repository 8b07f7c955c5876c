"""JSON from Calendly's API, made safe for databases to store."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL refuses in a text: NUL, and halves of surrogate pairs, which UTF-8 lacks too."""

REPLACEMENT = "\ufffd"


def decode(content: bytes) -> tuple[Any, int]:
    """Parse JSON, replace what databases cannot store, and count the texts that held it.

    Raises:
        ValueError: It is not JSON.
    """
    if rb"\u0000" not in content:
        try:
            return msgspec.json.decode(content), 0
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # not JSON, halves of surrogate pairs, or numbers beyond a float
    cleaned: list[str] = []
    try:
        parsed = json.loads(content, parse_constant=_refuse, parse_float=_number, parse_int=_number)
        return _clean(parsed, cleaned), len(cleaned)
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None


def _clean(value: Any, cleaned: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Replace what databases cannot store, and collect the texts that held it."""
    if isinstance(value, str):
        if UNSTORABLE.search(value) is None:
            return value
        cleaned.append(value)
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_clean(inner, cleaned) for inner in value]
    if isinstance(value, dict):
        return {_clean(key, cleaned): _clean(inner, cleaned) for key, inner in value.items()}
    return value


def _number(literal: str) -> float | str:
    """Read a number; one too large for a float stays as it is written."""
    number = float(literal)
    if math.isinf(number):
        return literal
    return int(literal) if literal.lstrip("-").isdecimal() else number


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is not JSON"
    raise ValueError(message)
