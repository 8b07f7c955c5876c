"""Whether Calendly signed a delivery, and when.

The header `Calendly-Webhook-Signature` is `t=1772616600,v1=5f7a…`: the time in whole seconds, and
the HMAC-SHA256 of that time, a period, and the body (API docs, webhook signatures).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from datetime import datetime, timedelta

from tap_calendly.webhooks import refusals
from tap_calendly.webhooks.refusals import Refusal

HEADER = "Calendly-Webhook-Signature"

_TIME = re.compile(r"[0-9]{1,12}")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def problem(
    header: str, body: bytes, keys: Collection[str], now: datetime, tolerance: timedelta
) -> Refusal | None:
    """Return what is wrong with a signature; None if any of the keys made it, and lately.

    Only a signature that is right can be old: else its time is anybody's.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = [value.lower() for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not digests:
        return refusals.NO_SIGNATURE
    signed = times[0].encode() + b"." + body
    right = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    given = [digest for digest in digests if _DIGEST.fullmatch(digest)]
    if not any(hmac.compare_digest(one, other) for one in right for other in given):
        return refusals.WRONG_SIGNATURE
    age = int(now.timestamp()) - int(times[0])
    if age > tolerance.total_seconds():
        return refusals.OLD_SIGNATURE
    if -age > tolerance.total_seconds():
        return refusals.FUTURE_SIGNATURE
    return None
