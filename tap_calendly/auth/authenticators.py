"""How a request says who asks: a personal access token, or OAuth with tokens that end."""

from __future__ import annotations

import base64
import json
import threading
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from tap_calendly.api.throttle import StoppedError
from tap_calendly.auth import token_endpoint, token_store
from tap_calendly.reporting import errors

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping

    from tap_calendly.api.throttle import Throttle
    from tap_calendly.auth.token_store import Tokens

POLL = 0.1
"""Seconds after which a thread that waits for tokens looks whether to stop."""


class Authenticator(Protocol):
    """Who asks; several threads may use it at once.

    Attributes:
        way: What there is to do for the user when Calendly refuses.
    """

    way: errors.Remedies

    def token(self, stop: threading.Event) -> str:
        """Give the access token for a request.

        Args:
            stop: Set when nobody waits for it any more.

        Raises:
            CalendlyError: There is none to be had.
            StoppedError: Nobody waits for it any more.
        """

    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        """Learn what a request was answered with, and replace a token that is refused.

        Args:
            token: The access token it was sent with.
            status: The status of the answer.
            stop: As for `token`.

        Returns:
            Whether there is another token now, with which to ask again.

        Raises:
            CalendlyError: As for `token`.
            StoppedError: As for `token`.
        """

    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        """Tell whose token it is, as far as that is known without asking the API.

        Args:
            stop: As for `token`.

        Returns:
            The URIs of `user` and `organization`, or None.
        """


def signature(
    config: Mapping[str, Any], agent: str, pace: Throttle, logger: logging.Logger
) -> Authenticator:
    """Give what signs the run's requests.

    Args:
        config: The tap's settings, checked.
        agent: What requests call themselves.
        pace: Waits before tokens are asked for again.
        logger: Where to say so.

    Returns:
        It; nothing is asked yet.
    """
    credentials = config.get("oauth_credentials")
    if credentials is None:
        return PersonalAccessToken(config["personal_access_token"].strip())
    app, refresh_token = token_endpoint.app_of(credentials), credentials["refresh_token"].strip()
    folder = token_store.folder(config.get("oauth_store"))
    return OAuth(
        refresh_token,
        token_endpoint.Endpoint(app, config, agent, pace, logger),
        token_store.Store(folder, token_store.name(app.client_id, refresh_token)),
        logger,
    )


class PersonalAccessToken(Authenticator):
    """A token that stays."""

    def __init__(self, token: str) -> None:
        """Take it."""
        self.way = errors.BY_TOKEN
        self._token = token

    @override
    def token(self, stop: threading.Event) -> str:
        return self._token

    @override
    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        return False

    @override
    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        return None


