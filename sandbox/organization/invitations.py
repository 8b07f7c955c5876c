"""Invitations to join the organization, and the answers to them."""

from __future__ import annotations

from sandbox.organization import groups
from sandbox.organization.activity_log import log
from sandbox.organization.identifiers import last_segment
from sandbox.organization.members import add_member, require_new
from sandbox.organization.state import State, life_event


@life_event
def invite(state: State, *, email: str, send: bool = True) -> str:
    """Invite somebody; without ``send``, ``last_sent_at`` is null until the invitation is resent.

    Returns:
        The invitation's URI.
    """
    require_new(state, email)
    if any(
        one["status"] == "pending" and one["email"] == email for one in state.invitations.values()
    ):
        message = f"{email} is invited already"
        raise ValueError(message)
    stamp = state.stamp()
    within = f"organizations/{last_segment(state.organization['uri'])}/invitations"
    uri = state.identifiers.new_uri(within, email)
    state.invitations[uri] = {
        "uri": uri,
        "organization": state.organization["uri"],
        "email": email,
        "status": "pending",
        "created_at": stamp,
        "updated_at": stamp,
        "last_sent_at": stamp if send else None,
    }
    log(state, "Invitation.Create", at=stamp, about=uri, details={"email": email})
    return uri


@life_event
def resend_invitation(state: State, *, invitation: str) -> None:
    """Send a pending invitation again; moves ``last_sent_at`` and ``updated_at``."""
    record = state.pending_invitation(invitation)
    stamp = state.stamp()
    record.update(last_sent_at=stamp, updated_at=stamp)


@life_event
def accept_invitation(
    state: State, *, invitation: str, name: str, timezone: str = "America/New_York"
) -> str:
    """Let the invited person join, with their places in groups; return the new user's URI."""
    record = state.pending_invitation(invitation)
    user = add_member(state, name=name, email=record["email"], timezone=timezone)
    record.update(status="accepted", user=user, updated_at=state.stamp())
    groups.take_places(state, invitation, user)
    return user


@life_event
def decline_invitation(state: State, *, invitation: str) -> None:
    """Let the invited person decline; their places in groups are deleted."""
    record = state.pending_invitation(invitation)
    record.update(status="declined", updated_at=state.stamp())
    groups.unrelate(state, owner=invitation)


@life_event
def revoke_invitation(state: State, *, invitation: str) -> None:
    """Delete a pending invitation and its places in groups."""
    state.pending_invitation(invitation)
    del state.invitations[invitation]
    log(state, "Invitation.Revoke", about=invitation)
    groups.unrelate(state, owner=invitation)
