"""The organization and its people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly.client import CalendlyStream
from tap_calendly.errors import Requires
from tap_calendly.schemas.organization import ORGANIZATION_MEMBERSHIP, USER

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class CurrentUser(CalendlyStream):
    """The user whose token it is; asked to find the organization, not offered as a stream."""

    name = "current_user"
    path = "/users/me"
    envelope = "resource"
    properties = USER
    requires = Requires("users:read")

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return {}


class OrganizationMemberships(CalendlyStream):
    """Members of the organization, each with the user's profile."""

    name = "organization_memberships"
    path = "/organization_memberships"
    properties = ORGANIZATION_MEMBERSHIP
    requires = Requires("organizations:read")
    vanishing = True

    @override
    def query(self, context: Context | None) -> dict[str, Any]:
        return dict(context or self.tap.scope.of_people)
