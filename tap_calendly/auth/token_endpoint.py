"""Calendly's token endpoint: a code or a refresh token in, tokens out.

Web apps prove themselves by HTTP Basic authentication; native apps have no secret and name
themselves in the form (API reference, "Get Access Token").
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from tap_calendly.api.retry import RetryBudget
from tap_calendly.api.session import may_come_back, new_session
from tap_calendly.auth.token_store import Tokens, text, word
from tap_calendly.reporting import errors

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Mapping

    from tap_calendly.api.throttle import Throttle

LIFE = 7200
"""Seconds that an access token lives where the answer does not say."""

LONGEST_LIFE = 10**9
"""Seconds; an answer that says more does not say."""

MARGIN = 300
"""Seconds before its end at which an access token is renewed."""


@dataclass(frozen=True)
class App:
    """An app registered with Calendly.

    Attributes:
        client_id: Its name.
        client_secret: What a web app proves itself by; None for a native app.
    """

    client_id: str
    client_secret: str | None = field(repr=False)


def app_of(credentials: Mapping[str, str]) -> App:
    """Read which app it is.

    Args:
        credentials: The setting `oauth_credentials`, checked.

    Returns:
        The app.
    """
    secret = credentials.get("client_secret", "").strip()
    return App(credentials["client_id"].strip(), secret or None)


class Endpoint:
    """The token endpoint, as an app asks it.

    Attributes:
        in_doubt: Whether a request got no answer that could be read, and may have been granted.
    """

    def __init__(
        self,
        app: App,
        config: Mapping[str, Any],
        agent: str,
        pace: Throttle,
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            app: The app that asks.
            config: The tap's settings, checked.
            agent: What requests call themselves.
            pace: Waits before a request is tried again.
            logger: Where to say that something is tried again.
        """
        self.in_doubt = False
        self._app = app
        self._url = f"{address(config)}/oauth/token"
        self._timeout = int(config["request_timeout"])
        self._agent = agent
        self._throttle = pace
        self._patience = RetryBudget(int(config["retry_timeout"]), pace.clock)
        self._logger = logger

    def tokens(self, form: Mapping[str, str], stop: threading.Event) -> Tokens:
        """Ask for tokens until an answer can be used.

        Args:
            form: What is given for them; a refresh token stays good if the answer has no other.
            stop: Set when nobody waits for the tokens any more.

        Returns:
            The tokens.

        Raises:
            CalendlyError: Calendly refused, or gave no answer that can be used.
            StoppedError: Nobody waits for them any more.
        """
        retries = self._patience.retries()
        while True:
            try:
                tokens = self._ask(form)
            except errors.TransientError as error:
                seconds = retries.pause(error.response)
                if seconds is None:
                    raise errors.FatalError(str(error)) from None
                self._logger.warning(
                    "OAuth: %s; trying again in %.0f s, for %d s in all.",
                    error.kind,
                    seconds,
                    self._patience.seconds,
                )
                self._throttle.rest(seconds, stop)
            else:
                self._patience.answered()
                return tokens

    def wake(self) -> None:
        """Let whoever waits for the next try look whether to stop."""
        self._throttle.wake()

    def _ask(self, form: Mapping[str, str]) -> Tokens:
        """Ask once, and read the answer."""
        app, basic = self._app, None
        if app.client_secret is None:
            form = {**form, "client_id": app.client_id}
        else:
            basic = (app.client_id, app.client_secret)
        try:
            with new_session(self._url, self._agent) as session:
                response = session.post(
                    self._url,
                    data=form,
                    auth=basic,
                    timeout=self._timeout,
                    allow_redirects=False,  # the secrets go to the configured host alone
                )
        except requests.RequestException as error:
            self.in_doubt |= _was_sent(error)
            message = errors.no_tokens_from(self._url, error)
            if may_come_back(error):
                raise errors.TransientError(message, error) from None
            raise errors.FatalError(message) from None
        if response.status_code != HTTPStatus.OK:
            self.in_doubt |= response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            message = errors.explain_exchange(
                response, by_code="code" in form, in_doubt=self.in_doubt
            )
            if errors.is_transient(response.status_code):
                raise errors.TransientError(message, response)
            raise errors.FatalError(message)
        try:
            return tokens_in(json.loads(response.content), form.get("refresh_token"), now())
        except errors.UNREADABLE:
            self.in_doubt = True
            message, kind = errors.no_tokens(response), errors.NOT_CALENDLYS
            raise errors.TransientError(message, response, kind) from None


def now() -> float:
    """Tell the time: seconds since 1970 by the computer's clock, which all processes share."""
    return time.time()


def address(config: Mapping[str, Any]) -> str:
    """Give the address below which Calendly's OAuth is reached.

    Args:
        config: The tap's settings, checked.

    Returns:
        The setting `auth_url`, without a slash at its end.
    """
    return str(config["auth_url"]).strip().rstrip("/")


def _was_sent(error: requests.RequestException) -> bool:
    """Tell whether Calendly may have got a request: there is none without a connection."""
    cause = error.args[0] if error.args else None
    without = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return not isinstance(getattr(cause, "reason", None), without)


def tokens_in(answer: Any, sent: str | None, moment: float) -> Tokens:  # noqa: ANN401 - JSON
    """Read an answer; leniently, as the tokens in it are lost if it is not read.

    Args:
        answer: Its JSON.
        sent: The refresh token that was given for it, if any.
        moment: When it came (seconds since 1970).

    Returns:
        The tokens; to be renewed some minutes before they end, or at half of a shorter life.

    Raises:
        AttributeError: It is not what Calendly sends.
        KeyError: Likewise.
        TypeError: Likewise.
        ValueError: Likewise.
    """
    life = answer.get("expires_in")
    if not isinstance(life, int | float) or not 0 < life < LONGEST_LIFE:
        life = LIFE
    return Tokens(
        access_token=word(answer["access_token"]),
        refresh_token=word(answer.get("refresh_token") or sent),
        renew_at=moment + life - min(MARGIN, life / 2),
        user=text(answer.get("owner")),
        organization=text(answer.get("organization")),
    )
