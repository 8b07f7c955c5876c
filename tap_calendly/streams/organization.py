"""The organization and its people."""

from __future__ import annotations

from tap_calendly.reading.endpoint import Paged, Single
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    ACCOUNT,
    CREATED_AT,
    EMAIL,
    NAME,
    ORGANIZATION_URI,
    PROFILE,
    SCHEDULING_URL,
    UPDATED_AT,
    URI,
    USER_REFERENCE,
    columns,
    integer,
    nested,
    one_of,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream

ROLE = string("role", "user, admin or owner.")

INVITATION = (
    ORGANIZATION_URI,
    EMAIL,
    string("status", "pending, accepted or declined."),
    CREATED_AT,
    UPDATED_AT,
    timestamp("last_sent_at", "When the invitation was last sent (UTC)."),
)


class CurrentUser(CalendlyStream):
    """The user whose token it is."""

    name = "current_user"
    endpoint = Single("/users/me")
    requires = Requires("users:read")
    schema = columns(URI, *ACCOUNT)


class Organizations(CalendlyStream):
    """The organization, with its plan."""

    name = "organizations"
    endpoint = Single("/organizations/{organization}")
    requires = Requires("organizations:read")
    schema = columns(
        URI,
        integer("id", "Calendly's number of the organization; undocumented."),
        string("kind", "single or multiple: whether it is meant for one user or several."),
        NAME,
        string("plan", "basic, essentials, standard, professional, teams or enterprise."),
        string("stage", "trial, free or paid."),
        CREATED_AT,
        UPDATED_AT,
    )


class OrganizationMemberships(CalendlyStream):
    """Members of the organization, each with the user's profile."""

    name = "organization_memberships"
    endpoint = Paged("/organization_memberships", whose="members")
    requires = Requires("organizations:read")
    schema = columns(
        URI,
        ROLE,
        nested("user", "The member's profile.", USER_REFERENCE, *PROFILE),
        ORGANIZATION_URI,
        CREATED_AT,
        UPDATED_AT,
    )


class OrganizationInvitations(CalendlyStream):
    """Invitations to join the organization, answered or not."""

    name = "organization_invitations"
    endpoint = Paged("/organizations/{organization}/invitations", sort="created_at:asc")
    requires = Requires("organizations:read")
    schema = columns(
        URI,
        *INVITATION,
        string("user", "URI of the user; absent until accepted."),
    )


class Teams(CalendlyStream):
    """Teams, which share a scheduling page."""

    name = "teams"
    endpoint = Paged("/teams")
    requires = Requires("organizations:read", plan="Teams")
    schema = columns(URI, NAME, ORGANIZATION_URI, SCHEDULING_URL)


class Groups(CalendlyStream):
    """Groups, by which administrators divide the members."""

    name = "groups"
    endpoint = Paged("/groups", whose="organization")
    requires = Requires("groups:read", plan="Teams")
    schema = columns(
        URI,
        NAME,
        ORGANIZATION_URI,
        CREATED_AT,
        UPDATED_AT,
        integer("member_count", "How many members it has."),
    )


class GroupRelationships(CalendlyStream):
    """Who belongs to which group: members and invited people."""

    name = "group_relationships"
    endpoint = Paged("/group_relationships", whose="organization")
    requires = Requires("groups:read", plan="Teams")
    schema = columns(
        URI,
        string("role", "member or admin: the role in the group."),
        nested(
            "owner",
            "Who is in the group; which fields there are depends on `type`.",
            string("type", "OrganizationMembership or OrganizationInvitation."),
            string("uri", "URI of the membership or the invitation."),
            ROLE,
            one_of(
                "user",
                ["object", "string"],
                "The member's profile; of an invitation the URI of the user, once accepted.",
            ),
            *INVITATION,
        ),
        ORGANIZATION_URI,
        string("group", "URI of the group."),
        CREATED_AT,
        UPDATED_AT,
    )
