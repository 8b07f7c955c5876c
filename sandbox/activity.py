"""The activity log: what was administered, by whom and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.state import Record, State

if TYPE_CHECKING:
    from collections.abc import Mapping


class ActivityLog(State):
    """The log that the other rooms write into; nothing ever changes or leaves it."""

    def _log(
        self,
        name: str,
        *,
        about: str,
        at: str | None = None,
        actor: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Write an entry.

        Args:
            name: What was acted upon and how, such as ``EventType.Delete``.
            about: The URI of what was acted upon.
            at: When: the timestamp of the change; the present moment if left out.
            actor: The URI of the user who did it; the owner if left out.
            details: Whatever else there is to say.
        """
        namespace, _, action = name.partition(".")
        at = self.present() if at is None else at
        uri = self.identifiers.new_uri("activity_log_entries", name, about, at)
        self.activity_log.append(
            {
                "occurred_at": at,
                "actor": self._actor(self.owner if actor is None else actor),
                "details": {"uri": about, **(details or {})},
                "fully_qualified_name": name,
                "uri": uri,
                "namespace": namespace,
                "action": action,
                "organization": self.organization["uri"],
            }
        )

    def _actor(self, uri: str) -> Record:
        """Return who acted, as he was then."""
        user = self.users.get(uri)
        if user is None:
            return {"type": "System", "display_name": "Calendly"}
        role = next(
            (one["role"] for one in self.memberships.values() if one["user"]["uri"] == uri), "user"
        )
        return {
            "uri": uri,
            "type": "User",
            "organization": {"uri": self.organization["uri"], "role": role.capitalize()},
            "display_name": user["name"],
            "alternative_identifier": user["email"],
        }
