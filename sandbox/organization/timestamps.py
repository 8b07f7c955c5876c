"""Timestamps as Calendly writes them: UTC, with six digits of a second."""

from __future__ import annotations

from datetime import datetime, timezone


def in_utc(time: datetime) -> datetime:
    """Return ``time`` in UTC.

    Raises:
        ValueError: If it is naive.
    """
    if time.tzinfo is None:
        message = f"{time.isoformat()} carries no offset from UTC"
        raise ValueError(message)
    return time.astimezone(timezone.utc)


def to_timestamp(time: datetime) -> str:
    """Return an aware ``time`` in Calendly's format: ``2026-02-25T18:13:01.136075Z``."""
    return in_utc(time).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_timestamp(timestamp: str) -> datetime:
    """Return the time (UTC) that :func:`to_timestamp` wrote."""
    return in_utc(datetime.fromisoformat(timestamp.removesuffix("Z") + "+00:00"))
