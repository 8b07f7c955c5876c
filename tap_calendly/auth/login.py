"""`tap-calendly --authorize`: a user lets an app read Calendly, and the credentials are saved.

Calendly sends the browser back with a code. Whoever else sees it cannot use it: it is bound to a
verifier that only this process and Calendly know (PKCE). `state` tells the answer to this request
from any other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

import click

from tap_calendly.api import throttle
from tap_calendly.auth import methods, oauth, personal_access_token
from tap_calendly.auth.token_endpoint import TokenEndpoint
from tap_calendly.auth.token_store import Writing
from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.settings import OAuthCredentials, Settings

OPTIONS = (
    click.Option(
        ["--authorize"],
        is_flag=True,
        help="Get OAuth credentials with the browser, and save them to a file for --config.",
    ),
    click.Option(
        ["--client-id"],
        metavar="ID",
        help="With --authorize: the app's ID, unless --config has it; its secret is asked for.",
    ),
    click.Option(
        ["--redirect-port"],
        type=click.IntRange(1, 65535),
        default=8910,
        show_default=True,
        help="With --authorize: the port of the app's redirect URI, http://localhost:PORT.",
    ),
    click.Option(
        ["--redirect-uri"],
        metavar="URI",
        help="With --authorize: the app's redirect URI, if it is a different one.",
    ),
    click.Option(
        ["--credentials-file"],
        type=click.Path(dir_okay=False, path_type=Path),
        default="calendly-credentials.json",
        show_default=True,
        help="With --authorize: the file to save the credentials to.",
    ),
)


class LoginOptions(NamedTuple):
    """`OPTIONS` as given on the command line."""

    client_id: str | None
    redirect_port: int
    redirect_uri: str | None
    credentials_file: Path


def login_options(options: dict[str, Any]) -> LoginOptions | None:
    """Take `OPTIONS` out of all options of the command; None without `--authorize`."""
    wanted = options.pop("authorize")
    given = LoginOptions(**{name: options.pop(name) for name in LoginOptions._fields})
    return given if wanted else None


def authorize(
    config: dict[str, Any],
    check: Callable[[dict[str, Any]], Settings],
    login_options: LoginOptions,
    logger: logging.Logger,
) -> None:
    """Get credentials with the user's help, and save them.

    `check` types the settings, or raises a SettingsError.

    Raises:
        CalendlyError: There are no credentials, or they cannot be saved.
    """
    named = _app(config.get(oauth.SETTING), login_options.client_id)
    # With a placeholder for the token to come, the settings are those of a run.
    config = {**config, oauth.SETTING: {**named, "refresh_token": "-"}}
    config.pop(personal_access_token.SETTING, None)
    redaction.remember(*methods.secrets(config))
    settings = check(config)
    path = login_options.credentials_file
    file = _prepared(path)
    try:
        file.finish(_credentials(settings, login_options, logger))
    except BaseException:
        file.forget()
        raise
    click.echo(f"The credentials are in {path}: pass it to --config, next to your settings.")


def question(auth_url: str, client_id: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Return the address at which Calendly asks the user; it holds only the verifier's hash."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{auth_url}/oauth/authorize?{urlencode(query)}"


def _app(given: object, client_id: str | None) -> dict[str, str]:
    """Find out which app it is; ask the user for what is missing."""
    parts = dict(given) if isinstance(given, dict) else {}
    parts.pop("refresh_token", None)
    if client_id is None and parts.get("client_id"):
        return parts  # one without a secret is a native app
    if client_id is None:
        client_id = click.prompt("Client ID")
    if parts.get("client_id") != client_id:
        parts = {"client_id": client_id}
    if not parts.get("client_secret"):
        # Not an option: other users of the computer can see the command line.
        parts["client_secret"] = click.prompt(
            "Client secret (leave empty for a native app)",
            default="",
            hide_input=True,
            show_default=False,
        )
    return parts


def _credentials(settings: Settings, login_options: LoginOptions, logger: logging.Logger) -> bytes:
    """Ask the user, exchange the code, and return what to save."""
    from tap_calendly.auth import browser

    app = cast("OAuthCredentials", settings.oauth_credentials)  # set in `authorize`
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    redirect_uri = login_options.redirect_uri or f"http://localhost:{login_options.redirect_port}"
    address = question(settings.auth_url, app.client_id, redirect_uri, state, verifier)
    if login_options.redirect_uri is None:
        code = browser.code_by_server(address, state, login_options.redirect_port)
    else:
        code = browser.code_by_hand(address, state)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    pace = throttle.Throttle(None, throttle.SystemClock())
    tokens = TokenEndpoint(app, settings, pace, logger).tokens(form, threading.Event())
    saved = {"client_id": app.client_id, "refresh_token": tokens.refresh_token}
    if app.client_secret is not None:
        saved["client_secret"] = app.client_secret
    return json.dumps({oauth.SETTING: saved}, indent=2).encode() + b"\n"


def _prepared(path: Path) -> Writing:
    """Make sure that the credentials can be written before Calendly is asked for them."""
    try:
        if path.exists() and not _holds_credentials_alone(path):
            raise errors.CalendlyError(messages.WOULD_OVERWRITE, path=path)
        return Writing(path.with_name(f".{path.name}.{os.getpid()}"), path)
    except OSError as error:
        raise errors.CalendlyError(
            messages.FILE_UNWRITABLE, path=path, why=errors.why(error)
        ) from None


def _holds_credentials_alone(path: Path) -> bool:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(held, dict) and set(held) <= {oauth.SETTING}
