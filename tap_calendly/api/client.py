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
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3

from tap_calendly.api.authenticator import Authenticator
from tap_calendly.api.decoding import decode
from tap_calendly.api.retry import RetryLoop
from tap_calendly.api.session import may_come_back, new_session, same_host
from tap_calendly.api.throttle import Throttle
from tap_calendly.reporting import errors, messages, remedies
from tap_calendly.settings import Settings

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """A GET request.

    Attributes:
        stream: The name of the stream that asks.
        leading: The name of the stream for whose rows it asks, or its own.
        requires: What a token needs for it.
        url: The address.
        query: Parameters beside those in the address.
    """

    stream: str
    leading: str
    requires: errors.Requires
    url: str
    query: Mapping[str, Any] = {}


class Client:
    """Calendly's API, for several threads at once.

    Attributes:
        url: The address of the API.
        throttle: The pace of all requests.
    """

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        throttle: Throttle,
        logger: logging.Logger,
    ) -> None:
        """Prepare; no request is made yet."""
        self.url = settings.api_url
        self.throttle = throttle
        self._authenticator = authenticator
        self._agent = settings.user_agent
        self._timeouts = settings.timeouts
        self._retries = RetryLoop(settings, throttle, logger, limit_is_shared=True)
        self._lock = threading.Lock()
        self._made: Counter[str] = Counter()
        self._cleaned: Counter[str] = Counter()
        self._idle: list[requests.Session] = []
        self._now: datetime | None = None
        self._unanswered: set[str] = set()
        self._has_answered = False

    @property
    def made(self) -> Counter[str]:
        """Requests made so far, by the name of the stream that asked."""
        with self._lock:
            return self._made.copy()

    @property
    def cleaned(self) -> Counter[str]:
        """Texts in which characters had to be replaced, by the name of the stream."""
        with self._lock:
            return self._cleaned.copy()

    @property
    def owner(self) -> dict[str, str] | None:
        """The URIs of the token's `user` and `organization`, if known without a request."""
        return self._authenticator.owner(threading.Event())

    @property
    def user_id(self) -> str | None:
        """The id of the user that the token itself names."""
        return self._authenticator.user_id

    @property
    def now(self) -> datetime:
        """The current time (UTC): that of the last response, by the server's clock."""
        return self._now or datetime.now(timezone.utc)

    @property
    def is_out(self) -> bool:
        """Whether two streams in a row got no answer at all: the next ones would not either.

        Two that are read together count as one, as what Calendly has for both may fail alone.
        """
        return len(self._unanswered) > 1

    @property
    def has_answered(self) -> bool:
        """Whether any request of this run got an answer."""
        return self._has_answered

    def get(
        self, request: Request, read: Callable[[Any, requests.Response], T], stop: threading.Event
    ) -> T:
        """Send a request until its response can be used, and return what was read from it.

        Args:
            request: The request.
            read: Reads a response, given its JSON and itself; an AttributeError, KeyError,
                TypeError or ValueError says that it is not what Calendly sends.
            stop: Set when nobody waits for the response any more.

        Raises:
            RefusedError: Calendly refused, and trying again would not help.
            CalendlyError: No usable response came within the retry budget.
            StoppedError: Nobody waits for the response any more.
        """
        if not same_host(request.url, self.url):
            raise errors.CalendlyError(
                messages.OTHER_HOST, stream=request.stream, host=_host(request.url)
            )
        try:
            found = self._retries.run(request.stream, partial(self._ask, request, read, stop), stop)
        except errors.RefusedError:
            self._note_answer()
            raise
        except errors.FatalError:
            raise
        except errors.CalendlyError:
            self._unanswered.add(request.leading)
            raise
        self._note_answer()
        return found

    def _note_answer(self) -> None:
        self._has_answered = True
        self._unanswered.clear()

    def _ask(
        self, request: Request, read: Callable[[Any, requests.Response], T], stop: threading.Event
    ) -> T:
        """Send a request once, and read the response."""
        response = self._send(request, stop)
        if response.status_code != HTTPStatus.OK:
            raise remedies.error_class(response.status_code)(
                messages.ANSWERED,
                response,
                stream=request.stream,
                next_step=remedies.next_step(
                    response, request.requires, self._authenticator.remedies
                ),
            )
        try:
            body, cleaned = decode(response.content)
            found = read(body, response)
            self._now = parsedate_to_datetime(response.headers["Date"])
        except errors.UNREADABLE:
            raise errors.TransientError(
                messages.NOT_CALENDLYS, response, stream=request.stream
            ) from None
        if cleaned:
            with self._lock:
                self._cleaned[request.stream] += cleaned
        return found

    def _send(self, request: Request, stop: threading.Event) -> requests.Response:
        """Send a request, and once more if its token is refused and there is another by now."""
        token = self._authenticator.token(stop)
        response = self._send_with(token, request, stop)
        if self._authenticator.replaced(token, response.status_code, stop):
            response = self._send_with(self._authenticator.token(stop), request, stop)
        return response

    def _send_with(self, token: str, request: Request, stop: threading.Event) -> requests.Response:
        """Send a request over a connection that no other thread uses meanwhile."""
        with self._lock:
            session = self._idle.pop() if self._idle else new_session(self.url, self._agent)

        def send() -> requests.Response:
            with self._lock:
                self._made[request.stream] += 1
            return session.get(
                request.url,
                params=request.query,
                headers={"Authorization": f"Bearer {token}"},
                timeout=self._timeouts,
                allow_redirects=False,  # the token goes to the configured host alone
            )

        try:
            return self.throttle.send(send, stop)
        except requests.RequestException as error:
            parts = urlsplit(request.url)
            failed = errors.TransientError if may_come_back(error) else errors.CalendlyError
            raise failed(
                messages.NO_ANSWER,
                stream=request.stream,
                host=parts.netloc,
                path=parts.path,
                failure=remedies.failure(error),
                next_step=remedies.step_without_answer(error, "api_url"),
            ) from None
        finally:
            with self._lock:
                self._idle.append(session)


def _host(url: str) -> str:
    try:
        return urllib3.util.parse_url(url).netloc or "no host"
    except ValueError:
        return "no host"
