"""Calendly's error answers: a status, and a body of always the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

GENERIC = {
    400: ("Invalid Argument", "The supplied parameters are invalid."),
    401: ("Unauthenticated", "The access token is invalid"),
    403: ("Permission Denied", "You do not have permission to access this resource."),
    404: ("Resource Not Found", "The server could not find the requested resource."),
    405: ("Method Not Allowed", "The resource does not answer to this method."),
    424: ("Failed Dependency", "A connected calendar could not be reached."),
    429: ("Too Many Requests", "You have made more requests than the rate limit allows."),
    500: ("Internal Server Error", "The server encountered an unexpected condition."),
    503: ("Service Unavailable", "The server is currently unable to handle the request."),
}


class CalendlyError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status.
        body: The answer's body.
    """

    def __init__(self, status: int, message: str | None = None, **more: object) -> None:
        """Refuse with Calendly's usual body for ``status``.

        Args:
            status: The HTTP status.
            message: Replaces the usual message.
            more: Other keys of the body, such as ``details``; may replace the ``title``.
        """
        self.status = status
        self.body = error_body(status) | more
        if message is not None:
            self.body["message"] = message
        super().__init__(self.body["message"])


def error_body(status: int) -> dict[str, Any]:
    """Return the body that Calendly usually sends with ``status``."""
    title, message = GENERIC.get(status, GENERIC[500 if status >= 500 else 400])  # noqa: PLR2004 -- the class of a status
    return {"title": title, "message": message}


def invalid_argument(parameter: str, message: str) -> CalendlyError:
    """400: what is wrong with a query parameter."""
    return CalendlyError(400, details=[{"parameter": parameter, "message": message}])


def unauthenticated() -> CalendlyError:
    """401: no valid token."""
    return CalendlyError(401)


def permission_denied(message: str | None = None) -> CalendlyError:
    """403: the caller's role or plan gives no access."""
    return CalendlyError(403, message)


def insufficient_scope(scopes: Iterable[str]) -> CalendlyError:
    """403: the token lacks these scopes."""
    return CalendlyError(
        403,
        "This operation requires the scopes listed in the 'required_scopes' array.",
        title="Insufficient scope",
        required_scopes=sorted(scopes),
    )


def not_found() -> CalendlyError:
    """404: it does not exist."""
    return CalendlyError(404)


def method_not_allowed() -> CalendlyError:
    """405: the API has no such request."""
    return CalendlyError(405)


def already_exists() -> CalendlyError:
    """409: there is a webhook subscription for the URL."""
    return CalendlyError(409, "Hook with this url already exists", title="Already Exists")


def failed_dependency() -> CalendlyError:
    """424: a connected calendar cannot be reached."""
    return CalendlyError(424)


def too_many_requests() -> CalendlyError:
    """429: above the rate limit."""
    return CalendlyError(429)
