"""Whose data a run reads: the organization's, one user's, or one group's."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from tap_calendly.api.account import Account
from tap_calendly.settings import Settings, resource_uri

Whose = Literal["organization", "members", "meetings", "webhooks", "token_user"]
"""Whose rows a list is asked for: the organization's; its members' or the one user's; those of the
meetings or webhooks in scope; the token's user's, whatever the scope."""


class Scope:
    """What the settings and the token say about whose data to read."""

    def __init__(self, settings: Settings, account: Account) -> None:
        """Prepare; nothing is requested yet."""
        self._settings = settings
        self._account = account

    @cached_property
    def organization(self) -> str:
        """The organization's URI."""
        if self._settings.organization:
            return resource_uri("organizations", self._settings.organization)
        return self._account.organization

    @cached_property
    def user(self) -> str:
        """The URI of the user that `scope: user` means."""
        if self._settings.user:
            return resource_uri("users", self._settings.user)
        return self._account.user

    @property
    def name(self) -> str:
        """Whose data a stream's state belongs to, such as `organization AAAA`."""
        kind = self._settings.scope
        uri = self._group if kind == "group" else self.user if kind == "user" else self.organization
        return f"{kind} {uri.rsplit('/', 1)[-1]}"

    @property
    def own_name(self) -> str:
        """The same where the API gives only the rows of the token's user."""
        return f"user {self._account.user_id}"

    @cached_property
    def known_name(self) -> str:
        """`name`, or `own_name` if the token hides the organization, as some streams need none."""
        takes_owner = not getattr(self._settings, self._settings.scope)
        return self.own_name if takes_owner and self._account.is_hidden else self.name

    def parameters(self, whose: Whose | None) -> dict[str, str]:
        """Return the query parameters that say whose rows are asked for."""
        if whose is None or whose == "token_user":
            return {}
        kind = self._settings.scope
        if kind == "user" and (whose == "members" or (whose == "meetings" and self._is_own)):
            return {"user": self.user}
        query = {"organization": self.organization}
        if whose == "webhooks":
            query["scope"] = kind
        if whose in {"meetings", "webhooks"} and kind != "organization":
            query[kind] = self._group if kind == "group" else self.user
        return query

    @property
    def _is_own(self) -> bool:
        """Whether to ask for a user's meetings without an organization."""
        # Only then are those of former organizations among them; Calendly does that for the token's
        # user alone (API reference, "List Events").
        return not self._settings.organization and self.user == self._account.user

    @property
    def _group(self) -> str:
        return resource_uri("groups", str(self._settings.group))
