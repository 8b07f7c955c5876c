"""The people of the organization: users, memberships, invitations, teams and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http.access import (
    TEAMS,
    require_group,
    require_member,
    require_people,
    require_plan,
    require_whole_organization,
    unaddressed,
)
from sandbox.http.answers.query import Endpoint, ordered, resource
from sandbox.organization.members import ROLES

if TYPE_CHECKING:
    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


def me(query: Query) -> Record:
    """Return the token's user."""
    return resource(query.calendly.users[query.caller.user])


def user(query: Query) -> Record:
    """Return a user."""
    record = query.found(query.calendly.users, "users")
    require_member(query.caller, record["uri"], query.members)
    return resource(record)


def organization(query: Query) -> Record:
    """Return the organization."""
    record = query.calendly.organization
    return resource(query.found({record["uri"]: record}, "organizations"))


def organization_memberships(query: Query) -> Record:
    """Return the organization's memberships, or one user's."""
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    email = asked.email("email")
    role = asked.choice("role", ROLES)
    require_people(query.caller, organization, user, query.members)
    return query.page(
        one
        for one in query.calendly.memberships.values()
        if user in (None, one["user"]["uri"])
        and email in (None, one["user"]["email"])
        and role in (None, one["role"])
    )


def organization_membership(query: Query) -> Record:
    """Return a membership."""
    record = query.found(query.calendly.memberships, "organization_memberships")
    require_people(query.caller, record["organization"], record["user"]["uri"], query.members)
    return resource(record)


def invitations(query: Query) -> Record:
    """Return the invitations to join the organization, oldest first."""
    asked = query.parameters
    status = asked.choice("status", ("pending", "accepted", "declined"))
    email = asked.email("email")
    order = asked.sort("created_at") or "created_at:asc"
    organization = query.calendly.organization
    query.found({organization["uri"]: organization}, "organizations")
    require_whole_organization(query.caller)
    rows = (
        one
        for one in query.calendly.invitations.values()
        if status in (None, one["status"]) and email in (None, one["email"])
    )
    return query.page(ordered(rows, order))


def invitation(query: Query) -> Record:
    """Return an invitation."""
    within = f"organizations/{query.ids['org_uuid']}/invitations"
    record = query.found(query.calendly.invitations, within)
    require_whole_organization(query.caller)
    return resource(record)


def teams(query: Query) -> Record:
    """Return the organization's teams, or a user's."""
    user = query.parameters.uri("user", "users")
    if user is None:
        require_whole_organization(query.caller)
    else:
        require_people(query.caller, None, user, query.members)
    members = query.calendly.team_members
    return query.page(
        one for uri, one in query.calendly.teams.items() if user is None or user in members[uri]
    )


def team(query: Query) -> Record:
    """Return a team."""
    record = query.found(query.calendly.teams, "teams", "team_uuid")
    if query.caller.user not in query.calendly.team_members[record["uri"]]:
        require_whole_organization(query.caller)
    return resource(record)


def groups(query: Query) -> Record:
    """Return the organization's groups; a group admin sees only their own."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    organization = query.parameters.required_uri("organization", "organizations")
    if organization != query.caller.organization or not query.caller.groups:
        require_whole_organization(query.caller, organization)
    return query.page(
        one
        for uri, one in query.calendly.groups.items()
        if query.caller.administers or uri in query.caller.groups
    )


def group(query: Query) -> Record:
    """Return a group."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    record = query.found(query.calendly.groups, "groups")
    require_group(query.caller, record["uri"])
    return resource(record)


def group_relationships(query: Query) -> Record:
    """Return the group relationships of the organization, a group or an owner."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    group = asked.uri("group", "groups")
    owner = asked.uri("owner", "organization_memberships", "organizations/{uuid}/invitations")
    if (organization, group, owner) == (None, None, None):
        raise unaddressed(otherwise="group or owner")
    if organization not in (None, query.caller.organization) or group is None:
        require_whole_organization(query.caller, organization)
    else:
        require_group(query.caller, group)
    rows = (
        one
        for one in query.calendly.group_relationships.values()
        if group in (None, one["group"]) and owner in (None, one["owner"])
    )
    return query.page(query.calendly.relationship(one) for one in rows)


def group_relationship(query: Query) -> Record:
    """Return a group relationship."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    record = query.found(query.calendly.group_relationships, "group_relationships")
    require_group(query.caller, record["group"])
    return resource(query.calendly.relationship(record))


ENDPOINTS = (
    Endpoint("/users/me", "users:read", me),
    Endpoint("/users/{uuid}", "users:read", user),
    Endpoint("/organizations/{uuid}", "organizations:read", organization),
    Endpoint("/organization_memberships", "organizations:read", organization_memberships),
    Endpoint("/organization_memberships/{uuid}", "organizations:read", organization_membership),
    Endpoint("/organizations/{uuid}/invitations", "organizations:read", invitations),
    Endpoint("/organizations/{org_uuid}/invitations/{uuid}", "organizations:read", invitation),
    Endpoint("/teams", "organizations:read", teams),
    Endpoint("/teams/{team_uuid}", "organizations:read", team),
    Endpoint("/groups", "groups:read", groups),
    Endpoint("/groups/{uuid}", "groups:read", group),
    Endpoint("/group_relationships", "groups:read", group_relationships),
    Endpoint("/group_relationships/{uuid}", "groups:read", group_relationship),
)
