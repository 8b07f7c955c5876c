"""The organization's users and memberships."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import CREATED_AT, PROFILE, UPDATED_AT, URI, group, text

USER = th.PropertiesList(
    URI,
    *PROFILE,
    text("current_organization", "URI of the user's organization."),
    text("resource_type", "The word User."),
)

ORGANIZATION_MEMBERSHIP = th.PropertiesList(
    URI,
    text("role", "user, admin or owner."),
    group("user", "The member's profile.", text("uri", "URI of the user."), *PROFILE),
    text("organization", "URI of the organization."),
    CREATED_AT,
    UPDATED_AT,
)
