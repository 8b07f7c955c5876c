"""Secrets are taken out of every line that is logged or shown.

The tap writes no secret knowingly. But a proxy may repeat in its answer what was sent to it, and a
stream map that fails, or a bug, may quote the row: this is the last defence.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
import traceback
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 12
"""Characters in a row that give a secret away; fewer may stand in any word."""

HIDDEN = "******"

CAPABILITY = re.compile(
    r"((?:cancellations|reschedulings|invitees)(?:\\?/|%2F))[^\s\"'<>\\]+", re.IGNORECASE
)
"""What lets anyone who has it act for an invitee: `cancel_url`, `reschedule_url`, and the invitee's
URI, which ends as they do."""

_pieces: set[str] = set()
_make_record = logging.getLogRecordFactory()


def remember(*secrets: str) -> None:
    """Add secrets to what must not be shown; they are never forgotten, as lines may come late."""
    for secret in secrets:
        for form in _forms(secret):
            _pieces.update(form[at : at + PIECE] for at in range(len(form) - PIECE + 1))


def clean(text: str) -> str:
    """Replace secrets, and what is left of them where they were cut, by asterisks.

    That is links that act for an invitee, and secrets as they are, URL-encoded, or in Base64, which
    includes the header of Basic authentication.
    """
    text = CAPABILITY.sub(rf"\1{HIDDEN}", text)
    secret = bytearray(len(text))
    for at in range(len(text) - PIECE + 1):
        if text[at : at + PIECE] in _pieces:
            secret[at : at + PIECE] = b"\1" * PIECE
    if not any(secret):
        return text
    runs = groupby(zip(text, secret, strict=True), key=lambda pair: pair[1])
    return "".join(HIDDEN if hide else "".join(char for char, _ in run) for hide, run in runs)


def line(text: str) -> str:
    """Make one line of a text: without secrets, and a space for what breaks lines or terminals."""
    shown = "".join(char if char.isprintable() else " " for char in clean(text))
    return " ".join(shown.split())


def texts(value: object) -> Iterator[str]:
    """Give every text in what JSON holds, but for the names in objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def guard_logs() -> None:
    """Clean everything that is logged from now on, by every logger at every level."""
    logging.setLogRecordFactory(_make_clean_record)
    threading.excepthook = _log_end_of_thread


def _make_clean_record(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as there
    return _cleaned(_make_record(*args, **kwargs))


def _cleaned(record: logging.LogRecord) -> logging.LogRecord:
    """Write out what a record holds, where it holds secrets, or frames with variables."""
    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - logging would show what it could not format, whatever it is
        said, record.msg = f"{record.msg} {record.args}", ""
    text = said
    if record.exc_info and record.exc_info[0] is not None:
        text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
    if (safe := clean(text)) != said or not record.msg:
        record.msg, record.args, record.exc_info = safe, None, None
    return record


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """Log what Python would print by itself."""
    if ended.exc_value is not None:
        info = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        logging.getLogger("tap-calendly").error("A thread ended:", exc_info=info)


def _forms(secret: str) -> Iterator[str]:
    """Give the forms in which a secret travels."""
    content = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(content, safe="")
    for before in range(3):  # what stands before it shifts the letters of Base64
        letters = base64.b64encode(b" " * before + content).decode()
        inner = letters[4 if before else 0 : -4]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
