"""What the client needs to know of how requests are authenticated."""

from __future__ import annotations

import threading
from typing import Protocol

from tap_calendly.reporting.errors import Remedies


class Authenticator(Protocol):
    """The source of access tokens; several threads may use it at once.

    `stop` is set when the caller no longer waits. The methods raise `StoppedError` then, and
    `FatalError` when there is no token to be had.

    Attributes:
        remedies: What the user can do when Calendly refuses the token.
        user_id: The id of the user that the token itself names; None if it does not tell.
    """

    remedies: Remedies
    user_id: str | None

    def token(self, stop: threading.Event) -> str:
        """Return the access token for a request."""

    def replaced(self, token: str, status: int, stop: threading.Event) -> bool:
        """Tell whether a request should be sent again, as its refused token was replaced.

        Args:
            token: The access token that the request was sent with.
            status: The status of the response.
            stop: See above.
        """

    def owner(self, stop: threading.Event) -> dict[str, str] | None:
        """Return the URIs of the token's `user` and `organization`, if known without a request."""
