"""A personal access token: created by a user in Calendly, valid until it is revoked."""

from __future__ import annotations

import base64
import json
import threading

from typing_extensions import override

from tap_calendly.api.authenticator import Authenticator
from tap_calendly.reporting import messages
from tap_calendly.reporting.errors import Remedies

SETTING = "personal_access_token"


class PersonalAccessToken(Authenticator):
    """A token that stays the same."""

    remedies = Remedies(messages.TOKEN_REFUSED, messages.TOKEN_LACKS_SCOPES)

    def __init__(self, token: str) -> None:
        """Take the token."""
        self.user_id = user_id_in(token)
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


def user_id_in(token: str) -> str | None:
    """Read a user's id from their token; None if it holds none.

    The token is a JSON Web Token whose payload names the `user_uuid` (Calendly's documentation of
    personal access tokens). Its signature is Calendly's to check.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        user = claims["user_uuid"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return user if isinstance(user, str) and user else None
