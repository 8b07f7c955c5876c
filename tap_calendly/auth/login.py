"""`tap-calendly --authorize`: a user allows an app to read Calendly, and the credentials are kept.

Calendly sends the browser back with a code. Whoever sees it cannot use it: it is bound to a
verifier that goes from this process to Calendly alone (PKCE), and `state` tells an answer to this
question from any other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from tap_calendly.api import throttle
from tap_calendly.auth import token_endpoint, token_store
from tap_calendly.reporting import errors, redaction
from tap_calendly.singer import configuration

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

PORT = 8910
"""Where the browser is sent back to, unless another port is named."""

FILE = "calendly-credentials.json"

OPTIONS = (
    click.Option(
        ["--authorize"],
        is_flag=True,
        help="Get OAuth credentials by the browser, and write them to a file for --config.",
    ),
    click.Option(
        ["--client-id"],
        metavar="ID",
        help="With --authorize: the app, unless --config names it; its secret is asked for.",
    ),
    click.Option(
        ["--redirect-port"],
        type=click.IntRange(1, 65535),
        default=PORT,
        show_default=True,
        help="With --authorize: the port of the app's redirect URI, http://localhost:PORT.",
    ),
    click.Option(
        ["--redirect-uri"],
        metavar="URI",
        help="With --authorize: the app's redirect URI, if it is another.",
    ),
    click.Option(
        ["--credentials-file"],
        type=click.Path(dir_okay=False),
        default=FILE,
        show_default=True,
        help="With --authorize: where to write the credentials.",
    ),
)


@dataclass(frozen=True)
class LoginOptions:
    """What was given on the command line.

    Attributes:
        client_id: The app, unless the settings name it.
        port: Where to wait for the browser.
        redirect_uri: Where else the browser is sent, if not there.
        file: Where to write the credentials.
    """

    client_id: str | None
    port: int
    redirect_uri: str | None
    file: Path


def login_options(options: dict[str, Any]) -> LoginOptions | None:
    """Take the command's own options out of all that were given.

    Args:
        options: Names and values; those of `OPTIONS` are removed.

    Returns:
        What they say; None unless the command was given.
    """
    wanted = options.pop("authorize")
    login_options = LoginOptions(
        client_id=options.pop("client_id"),
        port=options.pop("redirect_port"),
        redirect_uri=options.pop("redirect_uri"),
        file=Path(options.pop("credentials_file")),
    )
    return login_options if wanted else None


def authorize(
    config: dict[str, Any],
    schema: dict[str, Any],
    login_options: LoginOptions,
    agent: str,
    log: logging.Logger,
) -> None:
    """Walk the user through it.

    Args:
        config: The settings as given.
        schema: The JSON schema of all configuration.
        login_options: What was given on the command line.
        agent: What requests call themselves.
        log: Where to say that something is tried again.

    Raises:
        CalendlyError: It did not come to a good end.
    """
    named = _app(config.get(configuration.OAUTH), login_options.client_id)
    # With a token in place of the one that is still to come, the settings are those of a run.
    config = {**config, configuration.OAUTH: {**named, "refresh_token": "-"}}
    config.pop("personal_access_token", None)
    redaction.remember(*configuration.secrets_in(config))
    if problems := configuration.problems(config, schema):
        raise errors.SettingsError(problems)
    app = token_endpoint.app_of(config[configuration.OAUTH])
    with _file(login_options.file) as file:
        tokens = _tokens(app, config, login_options, agent, log)
        kept = {"client_id": app.client_id, "refresh_token": tokens.refresh_token}
        if app.client_secret is not None:
            kept["client_secret"] = app.client_secret
        file.finish(json.dumps({configuration.OAUTH: kept}, indent=2).encode() + b"\n")
    click.echo(
        f"The credentials are in {login_options.file}: give it to --config, beside your settings."
    )


def question(auth_url: str, client_id: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Write the address at which Calendly asks the user.

    Args:
        auth_url: Where OAuth is reached.
        client_id: The app that wants to read.
        redirect_uri: Where the browser is sent with the answer.
        state: What comes back with it.
        verifier: What proves, when the code is exchanged, that the question was ours.

    Returns:
        The address, which tells the verifier's hash alone.
    """
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
    """Find out which app it is, and ask the user for what is not said."""
    parts = dict(given) if isinstance(given, dict) else {}
    parts.pop("refresh_token", None)
    if client_id is not None:
        if parts.get("client_id") != client_id:
            parts = {"client_id": client_id}
    elif parts.get("client_id"):
        return parts  # one without a secret is a native app
    else:
        parts = {"client_id": click.prompt("Client id")}
    if not parts.get("client_secret"):
        # No option: other users of the computer see what stands on a command line.
        parts["client_secret"] = click.prompt(
            "Client secret (nothing for a native app)",
            default="",
            hide_input=True,
            show_default=False,
        )
    return parts


def _tokens(
    app: token_endpoint.App,
    config: Mapping[str, Any],
    login_options: LoginOptions,
    agent: str,
    log: logging.Logger,
) -> token_store.Tokens:
    """Ask the user, and exchange the code."""
    from tap_calendly.auth import browser  # noqa: PLC0415 - would delay the start of every run

    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    redirect_uri = login_options.redirect_uri or f"http://localhost:{login_options.port}"
    address = question(token_endpoint.address(config), app.client_id, redirect_uri, state, verifier)
    if login_options.redirect_uri is None:
        code = browser.code_by_server(address, state, login_options.port)
    else:
        code = browser.code_by_hand(address, state)
    pace = throttle.Throttle(None, throttle.SystemClock())
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return token_endpoint.Endpoint(app, config, agent, pace, log).tokens(form, threading.Event())


@contextmanager
def _file(path: Path) -> Iterator[token_store.Writing]:
    """Make sure that the credentials can be written before Calendly is asked for them."""
    try:
        if path.exists() and not _holds_credentials_alone(path):
            raise errors.CalendlyError(errors.would_overwrite(str(path)))
        waiting = path.with_name(f".{path.name}.{os.getpid()}")
        file = token_store.Writing(waiting, path)
    except OSError as error:
        raise errors.CalendlyError(errors.cannot_write(str(path), error)) from None
    try:
        yield file
    except BaseException:
        file.forget()
        raise


def _holds_credentials_alone(path: Path) -> bool:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(held, dict) and set(held) <= {configuration.OAUTH}