class OAuth(Authenticator):
    """An access token that is renewed in time, by one thread while the others wait.

    That is a thread of its own, not a daemon: a run that is told to stop ends once the answer to an
    exchange that is under way is kept.
    """

    def __init__(
        self,
        configured: str,
        endpoint: token_endpoint.Endpoint,
        kept: token_store.Store,
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is read or asked yet.

        Args:
            configured: The refresh token of the settings, good until its first use.
            endpoint: Gives tokens.
            kept: Keeps them.
            logger: Where to say that another run has to be waited for.
        """
        self.way = errors.BY_OAUTH
        self._configured = configured
        self._endpoint = endpoint
        self._store = kept
        self._logger = logger
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._unproven = False
        self._renewal: _Renewal | None = None

    @override
    def token(self, stop: threading.Event) -> str:
        return self._current(None, stop).access_token

    @override
    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        with self._lock:
            is_current = self._tokens is not None and self._tokens.access_token == token
            if status != HTTPStatus.UNAUTHORIZED:
                self._unproven &= not is_current
                return False
            if is_current and self._unproven:
                return False  # it took the place of one that was refused: another would not help
        self._current(token, stop)
        return True

    @override
    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        tokens = self._current(None, stop)
        if tokens.user is None or tokens.organization is None:
            return None
        return {"user": tokens.user, "organization": tokens.organization}

    def _current(self, refused: str | None, stop: threading.Event) -> Tokens:
        """Give tokens that are good for a while, and other ones than those that were refused."""
        while not stop.is_set():
            renewal = None
            try:
                with self._lock:
                    if (tokens := usable(self._tokens, refused, token_endpoint.now())) is not None:
                        return tokens
                    renewal = self._renewal
                    if renewal is None or renewal.stopped:
                        renewal = _Renewal(partial(self._renew, refused), self._endpoint.wake)
                        self._renewal = renewal
                        renewal.start()
                renewed = renewal.result(stop)
            finally:  # a signal may end the run at any moment
                if renewal is not None:
                    renewal.stop_if_deserted()
            if renewed is not None and renewed.access_token != refused:
                return renewed
        raise StoppedError

    def _renew(self, refused: str | None, stop: threading.Event) -> Tokens:
        """Find tokens that another process has kept, or exchange the refresh token."""
        with self._store.locked(partial(self._let_pass, count(), stop)):
            kept = self._store.read()
            tokens = usable(kept, refused, token_endpoint.now())
            if tokens is None:
                tokens = self._exchanged(kept.refresh_token if kept else self._configured, stop)
        with self._lock:
            self._tokens = tokens
            self._unproven = refused is not None
            self._renewal = None
        return tokens

    def _exchanged(self, refresh_token: str, stop: threading.Event) -> Tokens:
        """Exchange a refresh token, and keep what comes for it before anything else."""
        writing, broken_off = self._store.begin()
        self._endpoint.in_doubt = broken_off
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            tokens = self._endpoint.tokens(form, stop)
        except BaseException:
            if self._endpoint.in_doubt:
                writing.leave()
            else:
                writing.forget()
            raise
        writing.finish(token_store.content(tokens))
        return tokens

    def _let_pass(self, times: Iterator[int], stop: threading.Event) -> None:
        """Let a little time pass while another process renews."""
        if next(times) == 0:
            self._logger.info("OAuth: another run is renewing the tokens; waiting for it.")
        if stop.wait(POLL):
            raise StoppedError


class _Renewal(threading.Thread):
    """Tokens that are being got, for as long as anybody waits for them."""

    def __init__(
        self, renew: Callable[[threading.Event], Tokens], wake: Callable[[], None]
    ) -> None:
        super().__init__(name="oauth-renewal", daemon=False)
        self._renew = renew
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting = 0
        self._deserted = threading.Event()
        self._done = threading.Event()
        self._tokens: Tokens | None = None
        self._failure: BaseException | None = None

    @override
    def run(self) -> None:
        try:
            self._tokens = self._renew(self._deserted)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._failure = error
        finally:
            self._done.set()

    @property
    def stopped(self) -> bool:
        """Whether nobody waited for it any more, so that it was not done."""
        return isinstance(self._failure, StoppedError)

    def stop_if_deserted(self) -> None:
        """Stop if nobody waits any more, but for an answer that is under way."""
        with self._lock:
            if self._waiting:
                return
            self._deserted.set()
        self._wake()

    def result(self, stop: threading.Event) -> Tokens | None:
        """Wait for the tokens.

        Args:
            stop: Set when the caller does not wait for them any more.

        Returns:
            The tokens; None where all who waited before had left.
        """
        with self._lock:
            self._waiting += 1
        try:
            while not self._done.wait(POLL):
                if stop.is_set():
                    raise StoppedError
        finally:
            with self._lock:
                self._waiting -= 1
        if self._failure is not None and not self.stopped:
            raise self._failure
        return self._tokens


def usable(tokens: Tokens | None, refused: str | None, now: float) -> Tokens | None:
    """Decide whether tokens are still good.

    Args:
        tokens: The tokens, if there are any.
        refused: An access token that Calendly has refused, if any.
        now: The present moment (seconds since 1970).

    Returns:
        They, or None.
    """
    if tokens is None or tokens.access_token == refused or tokens.renew_at <= now:
        return None
    return tokens


def user_in(token: str) -> str | None:
    """Read whose token it is without asking Calendly.

    A personal access token is a JSON Web Token whose payload names the `user_uuid` (Calendly's
    documentation of personal access tokens). The signature is Calendly's to check, not ours.

    Args:
        token: A personal access token.

    Returns:
        The user's id, or None when the token does not tell.
    """
    try:
        payload = token.strip().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        user = claims["user_uuid"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return user if isinstance(user, str) and user else None
