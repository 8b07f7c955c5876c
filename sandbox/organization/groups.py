"""Groups: members, and people invited, who are administered together.

A group relationship is a person's place in a group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sandbox.organization.activity_log import log
from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Iterable


@life_event
def add_group(
    state: State, *, name: str, members: Iterable[str], admins: Iterable[str] = ()
) -> str:
    """Create a group of these users (URIs); ``admins`` need not be listed twice."""
    roles = {**dict.fromkeys(members, "member"), **dict.fromkeys(admins, "admin")}
    owners = {user: state.membership(user)["uri"] for user in sorted(roles)}
    stamp = state.stamp()
    uri = state.identifiers.new_uri("groups", name)
    state.groups[uri] = {
        "uri": uri,
        "name": name,
        "organization": state.organization["uri"],
        "created_at": stamp,
        "updated_at": stamp,
        "member_count": len(roles),
    }
    state.group_members[uri] = set(roles)
    for user, owner in owners.items():
        _relate(state, uri, owner, roles[user], stamp)
    log(state, "Group.Create", at=stamp, about=uri, details={"name": name})
    return uri


@life_event
def rename_group(state: State, *, group: str, name: str) -> None:
    """Rename a group; moves its ``updated_at``."""
    find(state.groups, group, "group").update(name=name, updated_at=state.stamp())


@life_event
def delete_group(state: State, *, group: str) -> None:
    """Delete a group with all places in it; its members stay."""
    find(state.groups, group, "group")
    del state.groups[group], state.group_members[group]
    unrelate(state, group=group)
    log(state, "Group.Delete", about=group)


@life_event
def join_group(
    state: State, *, group: str, owner: str, role: Literal["member", "admin"] = "member"
) -> str:
    """Give a user, or a pending invitation, a place in a group; moves the group's ``updated_at``.

    ``owner`` is the URI of the user or of the invitation; returned is the relationship's.
    """
    record = find(state.groups, group, "group")
    _require_role(role)
    invited = owner in state.invitations
    who = state.pending_invitation(owner) if invited else state.membership(owner)
    if any(
        (one["group"], one["owner"]) == (group, who["uri"])
        for one in state.group_relationships.values()
    ):
        message = f"{owner} is in the group {group} already"
        raise ValueError(message)
    stamp = state.stamp()
    if not invited:
        state.group_members[group].add(owner)
        record["member_count"] = len(state.group_members[group])
    record["updated_at"] = stamp
    return _relate(state, group, who["uri"], role, stamp)


@life_event
def change_group_role(state: State, *, relationship: str, role: Literal["member", "admin"]) -> None:
    """Change a role in a group; moves the relationship's ``updated_at``."""
    record = find(state.group_relationships, relationship, "group relationship")
    _require_role(role)
    record.update(role=role, updated_at=state.stamp())


@life_event
def leave_group(state: State, *, relationship: str) -> None:
    """Delete a place in a group; moves the group's ``updated_at``."""
    record = find(state.group_relationships, relationship, "group relationship")
    del state.group_relationships[relationship]
    membership = state.memberships.get(record["owner"])
    if membership is not None:
        state.group_members[record["group"]].discard(membership["user"]["uri"])
    _recount(state, record["group"])


def leave_all(state: State, user: str) -> None:
    """Take a user who leaves the organization out of all groups."""
    unrelate(state, owner=state.membership(user)["uri"])
    for group, members in state.group_members.items():
        if user in members:
            members.remove(user)
            _recount(state, group)


def take_places(state: State, invitation: str, user: str) -> None:
    """Give a new user the places in groups that their invitation had."""
    membership = state.membership(user)["uri"]
    for relationship in state.group_relationships.values():
        if relationship["owner"] == invitation:
            relationship.update(owner=membership, updated_at=state.stamp())
            state.group_members[relationship["group"]].add(user)
            _recount(state, relationship["group"])


def unrelate(state: State, **of: str) -> None:
    """Delete the group relationships whose fields have these values."""
    for uri, record in list(state.group_relationships.items()):
        if all(record[key] == value for key, value in of.items()):
            del state.group_relationships[uri]


def relationships(state: State) -> list[Record]:
    """Return all group relationships as the API returns them."""
    return [relationship(state, one) for one in state.group_relationships.values()]


def relationship(state: State, record: Record) -> Record:
    """Return a group relationship as the API returns it, its owner's record included."""
    owner = record["owner"]
    if owner in state.memberships:
        return {
            **record,
            "owner": {**state.memberships[owner], "type": "OrganizationMembership"},
        }
    return {**record, "owner": {**state.invitations[owner], "type": "OrganizationInvitation"}}


def administered_groups(state: State, user: str) -> frozenset[str]:
    """Return the URIs of the groups that the user administers."""
    return frozenset(
        one["group"]
        for one in state.group_relationships.values()
        if one["role"] == "admin"
        and state.memberships.get(one["owner"], {}).get("user", {}).get("uri") == user
    )


def _relate(state: State, group: str, owner: str, role: str, stamp: str) -> str:
    uri = state.identifiers.new_uri("group_relationships", group, owner)
    state.group_relationships[uri] = {
        "uri": uri,
        "role": role,
        "owner": owner,
        "organization": state.organization["uri"],
        "group": group,
        "created_at": stamp,
        "updated_at": stamp,
    }
    return uri


def _recount(state: State, group: str) -> None:
    count = len(state.group_members[group])
    state.groups[group].update(member_count=count, updated_at=state.stamp())


def _require_role(role: str) -> None:
    if role not in ("member", "admin"):
        message = f"a group has members and admins, no {role!r}"
        raise ValueError(message)
