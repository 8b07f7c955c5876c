"""OAuth: access tokens that expire after two hours, and are renewed by one thread for all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from http import HTTPStatus
from itertools import count

from typing_extensions import override

from tap_calendly.api.authenticator import Authenticator
from tap_calendly.api.throttle import StoppedError
from tap_calendly.auth import token_endpoint
from tap_calendly.auth.token_endpoint import TokenEndpoint
from tap_calendly.auth.token_store import Tokens, TokenStore
from tap_calendly.reporting import messages
from tap_calendly.reporting.errors import Remedies

SETTING = "oauth_credentials"
PARTS = ("client_id", "client_secret", "refresh_token")

POLL = 0.1
"""Seconds between two checks of a thread that waits for tokens whether to stop."""


class OAuth(Authenticator):
    """An access token that is renewed in time, by one thread while the others wait.

    That thread is not a daemon: a run that is told to stop ends only when the answer to an exchange
    in flight is stored.
    """

    remedies = Remedies(messages.RENEWED_TOKEN_REFUSED, messages.APP_LACKS_SCOPES)
    user_id = None

    def __init__(
        self,
        configured: str,
        endpoint: TokenEndpoint,
        store: TokenStore,
        logger: logging.Logger,
    ) -> None:
        """Prepare with the refresh token of the settings; nothing is read or requested yet."""
        self._configured = configured
        self._endpoint = endpoint
        self._store = store
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
                return False  # it replaced a refused one: another would not help
        self._current(token, stop)
        return True

    @override
    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        tokens = self._current(None, stop)
        if tokens.user is None or tokens.organization is None:
            return None
        return {"user": tokens.user, "organization": tokens.organization}

    def _current(self, refused: str | None, stop: threading.Event) -> Tokens:
        """Return tokens that are valid for a while, and not those that were refused."""
        while not stop.is_set():
            renewal = None
            try:
                with self._lock:
                    if (tokens := usable(self._tokens, refused, token_endpoint.now())) is not None:
                        return tokens
                    renewal = self._renewal
                    if renewal is None or renewal.stopped:
                        renewal = _Renewal(
                            partial(self._renew, refused), self._endpoint.throttle.wake
                        )
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
        """Find tokens that another process has stored, or exchange the refresh token."""
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
        """Exchange a refresh token, and store the new tokens before anything else."""
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
        writing.finish(tokens.encode())
        return tokens

    def _let_pass(self, times: Iterator[int], stop: threading.Event) -> None:
        """Let a little time pass while another process renews."""
        if next(times) == 0:
            self._logger.info("OAuth: another run is renewing the tokens; waiting for it.")
        if stop.wait(POLL):
            raise StoppedError


class _Renewal(threading.Thread):
    """The thread that gets tokens, for as long as anyone waits for them."""

    def __init__(
        self, renew: Callable[[threading.Event], Tokens], wake: Callable[[], None]
    ) -> None:
        super().__init__(name="oauth-renewal", daemon=False)
        self._renew = renew
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting = 0
        self._deserted = threading.Event()
        self._tokens: Future[Tokens] = Future()

    @override
    def run(self) -> None:
        try:
            self._tokens.set_result(self._renew(self._deserted))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._tokens.set_exception(error)

    @property
    def stopped(self) -> bool:
        """Whether it ended without tokens, as nobody waited for them any more."""
        return self._tokens.done() and isinstance(self._tokens.exception(), StoppedError)

    def stop_if_deserted(self) -> None:
        """Stop if nobody waits any more, but not before the answer to a request in flight."""
        with self._lock:
            if self._waiting:
                return
            self._deserted.set()
        self._wake()

    def result(self, stop: threading.Event) -> Tokens | None:
        """Wait for the tokens; None if it had stopped before."""
        with self._lock:
            self._waiting += 1
        try:
            while not wait([self._tokens], POLL).done:
                if stop.is_set():
                    raise StoppedError
        finally:
            with self._lock:
                self._waiting -= 1
        return None if self.stopped else self._tokens.result()


def usable(tokens: Tokens | None, refused: str | None, now: float) -> Tokens | None:
    """Return tokens that are valid and whose access token is not the refused one; else None."""
    if tokens is None or tokens.access_token == refused or tokens.renew_at <= now:
        return None
    return tokens
