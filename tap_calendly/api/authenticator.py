"""What the client needs to know about how requests are authenticated."""

from __future__ import annotations

import threading
from typing import Protocol

from tap_calendly.reporting.errors import Remedies


class Authenticator(Protocol):
    """The source of access tokens, for several threads at once.

    Its methods raise `StoppedError` once `stop` is set, and `FatalError` when there is no token.

    Attributes:
        remedies: What the user can do when Calendly refuses the token.
        user_id: The id of the user whom the token itself names; None if it names none.
    """

    remedies: Remedies
    user_id: str | None

    def token(self, stop: threading.Event) -> str:
        """Return the access token for a request."""

    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        """Tell whether to send a request again, as the token it was refused for was replaced."""

    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        """Return the URIs of the token's `user` and `organization`, if known without a request."""
