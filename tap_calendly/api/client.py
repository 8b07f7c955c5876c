"""Calendly's API over HTTP: requests authenticated, throttled, and retried."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
import requests
import urllib3

from tap_calendly.api.authenticator import Authenticator
from tap_calendly.api.decoding import decode
from tap_calendly.api.retry import RetryLoop
from tap_calendly.api.session import new_session, no_answer, same_host
from tap_calendly.api.throttle import Throttle
from tap_calendly.reporting import errors, messages, remedies
from tap_calendly.settings import RESOURCES, Settings

T = TypeVar("T")
Read: TypeAlias = Callable[[Any, requests.Response], T]

ANSWERS = {
    "GET": HTTPStatus.OK,
    "POST": HTTPStatus.CREATED,
    "DELETE": HTTPStatus.NO_CONTENT,
}
"""The status with which Calendly grants a request, by its method."""


class Request(msgspec.Struct, frozen=True):
    """A request; it may be sent twice, whatever its method, as an answer can be lost."""

    stream: str  # the name of the stream that asks
    root: str  # the name of the stream whose rows it is asked for, or its own
    requires: errors.Requires
    url: str
    query: Mapping[str, Any] = {}  # in addition to the URL's
    method: Literal["GET", "POST", "DELETE"] = "GET"
    body: Mapping[str, Any] | None = None


class Client:
    """Calendly's API, for several threads at once."""

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        throttle: Throttle,
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is requested yet."""
        self.url = settings.api_url
        self.throttle = throttle
        self.authenticator = authenticator
        self.cleaned: Counter[str] = Counter()  # texts with characters replaced, by stream
        self.has_answered = False  # whether any request got an answer, be it a refusal
        self._agent = settings.user_agent
        self._timeouts = settings.timeouts
        self._retries = RetryLoop(settings, throttle, logger, limit_is_shared=True)
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()
        self._idle: list[requests.Session] = []
        self._now: datetime | None = None
        self._unanswered: set[str] = set()

    @property
    def made(self) -> Counter[str]:
        """Requests made so far, by the stream that asked."""
        with self._lock:
            return self._made.copy()

    @property
    def now(self) -> datetime:
        """The current time (UTC): that of the last response, by the server's clock, if any came."""
        return self._now or datetime.now(timezone.utc)

    @property
    def is_down(self) -> bool:
        """Whether two streams in a row got no answer, so that the next ones would get none either.

        A parent and its child count as one: what serves both may be all that has failed.
        """
        return len(self._unanswered) > 1

    def send(self, request: Request, read: Read[T], stop: threading.Event) -> T:
        """Send a request until its response can be used, and return what was read from it.

        `read` is given the JSON (None after DELETE) and the response, and raises one of
        `errors.UNREADABLE` if that is not what Calendly sends.

        Raises:
            RefusedError: Calendly refused, and trying again would not help.
            CalendlyError: No usable response came within the retry budget.
            StoppedError: `stop` is set, as nobody waits for the response any more.
        """
        # Behind a proxy that does not rewrite answers, a next page names Calendly's own host.
        if request.url.startswith(f"{RESOURCES}/"):
            url = self.url + request.url.removeprefix(RESOURCES)
            request = msgspec.structs.replace(request, url=url)
        if not same_host(request.url, self.url):
            raise errors.CalendlyError(
                messages.OTHER_HOST, stream=request.stream, host=_host(request.url)
            )
        try:
            found = self._retries.run(request.stream, partial(self._ask, request, read, stop), stop)
        except errors.CalendlyError as error:
            if isinstance(error, errors.RefusedError):
                self._note_answer()
            elif not isinstance(error, errors.FatalError):
                self._unanswered.add(request.root)
            raise
        self._note_answer()
        return found

    def _note_answer(self) -> None:
        self.has_answered = True
        self._unanswered.clear()

    def _ask(self, request: Request, read: Read[T], stop: threading.Event) -> T:
        response = self._send(request, stop)
        if response.status_code != ANSWERS[request.method]:
            step = remedies.next_step(response, request.requires, self.authenticator.remedies)
            raise remedies.error_class(response.status_code)(
                messages.ANSWERED, response, stream=request.stream, next_step=step
            )
        try:
            body, cleaned = decode(response.content or b"null")
            found = read(body, response)
            self._now = parsedate_to_datetime(response.headers["Date"])
        except errors.UNREADABLE:
            raise errors.TransientError(
                messages.NOT_CALENDLYS, response, stream=request.stream
            ) from None
        if cleaned:
            with self._lock:
                self.cleaned[request.stream] += cleaned
        return found

    def _send(self, request: Request, stop: threading.Event) -> requests.Response:
        """Send a request, and once more if its token was refused and has been replaced."""
        token = self.authenticator.token(stop)
        response = self._send_with(token, request, stop)
        if self.authenticator.replaced(token, response.status_code, stop):
            response = self._send_with(self.authenticator.token(stop), request, stop)
        return response

    def _send_with(self, token: str, request: Request, stop: threading.Event) -> requests.Response:
        """Send a request over a connection that no other thread is using."""
        with self._lock:
            session = self._idle.pop() if self._idle else new_session(self.url, self._agent)

        def send() -> requests.Response:
            with self._lock:
                self._made[request.stream] += 1
            return session.request(
                request.method,
                request.url,
                params=request.query,
                json=request.body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=self._timeouts,
                allow_redirects=False,  # the token goes only to the configured host
            )

        try:
            response = self.throttle.send(send, stop)
        except requests.RequestException as error:
            raise no_answer(error, request.stream, request.method, request.url, "api_url") from None
        finally:
            with self._lock:
                self._idle.append(session)
        if remedies.is_edge_refusal(response):  # it says nothing about the token
            raise remedies.edge_refusal(response, request.stream, "api_url")
        return response


def _host(url: str) -> str:
    try:
        return urllib3.util.parse_url(url).netloc or "no host"
    except ValueError:
        return "no host"
