"""`calendly-webhooks status`: how an inbox, its subscription and its receiver are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from tap_calendly import timestamps
from tap_calendly.inbox.figures import LATELY, Figures, figures
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import LONGEST_PAUSE
from tap_calendly.reporting import messages
from tap_calendly.webhooks import refusals
from tap_calendly.webhooks.api import WebhooksApi
from tap_calendly.webhooks.subscription import ACTIVE, Webhook, missing_for_trust

OURS = (refusals.WRONG_SIGNATURE, refusals.OLD_SIGNATURE, refusals.FUTURE_SIGNATURE)
"""Refusals that need a person; the others may be of strangers' requests."""


class Status(msgspec.Struct, frozen=True):
    """What is known.

    Attributes:
        noted: The URI of the inbox's own subscription; None if there never was one.
        webhook: That subscription; None if it is gone.
        is_about_settings: Whether it is for whose events the settings mean.
        has_delivery: Whether anything has come since it was created.
        now: The time by the clock of this machine (UTC).
    """

    noted: str | None
    webhook: Webhook | None
    is_about_settings: bool
    has_delivery: bool
    figures: Figures
    now: datetime


def status(inbox_url: str, api: WebhooksApi, now: datetime) -> Status:
    """Look at the inbox, then ask Calendly for its subscription.

    Raises:
        CalendlyError: There is no inbox, or the inbox or Calendly does not answer.
    """
    inbox = InboxReader(inbox_url)
    found, noted = figures(inbox_url, now), inbox.subscription
    if noted is None:
        return Status(
            noted=None,
            webhook=None,
            is_about_settings=True,
            has_delivery=False,
            figures=found,
            now=now,
        )
    return Status(
        noted=noted.uri,
        webhook=api.one(noted.uri),
        is_about_settings=noted.about == api.whose(),
        has_delivery=inbox.has_delivery_after(noted.since),
        figures=found,
        now=now,
    )


def problems(status: Status) -> Iterator[str]:
    """Yield a sentence for everything that needs a person."""
    webhook, found = status.webhook, status.figures
    if status.noted is None:
        yield messages.NEVER_SUBSCRIBED
    elif webhook is None:
        yield messages.SUBSCRIPTION_GONE
    else:
        if webhook.state != ACTIVE:
            yield messages.SUBSCRIPTION_DISABLED.format(state=webhook.state)
        if lacking := missing_for_trust(webhook.events):
            yield messages.SUBSCRIPTION_LACKS.format(events=", ".join(lacking))
        if not status.is_about_settings:
            yield messages.SUBSCRIPTION_ELSEWHERE
        if not status.has_delivery:
            yield messages.NO_DELIVERY
        retrying = webhook.retry_started_at
        if retrying is not None and status.now - timestamps.parse(retrying) < LATELY:
            yield messages.DELIVERIES_FAIL.format(since=retrying)
    if found.beat is None or status.now - found.beat > LONGEST_PAUSE:
        yield messages.NO_RECEIVER.format(beat=_time(found.beat) or "the inbox was created")
    for reason in (one.reason for one in OURS if one.reason in found.refused):
        yield messages.DELIVERIES_WERE_REFUSED.format(
            number=found.refused[reason], reason=reason, remedy=messages.REFUSALS[reason]
        )


def as_json(status: Status) -> dict[str, Any]:
    """Return a status as one JSON object."""
    subscription: dict[str, Any] | None = None
    if status.noted is not None:
        subscription = {"uri": status.noted, "state": "gone"}
    if (webhook := status.webhook) is not None:
        subscription = {
            "uri": webhook.uri,
            "state": webhook.state,
            "scope": webhook.scope,
            "callback_host": webhook.host,
            "events": webhook.events,
            "retry_started_at": webhook.retry_started_at,
        }
    times = {name: _time(getattr(status.figures, name)) for name in ("last_received_at", "beat")}
    inbox = {**msgspec.structs.asdict(status.figures), **times}
    return {"subscription": subscription, "inbox": inbox, "problems": list(problems(status))}


def as_text(status: Status) -> Iterator[str]:
    """Yield the lines that a person reads."""
    webhook, found = status.webhook, status.figures
    if status.noted is None:
        yield "Subscription: none"
    else:
        yield f"Subscription: {status.noted}, {'gone' if webhook is None else webhook.state}"
    if webhook is not None:
        yield f"Posts to {webhook.host}, scope {webhook.scope}: {', '.join(webhook.events)}"
        if webhook.retry_started_at is not None:
            yield f"Deliveries failed, and were retried, from {webhook.retry_started_at} on"
    size = "" if found.size_bytes is None else f", {found.size_bytes / 1e6:,.1f} MB"
    yield f"Inbox: {found.deliveries:,} deliveries{size}"
    yield f"Last delivery: {_time(found.last_received_at) or 'none'}"
    yield f"Last beat of a receiver: {_time(found.beat) or 'none'}"
    yield f"Delivered in 24 hours: {_counts(found.by_event)}"
    yield f"Refused in 24 hours: {_counts(found.refused)}"
    for problem in problems(status):
        yield f"Problem: {problem}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items()) or "none"


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamps.in_iso(time.replace(microsecond=0))
