"""Deliveries as Calendly posts them, and how it signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from tap_calendly.inbox.delivery import Delivery, parse

KEY = "the-key-that-signs-deliveries"
API = "https://api.calendly.com"


def body(number: int = 1, event: str = "invitee.created", **payload: object) -> bytes:
    """Return a delivery about an invitee of a meeting of its own."""
    meeting = f"{API}/scheduled_events/M{number}"
    about = {
        "uri": f"{meeting}/invitees/I{number}",
        "email": f"guest{number}@example.com",
        "event": meeting,
        "scheduled_event": {"uri": meeting, "name": "Café ☕"},
        **payload,
    }
    envelope = {"event": event, "created_at": "2026-03-04T09:30:00.000000Z", "payload": about}
    return json.dumps(envelope).encode()


def delivery(number: int = 1, event: str = "invitee.created", **payload: object) -> Delivery:
    """Return the same, read."""
    return parse(body(number, event, **payload))


def signature(content: bytes, *, key: str = KEY, age: int = 0) -> str:
    """Return the header that Calendly would send with a body `age` seconds ago."""
    stamp = int(time.time()) - age
    return f"t={stamp},v1={digest(content, stamp, key)}"


def digest(content: bytes, stamp: int | str, key: str = KEY) -> str:
    """Return the HMAC of a time and a body."""
    return hmac.new(key.encode(), f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
