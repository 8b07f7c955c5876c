"""The organization and its members: how they join and leave."""

from __future__ import annotations

from sandbox.organization import event_types, groups, schedules, teams, webhooks
from sandbox.organization.activity_log import log
from sandbox.organization.announcements import announce_event_type
from sandbox.organization.identifiers import PAGES, last_segment
from sandbox.organization.state import Record, State, deleted_address, life_event, slug

PLANS = ("basic", "essentials", "standard", "professional", "teams", "enterprise")
ROLES = ("user", "admin", "owner")

NOT_IN_MEMBERSHIP = ("current_organization", "resource_type")


def found(state: State, *, name: str, plan: str) -> None:
    """Create the organization and its owner."""
    if plan not in PLANS:
        message = f"Calendly has no plan {plan!r}, only {', '.join(PLANS)}"
        raise ValueError(message)
    stamp = state.stamp()
    state.organization = {
        "uri": state.identifiers.new_uri("organizations", name),
        "id": 1 + state.identifiers.number("organization", name, below=10**8),
        "kind": "multiple",
        "name": name,
        "plan": plan,
        "stage": "free" if plan == "basic" else "paid",
        "created_at": stamp,
        "updated_at": stamp,
    }
    state.owner = _join(
        state,
        name="Ada Winter",
        email="ada@windmill.example",
        role="owner",
        timezone="Europe/Berlin",
    )


@life_event
def add_member(
    state: State, *, name: str, email: str, role: str = "user", timezone: str = "America/New_York"
) -> str:
    """Add a user (``role`` is ``user`` or ``admin``) to the organization; return their URI."""
    if role not in ("user", "admin"):
        message = f"a member joins as user or admin, not as {role!r}"
        raise ValueError(message)
    require_new(state, email)
    return _join(state, name=name, email=email, role=role, timezone=timezone)


@life_event
def remove_member(state: State, *, user: str) -> None:
    """Remove a user from the organization: they leave its lists, their meetings stay."""
    _leave(state, user)
    record = state.users[user]
    elsewhere = state.identifiers.new_uri("organizations", user)
    stamp = state.stamp()
    record.update(current_organization=elsewhere, updated_at=stamp)
    log(state, "User.Remove", at=stamp, about=user)


@life_event
def delete_user(state: State, *, user: str) -> None:
    """Delete a user and their event types; their meetings stay, without their name and address.

    Erasing name and address moves no ``updated_at``.
    """
    _leave(state, user)
    del state.users[user]
    stamp = state.stamp()
    for event_type in state.event_types.values():
        if event_type["profile"]["owner"] == user and event_type["deleted_at"] is None:
            event_type.update(deleted_at=stamp, updated_at=stamp, active=False)
            announce_event_type(state, "event_type.deleted", event_type)
    for event in state.events.values():
        for membership in event["event_memberships"]:
            if membership["user"] == user:
                membership.update(user_email=deleted_address(user), user_name="deleted")
    for schedule in schedules.schedules_of(state, user):
        del state.schedules[schedule["uri"]]
    log(state, "User.Delete", at=stamp, about=user)


def require_new(state: State, email: str) -> None:
    """Raise ValueError if a member has this address."""
    if any(one["user"]["email"] == email for one in state.memberships.values()):
        message = f"{email} is a member already"
        raise ValueError(message)


def _join(state: State, *, name: str, email: str, role: str, timezone: str) -> str:
    stamp = state.stamp()
    uri = state.identifiers.new_uri("users", email)
    user: Record = {
        "uri": uri,
        "name": name,
        "slug": slug(name),
        "email": email,
        "scheduling_url": f"{PAGES}/{slug(name)}",
        "timezone": timezone,
        "time_notation": "12h" if timezone.startswith("America/") else "24h",
        "avatar_url": None,
        "created_at": stamp,
        "updated_at": stamp,
        "current_organization": state.organization["uri"],
        "resource_type": "User",
        "locale": "en",
    }
    if state.identifiers.number("avatar", email, below=2):
        user["avatar_url"] = f"{PAGES}/avatars/{last_segment(uri)}.png"
    state.users[uri] = user
    membership = state.identifiers.new_uri("organization_memberships", email)
    state.memberships[membership] = {
        "uri": membership,
        "role": role,
        "user": {key: user[key] for key in user if key not in NOT_IN_MEMBERSHIP},
        "organization": state.organization["uri"],
        "updated_at": stamp,
        "created_at": stamp,
    }
    schedules.add_default(state, uri)
    log(state, "User.Add", at=stamp, about=uri, actor=uri, details={"role": role})
    return uri


def _leave(state: State, user: str) -> None:
    membership = state.membership(user)
    if user == state.owner:
        message = "the owner cannot leave the organization"
        raise ValueError(message)
    webhooks.disable_all(state, user)
    teams.leave_all(state, user)
    event_types.stop_hosting(state, user)
    groups.leave_all(state, user)
    del state.memberships[membership["uri"]]
