"""Calendly's OAuth: apps, a consenting user, and refresh tokens that work once."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.http.errors import CalendlyError, method_not_allowed, not_found, too_many_requests
from sandbox.http.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from sandbox.http.access import Access
    from sandbox.http.faults import Fault
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record

PREFIX = "/oauth/"
AUTHORIZE = "/oauth/authorize"
TOKEN = "/oauth/token"  # noqa: S105 -- the path's name

ACCESS_TOKEN_LIFE = timedelta(hours=2)
CODE_LIFE = timedelta(minutes=10)
TOKEN_REQUESTS_PER_MINUTE = 8
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class App:
    """An app registered with Calendly; a native app has no secret."""

    client_id: str
    redirect_uri: str
    client_secret: str | None = field(repr=False)


@dataclass
class _Grant:
    """What a user has allowed an app, and its one valid pair of tokens."""

    app: App
    user: str
    scopes: frozenset[str] | None
    access_token: str = ""
    refresh_token: str = ""


@dataclass(frozen=True)
class _Code:
    grant: _Grant
    redirect_uri: str
    challenge: str
    until: datetime


class _RefusedError(Exception):
    """A request refused with an error of RFC 6749."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


class OAuth:
    """Issues access tokens, each valid for two hours.

    Calendly does not say whether a refresh invalidates the previous access token, and whether a
    reused refresh token ends the whole grant; here both do.

    Attributes:
        consents: Whether the user gives consent.
        consenting: The URI of the user who is asked, the owner by default.
    """

    def __init__(self, calendly: Calendly, access: Access) -> None:
        """Start without apps; ``access`` accepts the tokens issued."""
        self.consents = True
        self.consenting = calendly.owner
        self._calendly = calendly
        self._access = access
        self._rate_limit = RateLimit(calendly.clock, TOKEN_REQUESTS_PER_MINUTE)
        self._apps: dict[str, App] = {}
        self._codes: dict[str, _Code] = {}
        self._grants: dict[str, _Grant] = {}

    def register(self, *, native: bool = False, redirect_uri: str = "http://localhost:8910") -> App:
        """Register a web app, or a native one; ``redirect_uri`` is compared to the letter."""
        with self._calendly.lock:
            client_id = self._made_up("client_id")
            secret = None if native else self._made_up("client_secret")
            app = self._apps[client_id] = App(client_id, redirect_uri, secret)
            return app

    def grant(
        self, app: App, user: str | None = None, scopes: Collection[str] | None = None
    ) -> str:
        """Let a user, the owner by default, authorize an app without a browser.

        Returns:
            The first refresh token.
        """
        with self._calendly.lock:
            ticked = None if scopes is None else frozenset(scopes)
            grant = _Grant(app, user or self._calendly.owner, ticked)
            self._renew(grant)
            return grant.refresh_token

    def revoke_access_tokens(self) -> None:
        """Make all access tokens invalid; refresh tokens stay valid."""
        with self._calendly.lock:
            for grant in self._grants.values():
                self._access.revoke(grant.access_token)

    def revoke_grants(self) -> None:
        """Let users revoke all apps: no token stays valid."""
        with self._calendly.lock:
            for grant in list(self._grants.values()):
                self._end(grant)

    def answer(self, request: Request, body: bytes, fault: Fault | None = None) -> Response:
        """Return the answer to ``request``, with ``fault``."""
        with self._calendly.lock:
            response = (fault and fault.answer()) or self._response(request, body)
            response.headers["Date"] = format_datetime(self._calendly.clock.now(), usegmt=True)
        if fault is not None:
            response.headers.update(fault.headers)
        return response

    def _response(self, request: Request, body: bytes) -> Response:
        path = request.scope["path"]
        try:
            if path == AUTHORIZE and request.method == "GET":
                return self._authorized(dict(request.query_params))
            if path == TOKEN and request.method == "POST":
                return self._token(request, body)
            raise method_not_allowed() if path in (AUTHORIZE, TOKEN) else not_found()
        except CalendlyError as error:
            return JSONResponse(error.body, error.status)
        except _RefusedError as error:
            return JSONResponse(error.body, error.status)

    def _authorized(self, asked: Mapping[str, str]) -> Response:
        """Redirect the browser with a code, or with an error."""
        app = self._apps.get(asked.get("client_id", ""))
        if app is None or asked.get("redirect_uri") != app.redirect_uri:
            # An unknown client is not redirected.
            raise _RefusedError(401, "invalid_client", "Unknown client or redirect URI.")
        try:
            answer = {"code": self._code(app, asked)}
        except _RefusedError as error:
            answer = error.body
        if "state" in asked:
            answer["state"] = asked["state"]
        return RedirectResponse(f"{app.redirect_uri}?{urlencode(answer)}", HTTPStatus.FOUND)

    def _code(self, app: App, asked: Mapping[str, str]) -> str:
        if asked.get("response_type") != "code":
            raise _RefusedError(400, "unsupported_response_type", "Only code is.")
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise _RefusedError(400, "invalid_request", "A challenge by S256 is required.")
        if not self.consents:
            raise _RefusedError(400, "access_denied", "The resource owner denied the request.")
        code = self._made_up("code")
        self._codes[code] = _Code(
            grant=_Grant(app, self.consenting, None),
            redirect_uri=app.redirect_uri,
            challenge=asked["code_challenge"],
            until=self._calendly.clock.now() + CODE_LIFE,
        )
        return code

    def _token(self, request: Request, body: bytes) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != FORM:
            raise _RefusedError(400, "invalid_request", f"The body must be {FORM}.")
        sent = dict(parse_qsl(body.decode(), keep_blank_values=True))
        app = self._client(request.headers.get("authorization"), sent)
        exchange = {"authorization_code": self._by_code, "refresh_token": self._by_refresh_token}
        by = exchange.get(sent.get("grant_type", ""))
        if by is None:
            raise _RefusedError(400, "unsupported_grant_type", "Neither code nor refresh token.")
        grant = by(app, sent)
        allowance = self._rate_limit.count(grant.user)
        if allowance.exceeded:
            error = too_many_requests()
            return JSONResponse(error.body, error.status, allowance.headers())
        return JSONResponse(self._renew(grant), headers=allowance.headers())

    def _client(self, authorization: str | None, sent: Mapping[str, str]) -> App:
        """Return the requesting app: a web app by Basic authentication, a native one by its id."""
        if authorization is None:
            client_id, secret = sent.get("client_id", ""), None
        else:
            kind, _, coded = authorization.partition(" ")
            try:
                client_id, _, secret = base64.b64decode(coded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                client_id, secret = "", None
            if kind.lower() != "basic":
                client_id = ""
        app = self._apps.get(client_id)
        if app is None or app.client_secret != secret:
            raise _RefusedError(401, "invalid_client", "Client authentication failed.")
        return app

    def _by_code(self, app: App, sent: Mapping[str, str]) -> _Grant:
        code = self._codes.pop(sent.get("code", ""), None)
        verifier = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            code is None
            or code.grant.app != app
            or code.challenge != challenge
            or code.redirect_uri != sent.get("redirect_uri")
            or code.until <= self._calendly.clock.now()
        ):
            raise _invalid_grant()
        return code.grant

    def _by_refresh_token(self, app: App, sent: Mapping[str, str]) -> _Grant:
        grant = self._grants.get(sent.get("refresh_token", ""))
        if grant is None or grant.app != app:
            raise _invalid_grant()
        if grant.refresh_token != sent["refresh_token"]:
            self._end(grant)
            raise _invalid_grant()
        return grant

    def _renew(self, grant: _Grant) -> Record:
        """Replace both tokens of a grant, and return the answer."""
        now = self._calendly.clock.now()
        self._access.revoke(grant.access_token)
        grant.access_token = self._made_up("access_token")
        grant.refresh_token = self._made_up("refresh_token")
        self._grants[grant.refresh_token] = grant
        self._access.admit(
            grant.access_token, grant.user, grant.scopes, until=now + ACCESS_TOKEN_LIFE
        )
        return {
            "token_type": "Bearer",
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
            "created_at": int(now.timestamp()),
            "scope": "default" if grant.scopes is None else " ".join(sorted(grant.scopes)),
            "owner": grant.user,
            "organization": self._calendly.organization["uri"],
        }

    def _end(self, grant: _Grant) -> None:
        self._access.revoke(grant.access_token)
        self._grants = {token: one for token, one in self._grants.items() if one is not grant}

    def _made_up(self, kind: str) -> str:
        identifiers = self._calendly.identifiers
        return identifiers.digest(kind, identifiers.new(kind, "oauth")).hex()


def _invalid_grant() -> _RefusedError:
    return _RefusedError(
        400,
        "invalid_grant",
        "The provided authorization grant is invalid, expired, revoked, does not match the"
        " redirection URI used in the authorization request, or was issued to another client.",
    )
