"""The activity log: what was administered, by whom and when; entries never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.organization.state import Record, State


def log(
    state: State,
    name: str,
    *,
    about: str,
    at: str | None = None,
    actor: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add an entry.

    Args:
        state: Where to add it.
        name: The object and the action, such as ``EventType.Delete``.
        about: The object's URI.
        at: The timestamp of the change; now if left out.
        actor: The URI of the user who did it; the owner if left out.
        details: Anything else to note.
    """
    namespace, _, action = name.partition(".")
    at = state.peek_stamp() if at is None else at
    uri = state.identifiers.new_uri("activity_log_entries", name, about, at)
    state.activity_log.append(
        {
            "occurred_at": at,
            "actor": _actor(state, state.owner if actor is None else actor),
            "details": {"uri": about, **(details or {})},
            "fully_qualified_name": name,
            "uri": uri,
            "namespace": namespace,
            "action": action,
            "organization": state.organization["uri"],
        }
    )


def _actor(state: State, uri: str) -> Record:
    """Return the actor as they are at this time."""
    user = state.users.get(uri)
    if user is None:
        return {"type": "System", "display_name": "Calendly"}
    role = next(
        (one["role"] for one in state.memberships.values() if one["user"]["uri"] == uri), "user"
    )
    return {
        "uri": uri,
        "type": "User",
        "organization": {"uri": state.organization["uri"], "role": role.capitalize()},
        "display_name": user["name"],
        "alternative_identifier": user["email"],
    }
