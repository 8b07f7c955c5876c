"""Whose token it is: requested at most once per run, and only if the settings do not say."""

from __future__ import annotations

import logging
import threading
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any

import requests

from tap_calendly.api.client import Client, Request
from tap_calendly.api.page import Page, Record, page_of
from tap_calendly.api.retry import PAUSE
from tap_calendly.reporting import errors, messages
from tap_calendly.settings import resource_uri


class Account:
    """The token's user and that user's organization."""

    def __init__(self, client: Client, logger: logging.Logger) -> None:
        """Prepare; nothing is requested yet."""
        self.answers: dict[str, Page] = {}  # by URL, for the stream that would ask for the same
        self._client = client
        self._logger = logger
        self._found: dict[str, str] | None = None

    @property
    def user(self) -> str:
        """The user's URI."""
        return self._owner["user"]

    @property
    def organization(self) -> str:
        """The organization's URI."""
        return self._owner["organization"]

    @cached_property
    def user_id(self) -> str | None:
        """The user's id; None if the token may not read it and does not hold it."""
        if self.is_hidden:
            return self._client.authenticator.user_id
        return self.user.rsplit("/", 1)[-1]

    @property
    def is_hidden(self) -> bool:
        """Whether the token may read neither, as far as one try tells."""
        try:
            return self._look_up() is None
        except errors.CalendlyError:
            return True

    @cached_property
    def role(self) -> str | None:
        """The user's role in the organization; None if the token may not read it."""
        try:
            memberships = self._memberships(self.user)
        except errors.CalendlyError:
            return None
        return next((str(row.get("role")) for row in memberships), None)

    @cached_property
    def _owner(self) -> dict[str, str]:
        """Find the owner; as the run fails without one, ask again once: a refusal may pass."""
        if (owner := self._look_up()) is not None:
            return owner
        self._logger.warning(messages.ASKING_AGAIN, "current_user", HTTPStatus.FORBIDDEN, PAUSE)
        self._client.throttle.rest(PAUSE, threading.Event())
        if (owner := self._look_up()) is None:
            raise errors.FatalError(messages.OWNER_HIDDEN)
        return owner

    def _look_up(self) -> dict[str, str] | None:
        """Ask who the owner is, unless it is known; None if the token may not read that."""
        if self._found is None:
            self._found = self._client.authenticator.owner(threading.Event())
        for ask in (self._owner_by_profile, self._owner_by_membership):
            try:
                self._found = self._found or ask()
            except errors.CalendlyError as error:
                if not errors.is_forbidden(error):  # the token may lack a scope
                    raise errors.FatalError(str(error)) from None
        return self._found

    def _owner_by_profile(self) -> dict[str, str]:
        url = f"{self._client.url}/users/me"
        request = Request("current_user", "current_user", errors.Requires("users:read"), url)
        page = self._client.send(request, _profile, threading.Event())
        self.answers[url] = page
        (profile,) = page.rows
        return {"user": profile["uri"], "organization": profile["current_organization"]}

    def _owner_by_membership(self) -> dict[str, str] | None:
        """Find the owner of a token without the scope `users:read`, if the token names its user."""
        if (user_id := self._client.authenticator.user_id) is None:
            return None
        user = resource_uri("users", user_id)
        if not (memberships := self._memberships(user)):
            return None
        return {"user": user, "organization": memberships[0]["organization"]}

    def _memberships(self, user: str) -> list[Record]:
        name = "organization_memberships"
        requires, query = errors.Requires("organizations:read"), {"user": user, "count": "100"}
        request = Request(name, name, requires, f"{self._client.url}/{name}", query)
        read = partial(page_of, "collection", paged=True)
        return self._client.send(request, read, threading.Event()).rows


def _profile(body: Any, response: requests.Response) -> Page:  # noqa: ANN401 - JSON
    page = page_of("resource", body, response, paged=False)
    (profile,) = page.rows
    uri = profile["uri"]
    if not isinstance(uri, str) or not uri or "current_organization" not in profile:
        message = "a profile without its URIs"
        raise ValueError(message)
    return page
