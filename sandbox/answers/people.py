"""The people of the organisation: users, memberships and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.access import (
    PLANS_WITH_TEAMS,
    require_member,
    require_people,
    require_plan,
    require_whole_organization,
)
from sandbox.answers.query import Endpoint, resource
from sandbox.organization import ROLES

if TYPE_CHECKING:
    from sandbox.answers.query import Query
    from sandbox.state import Record


def me(query: Query) -> Record:
    """The person the token belongs to."""
    return resource(query.calendly.users[query.caller.user])


def user(query: Query) -> Record:
    """A person of the organisation."""
    record = query.found(query.calendly.users, "users")
    require_member(query.caller, record["uri"], query.members)
    return resource(record)


def organization(query: Query) -> Record:
    """The organisation."""
    record = query.calendly.organization
    return resource(query.found({record["uri"]: record}, "organizations"))


def organization_memberships(query: Query) -> Record:
    """The members of the organisation, or one user's membership."""
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
    """A membership."""
    record = query.found(query.calendly.memberships, "organization_memberships")
    require_people(query.caller, record["organization"], record["user"]["uri"], query.members)
    return resource(record)


def groups(query: Query) -> Record:
    """The groups of the organisation."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    organization = query.parameters.required_uri("organization", "organizations")
    require_whole_organization(query.caller, organization)
    return query.page(query.calendly.groups.values())


def group(query: Query) -> Record:
    """A group."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    record = query.found(query.calendly.groups, "groups")
    require_whole_organization(query.caller)
    return resource(record)


ENDPOINTS = (
    Endpoint("/users/me", "users:read", me),
    Endpoint("/users/{uuid}", "users:read", user),
    Endpoint("/organizations/{uuid}", "organizations:read", organization),
    Endpoint("/organization_memberships", "organizations:read", organization_memberships),
    Endpoint("/organization_memberships/{uuid}", "organizations:read", organization_membership),
    Endpoint("/groups", "groups:read", groups),
    Endpoint("/groups/{uuid}", "groups:read", group),
)
