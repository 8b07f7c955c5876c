"""Calendly's API over HTTP: requests signed, sent at the common pace, and tried again."""

from __future__ import annotations

import json
import logging
import math
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
import requests

from tap_calendly.api import throttle
from tap_calendly.api.retry import RetryBudget
from tap_calendly.api.session import may_come_back, new_session, same_host
from tap_calendly.auth import authenticators
from tap_calendly.reporting import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL refuses in a text: NUL, and halves of a surrogate pair, which UTF-8 lacks too."""

REPLACEMENT = "\ufffd"

REQUEST_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Six fractional digits: with any other number Calendly has refused its own page tokens."""


@dataclass(frozen=True)
class Request:
    """What is asked.

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
    query: Mapping[str, Any] = field(default_factory=dict)


class Api:
    """The API as the run's token opens it; several threads may ask at once.

    Attributes:
        url: Where it is reached.
        throttle: The pace of all requests.
        patience: The time they have together while none of them gets an answer.
    """

    def __init__(self, config: Mapping[str, Any], version: str, logger: logging.Logger) -> None:
        """Prepare; nothing is asked yet.

        Args:
            config: The tap's settings, checked.
            version: The tap's version.
            logger: Where to say that something is tried again.
        """
        self.url = str(config["api_url"]).strip().rstrip("/")
        bound = config.get("requests_per_minute")
        self.throttle = throttle.Throttle(bound, throttle.SystemClock())
        self.patience = RetryBudget(int(config["retry_timeout"]), self.throttle.clock)
        self._made: Counter[str] = Counter()
        self._cleaned: Counter[str] = Counter()
        self._agent = config.get("user_agent") or f"tap-calendly/{version}"
        self._timeout = int(config["request_timeout"])
        self._signature = authenticators.signature(config, self._agent, self.throttle, logger)
        self._logger = logger
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []
        self._now: datetime | None = None
        self._unanswered: set[str] = set()
        self._quiet_until = -math.inf

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
        """The URIs of the token's `user` and `organization`, if known without asking."""
        return self._signature.owner(threading.Event())

    @property
    def now(self) -> datetime:
        """The present moment (UTC), as of the last answer in the server's clock."""
        return self._now or datetime.now(timezone.utc)

    @property
    def is_out(self) -> bool:
        """Whether two streams in a row got no answer at all: the next ones would not either.

        Two that are read together count as one, as what Calendly has for both may fail alone.
        """
        return len(self._unanswered) > 1

    def get(
        self, request: Request, read: Callable[[Any, requests.Response], T], stop: threading.Event
    ) -> T:
        """Ask until an answer can be used.

        Args:
            request: What to ask.
            read: Reads an answer, given its JSON and itself; an AttributeError, KeyError, TypeError
                or ValueError says that it is not what Calendly sends.
            stop: Set when nobody waits for the answer any more.

        Returns:
            What was read.

        Raises:
            RefusedError: Calendly refused, and trying again would not help.
            CalendlyError: No answer that can be used came, however often it was tried.
            StoppedError: Nobody waits for the answer any more.
        """
        if not same_host(request.url, self.url):
            raise errors.CalendlyError(errors.elsewhere(request.stream, request.url))
        retries = self.patience.retries()
        while True:
            try:
                found = self._ask(request, read, stop)
            except errors.TransientError as error:
                seconds = retries.pause(error.response)
                if seconds is None:
                    self._unanswered.add(request.leading)
                    raise errors.CalendlyError(str(error)) from None
                self._pause(request, error, seconds, stop)
            except errors.RefusedError:
                self._note_answer()
                raise
            else:
                self._note_answer()
                return found

    def _note_answer(self) -> None:
        self.patience.answered()
        self._unanswered.clear()

    def _ask(
        self, request: Request, read: Callable[[Any, requests.Response], T], stop: threading.Event
    ) -> T:
        """Send a request once, and read the answer."""
        response = self._send(request, stop)
        if response.status_code != HTTPStatus.OK:
            way = self._signature.way
            message = errors.explain(request.stream, request.requires, response, way)
            if errors.is_transient(response.status_code):
                raise errors.TransientError(message, response)
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                raise errors.FatalError(message)
            raise errors.RefusedError(request.stream, message, response)
        try:
            found = read(self._json(request, response.content), response)
            self._now = parsedate_to_datetime(response.headers["Date"])
        except errors.UNREADABLE:
            message = errors.not_calendly(request.stream, response)
            raise errors.TransientError(message, response, errors.NOT_CALENDLYS) from None
        return found

    def coming(self, span: timedelta) -> dict[str, str]:
        """Give the bounds of a time to come, as parameters.

        Args:
            span: How far it reaches.

        Returns:
            `start_time` and `end_time`: from a minute after the last answer, in the server's clock,
            as Calendly wants them to lie in the future when the request arrives.
        """
        start = self.now + timedelta(minutes=1)
        bounds = {"start_time": start, "end_time": start + span}
        return {name: moment.strftime(REQUEST_TIME) for name, moment in bounds.items()}

    def _send(self, request: Request, stop: threading.Event) -> requests.Response:
        """Send a request, and once more if its token is refused and there is another by now."""
        token = self._signature.token(stop)
        response = self._send_by(token, request, stop)
        if self._signature.replaced(token, response.status_code, stop):
            response = self._send_by(self._signature.token(stop), request, stop)
        return response

    def _send_by(self, token: str, request: Request, stop: threading.Event) -> requests.Response:
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
                timeout=self._timeout,
                allow_redirects=False,  # the token goes to the configured host alone
            )

        try:
            return self.throttle.send(send, stop)
        except requests.RequestException as error:
            message = errors.unreachable(request.stream, request.url, error)
            if may_come_back(error):
                raise errors.TransientError(message, error) from None
            self._unanswered.add(request.leading)
            raise errors.CalendlyError(message) from None
        finally:
            with self._lock:
                self._idle.append(session)

    def _pause(
        self, request: Request, error: errors.TransientError, seconds: float, stop: threading.Event
    ) -> None:
        """Wait before the next try: all requests together where the limit is used up."""
        if stop.is_set():
            raise throttle.StoppedError
        used_up = error.status == HTTPStatus.TOO_MANY_REQUESTS
        news = self.throttle.pause(seconds) if used_up else self._is_news(seconds)
        self._logger.log(
            logging.WARNING if news else logging.DEBUG,
            "%s: %s; trying again in %.0f s, for %d s in all.",
            request.stream,
            error.kind,
            seconds,
            self.patience.seconds,
        )
        if not used_up:
            self.throttle.rest(seconds, stop)

    def _is_news(self, seconds: float) -> bool:
        """Tell whether no other thread has just said the like: an outage fails them all."""
        with self._lock:
            now = self.throttle.clock.now()
            news = now >= self._quiet_until
            self._quiet_until = now + seconds if news else self._quiet_until
            return news

    def _json(self, request: Request, content: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Parse a body, and replace in its texts what databases cannot store."""
        if rb"\u0000" not in content:
            try:
                return msgspec.json.decode(content)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                pass  # no JSON, halves of surrogate pairs, numbers beyond a float
        found: list[str] = []
        try:
            body = _cleaned(
                json.loads(content, parse_constant=_refuse, parse_float=_number, parse_int=_number),
                found,
            )
        except RecursionError:
            message = "nested beyond all measure"
            raise ValueError(message) from None
        with self._lock:
            self._cleaned[request.stream] += len(found)
        return body


def _cleaned(value: Any, found: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Replace what databases cannot store, and collect the texts that held it."""
    if isinstance(value, str):
        if UNSTORABLE.search(value) is None:
            return value
        found.append(value)
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_cleaned(inner, found) for inner in value]
    if isinstance(value, dict):
        return {_cleaned(key, found): _cleaned(inner, found) for key, inner in value.items()}
    return value


def _number(literal: str) -> float | str:
    """Read a number; one beyond a float stays as it is written."""
    number = float(literal)
    if math.isinf(number):
        return literal
    return int(literal) if literal.lstrip("-").isdecimal() else number


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no JSON"
    raise ValueError(message)
