"""Webhook subscriptions; what is posted to them is announced by the life events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandbox.organization.activity_log import log
from sandbox.organization.state import State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Sequence

SCOPES = ("organization", "user", "group")
IN_EVERY_SCOPE = (
    *("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"),
    *("event_type.created", "event_type.deleted", "event_type.updated"),
    *("contact.created", "contact.updated", "contact.deleted"),
)
EVENTS = {
    "organization": (*IN_EVERY_SCOPE, "routing_form_submission.created"),
    "user": (
        *IN_EVERY_SCOPE,
        *("meeting_recap.created", "meeting_recap.updated", "meeting_recap.deleted"),
    ),
    "group": IN_EVERY_SCOPE,
}
"""The events that can be subscribed to in each scope."""


@life_event
def subscribe(
    state: State,
    *,
    callback_url: str,
    events: Sequence[str],
    scope: Literal["organization", "user", "group"] = "organization",
    of: str | None = None,
    creator: str | None = None,
    signing_key: str | None = None,
) -> str:
    """Subscribe a URL to events, such as ``invitee.created``.

    ``of`` is the URI of the user or group in those scopes; ``creator`` is the owner if left out.
    Without a ``signing_key``, an app's own key is meant.
    """
    if scope not in SCOPES:
        message = f"a subscription has one of the scopes {', '.join(SCOPES)}, not {scope!r}"
        raise ValueError(message)
    if scope == "user":
        state.membership(str(of))
    elif scope == "group":
        find(state.groups, str(of), "group")
    impossible = sorted(set(events) - set(EVENTS[scope]))
    if impossible:
        message = f"{impossible[0]!r} cannot be subscribed to for scope {scope}"
        raise ValueError(message)
    user, group = (of if scope == kind else None for kind in ("user", "group"))
    if any(
        (one["callback_url"], one["scope"], one["user"], one["group"])
        == (callback_url, scope, user, group)
        for one in state.webhooks.values()
    ):
        message = f"{callback_url} has a subscription for scope {scope} already"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("webhook_subscriptions", callback_url, scope, str(of))
    state.webhooks[uri] = {
        "uri": uri,
        "callback_url": callback_url,
        "created_at": stamp,
        "updated_at": stamp,
        "retry_started_at": None,
        "state": "active",
        "events": list(events),
        "scope": scope,
        "organization": state.organization["uri"],
        "user": user,
        "group": group,
        "creator": state.owner if creator is None else creator,
    }
    state.webhook_keys[uri] = signing_key
    log(state, "Webhook.Add", at=stamp, about=uri, actor=creator)
    return uri


@life_event
def fail_webhook(state: State, *, webhook: str, for_good: bool = False) -> None:
    """Let the receiver fail, ``for_good`` until Calendly disables it; moves ``updated_at``."""
    record = find(state.webhooks, webhook, "webhook subscription")
    if record["state"] == "disabled":
        message = f"the webhook subscription {webhook} is disabled already"
        raise ValueError(message)
    stamp = state.stamp()
    record["retry_started_at"] = record["retry_started_at"] or stamp
    record.update(state="disabled" if for_good else "active", updated_at=stamp)


@life_event
def unsubscribe(state: State, *, webhook: str) -> None:
    """Delete a subscription."""
    find(state.webhooks, webhook, "webhook subscription")
    del state.webhooks[webhook], state.webhook_keys[webhook]
    log(state, "Webhook.Remove", about=webhook)


def disable_all(state: State, user: str) -> None:
    """Disable the subscriptions of a user who leaves the organization."""
    for record in state.webhooks.values():
        if record["user"] == user and record["state"] == "active":
            record.update(state="disabled", updated_at=state.stamp())
