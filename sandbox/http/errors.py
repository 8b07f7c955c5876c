"""How Calendly says no: a status, and a body that always has the same shape."""

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
    """A request that is not granted.

    Attributes:
        status: The HTTP status.
        body: What the answer says, in the shape of Calendly's errors.
    """

    def __init__(self, status: int, message: str | None = None, **more: object) -> None:
        """Refuse.

        Args:
            status: The HTTP status.
            message: The sentence to give as the reason; the usual one of the status if left out.
            more: What else the body holds, such as ``details``; may replace the ``title``.
        """
        self.status = status
        self.body = error_body(status) | more
        if message is not None:
            self.body["message"] = message
        super().__init__(self.body["message"])


def error_body(status: int) -> dict[str, Any]:
    """Return what Calendly usually says with ``status``."""
    title, message = GENERIC.get(status, GENERIC[500 if status >= 500 else 400])  # noqa: PLR2004 -- the class of a status
    return {"title": title, "message": message}


def invalid_argument(parameter: str, message: str) -> CalendlyError:
    """Refuse a query parameter: its name and what is wrong with it."""
    return CalendlyError(400, details=[{"parameter": parameter, "message": message}])


def unauthenticated() -> CalendlyError:
    """Refuse a request without a valid token."""
    return CalendlyError(401)


def permission_denied(message: str | None = None) -> CalendlyError:
    """Refuse what the caller's role or plan does not open."""
    return CalendlyError(403, message)


def insufficient_scope(scopes: Iterable[str]) -> CalendlyError:
    """Refuse what needs scopes that the token lacks."""
    return CalendlyError(
        403,
        "This operation requires the scopes listed in the 'required_scopes' array.",
        title="Insufficient scope",
        required_scopes=sorted(scopes),
    )


def not_found() -> CalendlyError:
    """Refuse what does not exist."""
    return CalendlyError(404)


def method_not_allowed() -> CalendlyError:
    """Refuse to do more than read."""
    return CalendlyError(405)


def failed_dependency() -> CalendlyError:
    """Refuse what a connected calendar would have to tell, which cannot be reached."""
    return CalendlyError(424)


def too_many_requests() -> CalendlyError:
    """Refuse what goes beyond the rate limit."""
    return CalendlyError(429)
