"""The organization and its people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly.reporting import errors
from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.organization import (
    GROUP,
    GROUP_RELATIONSHIP,
    ORGANIZATION,
    ORGANIZATION_INVITATION,
    ORGANIZATION_MEMBERSHIP,
    TEAM,
    USER,
)
from tap_calendly.singer.stream import CalendlyStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

    from tap_calendly.api.page import Page


class CurrentUser(CalendlyStream):
    """The user whose token it is."""

    name = "current_user"
    path = "/users/me"
    envelope = "resource"
    properties = USER
    requires = Requires("users:read")

    @override
    def fetch(self, context: Context | None, following: str | None = None) -> Page:
        # Asked once a run, though two may want to know.
        return self.tap.scope.whoever_asks or super().fetch(context, following)


class Organizations(CalendlyStream):
    """The organization, with its plan."""

    name = "organizations"
    path = "/organizations/{organization}"
    envelope = "resource"
    properties = ORGANIZATION
    requires = Requires("organizations:read")


class OrganizationMemberships(CalendlyStream):
    """Members of the organization, each with the user's profile."""

    name = "organization_memberships"
    path = "/organization_memberships"
    properties = ORGANIZATION_MEMBERSHIP
    requires = Requires("organizations:read")

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return dict(context or self.tap.scope.of_people)

    @override
    def contexts(self, record: Record) -> Iterable[Context]:
        user = record.get("user")
        if isinstance(user, dict) and isinstance(user.get("uri"), str):
            return [{"user_uri": user["uri"]}]
        if not self.children:
            return []
        names = ", ".join(child.name for child in self.children)
        message = (
            f"{self.name}: Calendly gave the membership {record['uri']} without its `user`, for "
            f"whom {names} are read: deselect these, and report this line."
        )
        raise errors.CalendlyError(message)


class OrganizationInvitations(CalendlyStream):
    """Invitations to join the organization, answered or not."""

    name = "organization_invitations"
    path = "/organizations/{organization}/invitations"
    sort = "created_at:asc"
    properties = ORGANIZATION_INVITATION
    requires = Requires("organizations:read")


class Teams(CalendlyStream):
    """Teams, which share a scheduling page."""

    name = "teams"
    path = "/teams"
    properties = TEAM
    requires = Requires("organizations:read", plan="Teams")


class Groups(CalendlyStream):
    """Groups, by which administrators divide the members."""

    name = "groups"
    path = "/groups"
    whose = "organization"
    properties = GROUP
    requires = Requires("groups:read", plan="Teams")


class GroupRelationships(CalendlyStream):
    """Who belongs to which group: members and invited people."""

    name = "group_relationships"
    path = "/group_relationships"
    whose = "organization"
    properties = GROUP_RELATIONSHIP
    requires = Requires("groups:read", plan="Teams")
