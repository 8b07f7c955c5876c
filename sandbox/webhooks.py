"""Webhook subscriptions: where Calendly would post what happens. The sandbox posts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from sandbox.organization import Organization
from sandbox.state import known, life

if TYPE_CHECKING:
    from collections.abc import Sequence

SCOPES = ("organization", "user", "group")
EVERYWHERE = (
    *("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"),
    *("event_type.created", "event_type.deleted", "event_type.updated"),
    *("contact.created", "contact.updated", "contact.deleted"),
)
EVENTS = {
    "organization": (*EVERYWHERE, "routing_form_submission.created"),
    "user": (
        *EVERYWHERE,
        *("meeting_recap.created", "meeting_recap.updated", "meeting_recap.deleted"),
    ),
    "group": EVERYWHERE,
}
"""What can be subscribed to in each scope."""


class Webhooks(Organization):
    """The webhook subscriptions of the organisation, of its users and of its groups."""

    @life
    def subscribe(
        self,
        *,
        callback_url: str,
        events: Sequence[str],
        scope: Literal["organization", "user", "group"] = "organization",
        of: str | None = None,
        creator: str | None = None,
    ) -> str:
        """Ask Calendly to post what happens.

        Args:
            callback_url: Where to.
            events: Such as ``invitee.created``.
            scope: Whose events.
            of: The URI of the user or group whose they are, in those scopes.
            creator: The URI of the user who asks; the owner if left out.

        Returns:
            The subscription's URI.

        Raises:
            ValueError: If there is no such scope, user or group, an event cannot be subscribed to
                in this scope, or the URL has a subscription in it already.
        """
        if scope not in SCOPES:
            message = f"a subscription has one of the scopes {', '.join(SCOPES)}, not {scope!r}"
            raise ValueError(message)
        if scope == "user":
            self._membership(str(of))
        elif scope == "group":
            known(self.groups, str(of), "group")
        impossible = sorted(set(events) - set(EVENTS[scope]))
        if impossible:
            message = f"{impossible[0]!r} cannot be subscribed to for scope {scope}"
            raise ValueError(message)
        user, group = (of if scope == kind else None for kind in ("user", "group"))
        if any(
            (one["callback_url"], one["scope"], one["user"], one["group"])
            == (callback_url, scope, user, group)
            for one in self.webhooks.values()
        ):
            message = f"{callback_url} has a subscription for scope {scope} already"
            raise ValueError(message)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("webhook_subscriptions", callback_url, scope, str(of))
        self.webhooks[uri] = {
            "uri": uri,
            "callback_url": callback_url,
            "created_at": stamp,
            "updated_at": stamp,
            "retry_started_at": None,
            "state": "active",
            "events": list(events),
            "scope": scope,
            "organization": self.organization["uri"],
            "user": user,
            "group": group,
            "creator": self.owner if creator is None else creator,
        }
        self._log("Webhook.Add", at=stamp, about=uri, actor=creator)
        return uri

    @life
    def fail_webhook(self, *, webhook: str, for_good: bool = False) -> None:
        """Let the other side fail to answer; moves ``updated_at``.

        Args:
            webhook: The subscription's URI.
            for_good: Whether Calendly has given up by now, and disables it.

        Raises:
            ValueError: If there is no such subscription, or it is disabled already.
        """
        record = known(self.webhooks, webhook, "webhook subscription")
        if record["state"] == "disabled":
            message = f"the webhook subscription {webhook} is disabled already"
            raise ValueError(message)
        stamp = self.stamp()
        record["retry_started_at"] = record["retry_started_at"] or stamp
        record.update(state="disabled" if for_good else "active", updated_at=stamp)

    @life
    def unsubscribe(self, *, webhook: str) -> None:
        """Delete a subscription: it vanishes.

        Raises:
            ValueError: If there is no such subscription.
        """
        known(self.webhooks, webhook, "webhook subscription")
        del self.webhooks[webhook]
        self._log("Webhook.Remove", about=webhook)

    @override
    def _depart(self, user: str) -> None:
        super()._depart(user)
        for record in self.webhooks.values():
            if record["user"] == user and record["state"] == "active":
                record.update(state="disabled", updated_at=self.stamp())
