"""The organization, its users, and how they are grouped."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
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
    either,
    group,
    text,
    time,
    whole,
)

USER = th.PropertiesList(URI, *ACCOUNT)

ORGANIZATION = th.PropertiesList(
    URI,
    text("kind", "single or multiple: whether it is meant for one user or several."),
    NAME,
    text("plan", "basic, essentials, standard, professional, teams or enterprise."),
    text("stage", "trial, free or paid."),
    CREATED_AT,
    UPDATED_AT,
)

ROLE = text("role", "user, admin or owner.")

ORGANIZATION_MEMBERSHIP = th.PropertiesList(
    URI,
    ROLE,
    group("user", "The member's profile.", USER_REFERENCE, *PROFILE),
    ORGANIZATION_URI,
    CREATED_AT,
    UPDATED_AT,
)

INVITATION = (
    ORGANIZATION_URI,
    EMAIL,
    text("status", "pending, accepted or declined."),
    CREATED_AT,
    UPDATED_AT,
    time("last_sent_at", "When the invitation was last sent (UTC)."),
)

ORGANIZATION_INVITATION = th.PropertiesList(
    URI,
    *INVITATION,
    text("user", "URI of the user; absent until accepted."),
)

TEAM = th.PropertiesList(URI, NAME, ORGANIZATION_URI, SCHEDULING_URL)

GROUP = th.PropertiesList(
    URI,
    NAME,
    ORGANIZATION_URI,
    CREATED_AT,
    UPDATED_AT,
    whole("member_count", "How many members it has."),
)

GROUP_RELATIONSHIP = th.PropertiesList(
    URI,
    text("role", "member or admin: the role in the group."),
    group(
        "owner",
        "Who is in the group; which fields there are depends on `type`.",
        text("type", "OrganizationMembership or OrganizationInvitation."),
        text("uri", "URI of the membership or the invitation."),
        ROLE,
        either(
            "user",
            ["object", "string"],
            "The member's profile; of an invitation the URI of the user, once accepted.",
        ),
        *INVITATION,
    ),
    ORGANIZATION_URI,
    text("group", "URI of the group."),
    CREATED_AT,
    UPDATED_AT,
)
