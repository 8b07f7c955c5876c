"""Removes secrets from every line that is logged or shown.

The tap never writes a secret knowingly. But a proxy may echo what it was sent, and a failing stream
map or a bug may quote a row: this is the last line of defense.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote

PIECE = 12
"""Consecutive characters that give a secret away; fewer may occur in any word."""

HIDDEN = "******"

LINK = re.compile(
    r"((?:cancellations|reschedulings|invitees)(?:\\?/|%2F))[^\s\"'<>\\]+", re.IGNORECASE
)
"""An invitee's `cancel_url`, `reschedule_url`, or URI, which ends like them: anyone who has one can
act for the invitee."""

LONG_WORD = re.compile(r"\S{41,}")

_pieces: set[str] = set()
_make_record = logging.getLogRecordFactory()


def remember(*secrets: str) -> None:
    """Hide these secrets from now on, until the process ends: lines may come late."""
    for secret in secrets:
        for form in _forms(secret):
            _pieces.update(form[at : at + PIECE] for at in range(len(form) - PIECE + 1))


def clean(text: str) -> str:
    """Hide secrets, also truncated, URL-encoded or in Base64, and links to act for an invitee."""
    text = LINK.sub(rf"\1{HIDDEN}", text)
    secret = bytearray(len(text))
    for at in range(len(text) - PIECE + 1):
        if text[at : at + PIECE] in _pieces:
            secret[at : at + PIECE] = b"\1" * PIECE
    if not any(secret):
        return text
    runs = groupby(zip(text, secret, strict=True), key=lambda pair: pair[1])
    return "".join(HIDDEN if hide else "".join(char for char, _ in run) for hide, run in runs)


def line(text: str) -> str:
    """Hide secrets, and replace line breaks and unprintable characters with single spaces."""
    shown = "".join(char if char.isprintable() else " " for char in clean(text))
    return " ".join(shown.split())


def texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, except the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def hide_long_words(text: str) -> str:
    """Replace words too long to be names: they may be misplaced secrets."""
    return LONG_WORD.sub("…", text)


def guard_logs() -> None:
    """Hide secrets in everything logged from now on, by any logger at any level."""
    logging.setLogRecordFactory(_make_clean_record)
    threading.excepthook = _log_uncaught


def _make_clean_record(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as there
    """Render a record here if it holds secrets, or a traceback, whose frames hold variables."""
    record = _make_record(*args, **kwargs)
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - logging would print what it cannot format
        message, record.msg = f"{record.msg} {record.args}", ""
    text = message
    if record.exc_info and record.exc_info[0] is not None:
        text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
    if (safe := clean(text)) != message or not record.msg:
        record.msg, record.args, record.exc_info = safe, None, None
    return record


def _log_uncaught(uncaught: threading.ExceptHookArgs) -> None:
    """Log what Python would print to stderr."""
    if uncaught.exc_value is not None:
        info = (uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
        logging.getLogger("tap-calendly").error("A thread failed:", exc_info=info)


def _forms(secret: str) -> Iterator[str]:
    content = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(content, safe="")
    for before in range(3):  # what precedes a secret shifts its Base64 letters
        letters = base64.b64encode(b" " * before + content).decode()
        inner = letters[4 if before else 0 : -4]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
