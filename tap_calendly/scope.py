"""Whose data a run reads: the organization's, one user's, or one group's."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_calendly.reporting import errors
from tap_calendly.settings import resource_uri
from tap_calendly.streams.organization import CurrentUser, OrganizationMemberships

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_calendly.api.page import Page
    from tap_calendly.tap import TapCalendly


class Scope:
    """What the settings and the token say about whose data to read.

    Calendly is asked whose token it is once a run at most, and only when the settings do not tell.
    """

    def __init__(self, tap: TapCalendly) -> None:
        """Prepare to answer.

        Args:
            tap: The tap, which knows the settings.
        """
        self._tap = tap
        self._config: Mapping[str, Any] = tap.config
        self.whoever_asks: Page | None = None

    @cached_property
    def organization(self) -> str:
        """The organization's URI."""
        if named := self._config.get("organization"):
            return resource_uri("organizations", named)
        return str(self._owner["organization"])

    @cached_property
    def user(self) -> str:
        """The URI of the user that `scope: user` means."""
        if named := self._config.get("user"):
            return resource_uri("users", named)
        return str(self._owner["user"])

    @cached_property
    def name(self) -> str:
        """What a state is about, such as `organization AAAA`."""
        kind = self._config["scope"]
        whose = {"organization": lambda: self.organization, "user": lambda: self.user}.get(
            kind, lambda: str(self._config["group"])
        )()
        return f"{kind} {whose.strip().rstrip('/').rsplit('/', 1)[-1]}"

    @cached_property
    def own_name(self) -> str:
        """What a state is about where the API gives the rows of the token's user alone."""
        try:
            return f"user {self._owner['user'].rsplit('/', 1)[-1]}"
        except errors.CalendlyError:
            return f"user {self._tap.api.user_id}"

    @cached_property
    def of_meetings(self) -> dict[str, str]:
        """The parameters of `/scheduled_events`.

        A user's own meetings are asked for without an organization: only then does Calendly give
        those of former organizations too (API reference, "List Events").
        """
        kind = self._config["scope"]
        if kind == "organization":
            return {"organization": self.organization}
        if kind == "group":
            group = resource_uri("groups", self._config["group"])
            return {"organization": self.organization, "group": group}
        if self._config.get("organization") or self.user != self._owner["user"]:
            return {"organization": self.organization, "user": self.user}
        return {"user": self.user}

    @cached_property
    def of_people(self) -> dict[str, str]:
        """The parameters of lists that know organizations and users, but no groups."""
        if self._config["scope"] == "user":
            return {"user": self.user}
        return {"organization": self.organization}

    @cached_property
    def of_webhooks(self) -> dict[str, str]:
        """The parameters that say whose webhook subscriptions are read, beside the organization."""
        kind = self._config["scope"]
        if kind == "group":
            return {"scope": kind, "group": resource_uri("groups", self._config["group"])}
        return {"scope": kind, "user": self.user} if kind == "user" else {"scope": kind}

    @cached_property
    def role(self) -> str | None:
        """The role of the token's user in the organization; None where the token hides it."""
        try:
            memberships = OrganizationMemberships(self._tap).fetch({"user": self._owner["user"]})
        except errors.CalendlyError:
            return None
        return next((str(row.get("role")) for row in memberships.rows), None)

    @cached_property
    def _owner(self) -> dict[str, str]:
        """The token's user and that user's organization."""
        if (owner := self._tap.api.owner) is not None:
            return owner
        try:
            self.whoever_asks = CurrentUser(self._tap).fetch(None)
        except errors.CalendlyError as error:
            if _hides(error):
                return self._owner_by_membership()
            raise errors.FatalError(str(error)) from None
        (profile,) = self.whoever_asks.rows
        return {"user": profile["uri"], "organization": profile["current_organization"]}

    def _owner_by_membership(self) -> dict[str, str]:
        """Find the owner of a token that lacks the scope `users:read`."""
        own_id = self._tap.api.user_id
        if own_id is not None:
            own = {"user": resource_uri("users", own_id)}
            try:
                memberships = OrganizationMemberships(self._tap).fetch(own).rows
            except errors.CalendlyError as error:
                if not _hides(error):
                    raise errors.FatalError(str(error)) from None
            else:
                if memberships:
                    return {**own, "organization": memberships[0]["organization"]}
        message = (
            "current_user: the token may read neither its user (scope users:read) nor the "
            "membership (scope organizations:read): add one of these scopes, or set "
            "`organization` and, for `scope: user`, `user`."
        )
        raise errors.FatalError(message)


def _hides(error: errors.CalendlyError) -> bool:
    """Tell whether the token lacks the scope."""
    return isinstance(error, errors.RefusedError) and error.status == HTTPStatus.FORBIDDEN
