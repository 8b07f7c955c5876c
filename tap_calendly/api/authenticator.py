"""What the client needs to know about how requests are authenticated."""

from __future__ import annotations

import threading
from typing import Protocol

from tap_calendly.reporting.errors import Remedies


class Authenticator(Protocol):
    """The source of access tokens, for several threads at once.

    Its methods raise `StoppedError` once `stop` is set, and `FatalError` when there is no token.
    """

    remedies: Remedies
    user_id: str | None  # of the user whom the token itself names, if it does

    def token(self, stop: threading.Event) -> str:
        """Return the access token for a request."""

    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        """Tell whether to send a request again, as its token was refused and has been replaced."""

    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        """Return the URIs of the token's `user` and `organization`, if known without a request."""
