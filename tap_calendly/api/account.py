"""Whose token it is: asked once a run at most, and only when the settings do not tell."""

from __future__ import annotations

import threading
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any

import requests

from tap_calendly.api.client import Client, Request
from tap_calendly.api.page import Page, Record, page_of
from tap_calendly.reporting import errors, messages
from tap_calendly.settings import resource_uri

USER = errors.Requires("users:read")
MEMBERSHIP = errors.Requires("organizations:read")


class Account:
    """The token's user and that user's organization.

    Attributes:
        answers: What was asked, by its address, for the stream that would ask for the same.
    """

    def __init__(self, client: Client) -> None:
        """Prepare; nothing is asked yet."""
        self.answers: dict[str, Page] = {}
        self._client = client

    @property
    def user(self) -> str:
        """The user's URI."""
        return self._owner["user"]

    @property
    def organization(self) -> str:
        """The organization's URI."""
        return self._owner["organization"]

    @property
    def user_id(self) -> str | None:
        """The user's id, also of a token that hides whose it is; None if nothing tells."""
        try:
            return self.user.rsplit("/", 1)[-1]
        except errors.CalendlyError:
            return self._client.user_id

    @cached_property
    def role(self) -> str | None:
        """The user's role in the organization; None where the token hides it."""
        try:
            memberships = self._memberships(self.user)
        except errors.CalendlyError:
            return None
        return next((str(row.get("role")) for row in memberships), None)

    @cached_property
    def _owner(self) -> dict[str, str]:
        if (owner := self._client.owner) is not None:
            return owner
        url = f"{self._client.url}/users/me"
        request = Request("current_user", "current_user", USER, url)
        try:
            page = self._client.get(request, _profile, threading.Event())
        except errors.CalendlyError as error:
            if _hides(error):
                return self._owner_by_membership()
            raise errors.FatalError(str(error)) from None
        self.answers[url] = page
        (profile,) = page.rows
        return {"user": profile["uri"], "organization": profile["current_organization"]}

    def _owner_by_membership(self) -> dict[str, str]:
        """Find the owner of a token that lacks the scope `users:read`."""
        if self._client.user_id is not None:
            user = resource_uri("users", self._client.user_id)
            try:
                memberships = self._memberships(user)
            except errors.CalendlyError as error:
                if not _hides(error):
                    raise errors.FatalError(str(error)) from None
            else:
                if memberships:
                    return {"user": user, "organization": memberships[0]["organization"]}
        raise errors.FatalError(messages.OWNER_HIDDEN)

    def _memberships(self, user: str) -> list[Record]:
        name = "organization_memberships"
        url = f"{self._client.url}/{name}"
        request = Request(name, name, MEMBERSHIP, url, {"user": user, "count": "100"})
        read = partial(page_of, "collection", paged=True)
        return self._client.get(request, read, threading.Event()).rows


def _profile(body: Any, response: requests.Response) -> Page:  # noqa: ANN401 - JSON
    page = page_of("resource", body, response, paged=False)
    if not page.rows[0]["uri"]:
        message = "an empty key"
        raise ValueError(message)
    return page


def _hides(error: errors.CalendlyError) -> bool:
    """Tell whether the token lacks the scope."""
    return isinstance(error, errors.RefusedError) and error.status == HTTPStatus.FORBIDDEN
