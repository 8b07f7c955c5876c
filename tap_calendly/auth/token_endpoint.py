"""Calendly's token endpoint: a code or a refresh token in, tokens out.

Web apps authenticate by HTTP Basic authentication; native apps have no secret and name themselves
in the form (API reference, "Get Access Token").
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import requests
import urllib3

from tap_calendly.api.retry import RetryLoop
from tap_calendly.api.session import new_session, no_answer
from tap_calendly.api.throttle import Throttle
from tap_calendly.auth.token_store import Tokens
from tap_calendly.reporting import errors, messages, remedies
from tap_calendly.settings import OAuthCredentials, Settings

LIFE = 7200
"""Seconds that an access token lives unless the answer says."""

LONGEST_LIFE = 10**9
"""Seconds; an answer that says more is taken to be wrong."""

MARGIN = 300
"""Seconds before it expires that an access token is renewed."""


class TokenEndpoint:
    """The token endpoint, for one app."""

    def __init__(
        self,
        app: OAuthCredentials,
        settings: Settings,
        throttle: Throttle,
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is requested yet. The throttle only waits between tries."""
        self.in_doubt = False  # whether a request without a usable answer may have been granted
        self.throttle = throttle
        self._app = app
        self._url = f"{settings.auth_url}/oauth/token"
        self._timeouts = settings.timeouts
        self._agent = settings.user_agent
        self._retries = RetryLoop(settings, throttle, logger, limit_is_shared=False)

    def tokens(self, form: Mapping[str, str], stop: threading.Event) -> Tokens:
        """Exchange what a form holds until the response can be used.

        Raises:
            FatalError: Calendly refused, or gave no response that can be used.
            StoppedError: `stop` is set.
        """
        try:
            return self._retries.run("OAuth", partial(self._ask, form), stop)
        except errors.CalendlyError as error:
            raise errors.FatalError(str(error)) from None

    def _ask(self, form: Mapping[str, str]) -> Tokens:
        response = self._send(form)
        status = response.status_code
        if status != HTTPStatus.OK:
            self.in_doubt |= status >= HTTPStatus.INTERNAL_SERVER_ERROR
            # Calendly's words are not quoted: a proxy might repeat in them what was sent.
            error = remedies.exchange_error(response)
            if error is None and remedies.is_edge_refusal(response):
                raise remedies.edge_refusal(response, "OAuth", "auth_url")
            raise remedies.error_class(status)(
                messages.NO_TOKENS,
                response,
                error=f" ({error})" if error else "",
                next_step=remedies.step_after_exchange(
                    status, error, by_code="code" in form, in_doubt=self.in_doubt
                ),
            )
        try:
            return tokens_in(json.loads(response.content), form.get("refresh_token"), now())
        except errors.UNREADABLE:
            self.in_doubt = True
            raise errors.TransientError(messages.NO_TOKENS_IN_ANSWER, response) from None

    def _send(self, form: Mapping[str, str]) -> requests.Response:
        app = self._app
        basic = None if app.client_secret is None else (app.client_id, app.client_secret)
        if basic is None:
            form = {**form, "client_id": app.client_id}
        try:
            with new_session(self._url, self._agent) as session:
                return session.post(
                    self._url,
                    data=form,
                    auth=basic,
                    timeout=self._timeouts,
                    allow_redirects=False,  # the secrets go only to the configured host
                )
        except requests.RequestException as error:
            self.in_doubt |= _was_sent(error)
            raise no_answer(error, "OAuth", "POST", self._url, "auth_url") from None


def now() -> float:
    """Return the time (seconds since 1970, this computer's clock, which all processes share)."""
    return time.time()


def tokens_in(answer: Any, sent: str | None, received: float) -> Tokens:  # noqa: ANN401 - JSON
    """Read a response; leniently, as its tokens come only once.

    The refresh token that was `sent` stays valid if no other is returned. Tokens are renewed some
    minutes before they expire, or at half of a shorter life. If there are none, one of
    `errors.UNREADABLE` is raised.
    """
    life = answer.get("expires_in")
    if not isinstance(life, int | float) or not 0 < life < LONGEST_LIFE:
        life = LIFE
    return Tokens(
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token") or cast("str", sent),  # else raises
        renew_at=received + life - min(MARGIN, life / 2),
        user=_text(answer.get("owner")),
        organization=_text(answer.get("organization")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _was_sent(error: requests.RequestException) -> bool:
    """Tell whether Calendly may have received a request: not without a connection."""
    cause = error.args[0] if error.args else None
    without = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return not isinstance(getattr(cause, "reason", None), without)
