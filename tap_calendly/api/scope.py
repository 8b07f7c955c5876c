"""Whose data a run reads: the organization's, one user's, or one group's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Literal

from tap_calendly.api.account import Account
from tap_calendly.settings import Settings, resource_uri

Whose = Literal["organization", "members", "meetings", "webhooks", "token_user"]
"""Whose rows a list is asked for: the organization's; those of its members, or of the one user; of
the meetings or the webhooks in scope; of the token's user, whatever the scope."""


class Scope:
    """What the settings and the token say about whose data to read."""

    def __init__(self, settings: Settings, account: Account) -> None:
        """Prepare; nothing is asked yet."""
        self._settings = settings
        self._account = account
        self._parameters: dict[Whose, Callable[[], dict[str, str]]] = {
            "organization": lambda: {"organization": self.organization},
            "members": self._of_members,
            "meetings": self._of_meetings,
            "webhooks": self._of_webhooks,
            "token_user": dict,
        }

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

    @cached_property
    def name(self) -> str:
        """What a state is about, such as `organization AAAA`."""
        settings = self._settings
        if settings.scope == "group":
            whose = str(settings.group)
        else:
            whose = self.user if settings.scope == "user" else self.organization
        return f"{settings.scope} {whose.strip().rstrip('/').rsplit('/', 1)[-1]}"

    @cached_property
    def own_name(self) -> str:
        """What a state is about where the API gives the rows of the token's user alone."""
        return f"user {self._account.user_id}"

    def parameters(self, whose: Whose | None) -> dict[str, str]:
        """Give the parameters that say whose rows are asked for."""
        return {} if whose is None else self._parameters[whose]()

    def _of_meetings(self) -> dict[str, str]:
        """Give the parameters of `/scheduled_events`.

        A user's own meetings are asked for without an organization: only then does Calendly give
        those of former organizations too (API reference, "List Events").
        """
        kind = self._settings.scope
        if kind == "organization":
            return {"organization": self.organization}
        if kind == "group":
            return {"organization": self.organization, "group": self._group}
        if self._settings.organization or self.user != self._account.user:
            return {"organization": self.organization, "user": self.user}
        return {"user": self.user}

    def _of_members(self) -> dict[str, str]:
        """Give the parameters of lists that know organizations and users, but no groups."""
        if self._settings.scope == "user":
            return {"user": self.user}
        return {"organization": self.organization}

    def _of_webhooks(self) -> dict[str, str]:
        kind = self._settings.scope
        query = {"organization": self.organization, "scope": kind}
        if kind == "group":
            query["group"] = self._group
        elif kind == "user":
            query["user"] = self.user
        return query

    @property
    def _group(self) -> str:
        return resource_uri("groups", str(self._settings.group))
