"""How a request says who asks: a personal access token."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from singer_sdk.authenticators import BearerTokenAuthenticator

if TYPE_CHECKING:
    from collections.abc import Mapping


def authenticator(config: Mapping[str, Any]) -> BearerTokenAuthenticator:
    """Give what signs a request.

    Args:
        config: The tap's settings, checked.

    Returns:
        An authenticator that adds the `Authorization` header.
    """
    return BearerTokenAuthenticator(token=config["personal_access_token"].strip())


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
