"""Whether a run can rely on the inbox to have told which meetings changed since the last one.

Trust is earned anew in every run. A doubt makes the run sweep as without an inbox. Some doubts
last, such as a disabled subscription; the others end with that sweep, which therefore reads all
that may have changed without a word: the invitees of recent meetings, whatever `invitee_rechecks`
says. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tap_calendly import timestamps
from tap_calendly.api.page import Record
from tap_calendly.inbox.delivery import HINTS
from tap_calendly.state import Captured, Inbox
from tap_calendly.sweep.meetings import LATEST

RETRIES_LAST = timedelta(hours=24)
"""For how long Calendly retries a delivery before it disables the subscription (API docs)."""

OTHER_SCOPE = "the inbox's webhook subscription has another scope than this run"
SUBSCRIBE = "run `calendly-webhooks subscribe`"


class Doubt(NamedTuple):
    """Why the inbox cannot be trusted, in words, and whether that lasts beyond this run's sweep."""

    reason: str
    lasts: bool


@dataclass(frozen=True)
class Evidence:
    """What an inbox says of itself, by the positions up to which the streams have loaded it.

    Attributes:
        known: The inbox that the state's positions are of; None for none.
        current: The inbox of this run, and its own subscription.
        first: The lowest position of a stream; None if one has none.
        has_removed: Whether deliveries after `first` were removed.
        has_gone_back: Whether the inbox lacks positions that it had.
        has_gap: Whether no receiver ran for a while after `first`.
        is_unclear: Whether a delivery after `first` should name a meeting, and does not.
        has_delivered: Whether anything came since the subscription was created.
    """

    known: Inbox | None
    current: Inbox
    first: int | None
    has_removed: bool
    has_gone_back: bool
    has_gap: bool
    is_unclear: bool
    has_delivered: bool


def doubt(
    evidence: Evidence,
    subscription: Record,
    about: Mapping[str, str],
    captured: Iterable[Captured | None],
    now: datetime,
) -> Doubt | None:
    """Return why the inbox cannot be trusted; None if it can.

    `subscription` is the API's answer, `about` the scope of this run (see `Scope.parameters`).
    """
    wrong, late_until = _wrong_with(subscription, about), _late_until(subscription)
    gone, awaited = missed(evidence), []
    if late_until is not None and late_until <= now:
        swept = [one is not None and one.began >= late_until for one in captured]
        gone += [] if all(swept) else ["Calendly has had trouble delivering"]
    if late_until is not None and now < late_until:
        awaited.append(f"late deliveries may come until {late_until:%Y-%m-%d %H:%M} UTC")
    if not evidence.has_delivered:
        awaited.append("nothing has been delivered to the inbox's webhook subscription yet")
    reasons = [*wrong, *gone, *awaited]
    return Doubt(reasons[0], lasts=not gone) if reasons else None


def missed(evidence: Evidence) -> list[str]:
    """Return why, by the inbox alone, deliveries may have been missed since the last run."""
    known = evidence.known
    if known is None:
        return ["this is the first run with it"]
    if known.identity != evidence.current.identity:
        return ["the inbox was replaced since the last run"]
    if known.subscription != evidence.current.subscription:
        return ["the inbox's webhook subscription was replaced since the last run"]
    if evidence.has_gone_back:
        return ["the inbox has lost deliveries since the last run"]
    if evidence.first is None:
        return ["not every stream has been loaded with it yet"]
    found = []
    if evidence.has_removed:
        found.append("deliveries were removed from the inbox before they were read")
    if evidence.has_gap:
        found.append("no receiver ran for a while")
    if evidence.is_unclear:
        found.append("a delivery does not say which meeting it is about")
    return found


def _wrong_with(subscription: Record, about: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a subscription, for a person to mend."""
    found = []
    if subscription.get("state") != "active":
        found.append(f"the inbox's webhook subscription is disabled: {SUBSCRIBE}")
    if missing := HINTS - {*_list(subscription.get("events"))}:
        lacking = ", ".join(sorted(missing))
        found.append(f"the inbox's webhook subscription lacks the events {lacking}: {SUBSCRIBE}")
    if not is_about(subscription, about):
        found.append(OTHER_SCOPE)
    return found


def is_about(subscription: Record, about: Mapping[str, str]) -> bool:
    """Whether a subscription tells the events of a scope, no more and no less."""
    scope = about["scope"]
    wanted = {"organization": about["organization"], "scope": scope, "user": None, "group": None}
    wanted |= {} if scope == "organization" else {scope: about[scope]}
    return all(subscription.get(field) == value for field, value in wanted.items())


def sweep_is_due(captured: Iterable[Captured], now: datetime, interval: timedelta) -> bool:
    """Whether it is time for a sweep although the inbox can be trusted."""
    # Less a tenth, as a daily run may begin a little earlier than the day before.
    return now - min(one.began for one in captured) >= interval * 0.9


def _late_until(subscription: Record) -> datetime | None:
    """Return until when late deliveries may come: the time is never cleared, as far as is known."""
    if subscription.get("retry_started_at") is None:
        return None
    began = timestamps.of(subscription, "retry_started_at")
    return LATEST if began is None else began + RETRIES_LAST


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else []
