"""The organization, its users, and how they are grouped."""

from __future__ import annotations

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
    Schema,
    integer,
    nested,
    one_of,
    string,
    timestamp,
)

USER = Schema(URI, *ACCOUNT)

ORGANIZATION = Schema(
    URI,
    string("kind", "single or multiple: whether it is meant for one user or several."),
    NAME,
    string("plan", "basic, essentials, standard, professional, teams or enterprise."),
    string("stage", "trial, free or paid."),
    CREATED_AT,
    UPDATED_AT,
)

ROLE = string("role", "user, admin or owner.")

ORGANIZATION_MEMBERSHIP = Schema(
    URI,
    ROLE,
    nested("user", "The member's profile.", USER_REFERENCE, *PROFILE),
    ORGANIZATION_URI,
    CREATED_AT,
    UPDATED_AT,
)

INVITATION = (
    ORGANIZATION_URI,
    EMAIL,
    string("status", "pending, accepted or declined."),
    CREATED_AT,
    UPDATED_AT,
    timestamp("last_sent_at", "When the invitation was last sent (UTC)."),
)

ORGANIZATION_INVITATION = Schema(
    URI,
    *INVITATION,
    string("user", "URI of the user; absent until accepted."),
)

TEAM = Schema(URI, NAME, ORGANIZATION_URI, SCHEDULING_URL)

GROUP = Schema(
    URI,
    NAME,
    ORGANIZATION_URI,
    CREATED_AT,
    UPDATED_AT,
    integer("member_count", "How many members it has."),
)

GROUP_RELATIONSHIP = Schema(
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
