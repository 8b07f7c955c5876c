"""The ways to authenticate, and which of them the settings choose."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tap_calendly.api.authenticator import Authenticator
from tap_calendly.api.throttle import Throttle
from tap_calendly.auth import oauth, personal_access_token
from tap_calendly.auth.oauth import OAuth
from tap_calendly.auth.personal_access_token import PersonalAccessToken
from tap_calendly.auth.token_endpoint import TokenEndpoint
from tap_calendly.auth.token_store import TokenStore
from tap_calendly.reporting import messages, redaction
from tap_calendly.settings import Settings

SETTINGS = frozenset({personal_access_token.SETTING, oauth.SETTING})


def authenticator(settings: Settings, throttle: Throttle, logger: logging.Logger) -> Authenticator:
    """Return what authenticates the requests of a run; nothing is read or requested yet."""
    app = settings.oauth_credentials
    if app is None:
        return PersonalAccessToken(settings.personal_access_token or "")
    return OAuth(
        app.refresh_token,
        TokenEndpoint(app, settings, throttle, logger),
        TokenStore.of(app, settings.oauth_store),
        logger,
    )


def secrets(config: Mapping[str, Any]) -> set[str]:
    """Collect the texts in the settings that hold secrets, whatever their shape."""
    parts = config.get(oauth.SETTING)
    if isinstance(parts, dict):
        parts = {name: part for name, part in parts.items() if name != "client_id"}  # no secret
    return set(redaction.texts([config.get(personal_access_token.SETTING), parts]))


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Check that exactly one method is given, and completely."""
    token, parts = config.get(personal_access_token.SETTING), config.get(oauth.SETTING)
    if parts is None:
        if not (token or "").strip():
            yield messages.TOKEN_MISSING
        given = {personal_access_token.SETTING: token}
    else:
        if token is not None:
            yield messages.TWO_METHODS
        if not (parts.get("client_id") or "").strip():
            yield messages.CLIENT_ID_MISSING
        if not (parts.get("refresh_token") or "").strip():
            yield messages.REFRESH_TOKEN_MISSING
        given = {f"{oauth.SETTING}.{part}": parts.get(part) for part in oauth.PARTS}
    for setting, secret in given.items():
        if not re.fullmatch(r"[\x21-\x7e]*", (secret or "").strip()):
            yield messages.NOT_ONE_WORD.format(setting=setting)
