"""Calendly's webhook subscriptions: listed, looked up, created, deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, Literal, TypeVar

import msgspec
import requests

from tap_calendly.api.client import Request
from tap_calendly.api.page import page_of
from tap_calendly.reporting import errors, messages
from tap_calendly.reporting.errors import Requires
from tap_calendly.run import Run
from tap_calendly.webhooks.subscription import Wanted, Webhook, has_url

T = TypeVar("T")

PATH = "/webhook_subscriptions"


class InDoubtError(errors.CalendlyError):
    """It is not known whether a subscription was created."""


class WebhooksApi:
    """The webhook subscriptions that the token gives access to."""

    def __init__(self, run: Run) -> None:
        """Prepare; nothing is requested yet."""
        self._run = run

    def whose(self) -> dict[str, str]:
        """Return whose events the settings mean, as query parameters."""
        return self._run.scope.parameters("webhooks")

    def all(self) -> list[Webhook]:
        """Return the subscriptions in the scope of the settings, the oldest first."""
        query = {**self.whose(), "sort": "created_at:asc", "count": "100"}
        found, page = self._send("GET", PATH, _page, query=query)
        while page is not None:
            more, page = self._send("GET", page, _page)
            found += more
        return found

    def one(self, uri: str) -> Webhook | None:
        """Return a subscription; None if it is gone."""
        try:
            return self._send("GET", _path(uri), _webhook)
        except errors.RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def create(self, wanted: Wanted, key: str | None, known: Collection[str]) -> Webhook:
        """Create a subscription.

        Calendly refuses a URL that has one, so a request whose answer was lost can be repeated.
        What was then made before is found in the list, where it is not among the `known` URIs.

        Raises:
            CalendlyError: There is no new one.
        """
        body = {"url": wanted.callback_url, "events": wanted.events, **wanted.whose}
        if key is not None:
            body["signing_key"] = key
        try:
            return self._send("POST", PATH, _webhook, body=body)
        except errors.CalendlyError as error:
            is_taken = error.status == HTTPStatus.CONFLICT
            if not is_taken and not isinstance(error, errors.TransientError):
                raise
            try:
                listed = self.all()
            except errors.CalendlyError as unread:
                if not is_taken:
                    raise error from None
                raise InDoubtError(messages.CREATION_IN_DOUBT, why=unread) from None
            for one in listed:
                if has_url(one, wanted.callback_url) and one.uri not in known:
                    return one
            if is_taken:
                scope = wanted.whose["scope"]
                raise errors.CalendlyError(messages.URL_TAKEN_ELSEWHERE, scope=scope) from None
            raise

    def delete(self, uri: str) -> bool:
        """Delete a subscription; tell whether there was one."""
        try:
            self._send("DELETE", _path(uri), lambda *_: None)
        except errors.RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def _send(
        self,
        method: Literal["GET", "POST", "DELETE"],
        where: str,
        read: Callable[[Any, requests.Response], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        client, name = self._run.client, PATH.strip("/")
        requires = Requires("webhooks:read" if method == "GET" else "webhooks:write")
        url = client.url + where if where.startswith("/") else where
        request = Request(name, name, requires, url, query or {}, method, body)
        try:
            return client.send(request, read, threading.Event())
        except errors.RefusedError as error:
            step = messages.WEBHOOKS_REFUSED.get(error.status or 0, messages.RUN_LATER)
            raise errors.RefusedError(
                messages.ANSWERED,
                error.response,
                stream=name,
                next_step=step.format(scope=requires.scope),
            ) from None


def _path(uri: str) -> str:
    return f"{PATH}/{uri.rsplit('/', 1)[-1]}"


def _webhook(body: Any, _: requests.Response) -> Webhook:  # noqa: ANN401 - JSON
    return msgspec.convert(body["resource"], Webhook)


def _page(body: Any, response: requests.Response) -> tuple[list[Webhook], str | None]:  # noqa: ANN401
    page = page_of("collection", body, response, paged=True)
    return msgspec.convert(page.rows, list[Webhook]), page.next_page
