"""What went wrong, in the user's terms: one line each, no traceback, no secret.

Calendly's error bodies hold `title`, `message` and `details` (a list of `parameter` and `message`),
and `required_scopes` when a token lacks scopes. Its sentences vary, so only the status and
`required_scopes` decide; the sentences are quoted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 that a later try may cure."""

NEXT_STEP: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "this is a fault in the tap or its settings: report it with this line.",
    HTTPStatus.UNAUTHORIZED: (
        "the token is missing, mistyped, expired or revoked: create a new one in Calendly under "
        "Integrations > API & webhooks and set `personal_access_token`."
    ),
    HTTPStatus.FORBIDDEN: (
        "the stream needs the scope {scope}, plan: {plan}, and for a whole organization the token "
        "of an owner or admin: use such a token, or deselect the stream."
    ),
    HTTPStatus.NOT_FOUND: (
        "check `organization`, `user`, `group` and `api_url`, or whether it was just deleted."
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "the request limit of this Calendly user is used up by other integrations: run again later."
    ),
}


@dataclass(frozen=True)
class Requires:
    """What a token needs to read a stream.

    Attributes:
        scope: The scope to tick when the token is made.
        plan: The least Calendly plan.
    """

    scope: str
    plan: str = "any"


class CalendlyError(Exception):
    """A run that cannot go on; its text is the one line that the user reads."""


class SettingsError(CalendlyError):
    """The configuration cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        """Hold every problem found.

        Args:
            problems: One sentence for each, naming the setting and what is allowed.
        """
        super().__init__(" ".join(problems))
        self.problems = problems


class PassingError(CalendlyError):
    """A request failed in a way that a later try may cure.

    Attributes:
        response: The answer; None when none came.
        kind: What happened, in a few words.
    """

    def __init__(self, message: str, cause: requests.Response | Exception) -> None:
        """Hold the line for the user and what it comes from.

        Args:
            message: The line for the user, should no later try succeed.
            cause: The answer, or what the HTTP library raised.
        """
        super().__init__(message)
        if isinstance(cause, Exception):
            self.response, self.kind = None, type(cause).__name__
        else:
            self.response, self.kind = cause, f"Calendly answered {cause.status_code}"

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer."""
        return None if self.response is None else self.response.status_code


class RefusedError(CalendlyError):
    """Calendly refused a request, and trying again would not help.

    Attributes:
        stream: The name of the stream that asked.
        status: The HTTP status of the answer.
        names_scopes: Whether it says which scopes the token lacks.
    """

    def __init__(self, stream: str, requires: Requires, response: requests.Response) -> None:
        """Write the line for the user.

        Args:
            stream: The name of the stream that asked.
            requires: What the stream needs.
            response: The answer.
        """
        super().__init__(explain(stream, requires, response))
        self.stream = stream
        self.status = response.status_code
        self.names_scopes = "required_scopes" in _json_object(response)


def is_transient(status: int) -> bool:
    """Tell whether a later try may succeed.

    Args:
        status: An HTTP status.

    Returns:
        True for 408, 429 and everything from 500.
    """
    return status in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def explain(stream: str, requires: Requires, response: requests.Response) -> str:
    """Say what a refused request means and what to do.

    Args:
        stream: The name of the stream that made the request.
        requires: What the stream needs.
        response: An answer that is not a success.

    Returns:
        One line: stream, path, status, Calendly's own words, request id, next step.
    """
    status = response.status_code
    body = _json_object(response)
    words = f"{stream}: Calendly answered {status} to GET {urlsplit(response.url).path}"
    if said := _said(body):
        words += f" ({said})"
    if request_id := response.headers.get("X-Request-Id"):
        words += f" [request {request_id}]"
    return f"{words}: {_next_step(status, body, requires)}"


def unreachable(stream: str, url: str, error: Exception) -> str:
    """Say that no answer came.

    Args:
        stream: The name of the stream that made the request.
        url: The address asked.
        error: What the HTTP library raised; only its kind is told, as its text may be long.

    Returns:
        One line: stream, path, host, kind of failure, next step.
    """
    parts = urlsplit(url)
    return (
        f"{stream}: no answer from {parts.netloc} to GET {parts.path} ({type(error).__name__}): "
        "check the network, a proxy or firewall, and `api_url`; then run again."
    )


def not_calendly(stream: str, response: requests.Response) -> str:
    """Say that an answer is not in the shape that Calendly's API gives.

    Args:
        stream: The name of the stream that made the request.
        response: A successful answer whose body cannot be read.

    Returns:
        One line: stream, path, status, next step.
    """
    return (
        f"{stream}: the answer {response.status_code} to GET {urlsplit(response.url).path} is not "
        "what Calendly's API sends: check `api_url` and any proxy in between; then run again."
    )


def _next_step(status: int, body: dict[str, Any], requires: Requires) -> str:
    if isinstance(scopes := body.get("required_scopes"), list):
        return f"create a token with the scopes {', '.join(map(str, scopes))}."
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "it redirects elsewhere, and the token is not sent there: correct `api_url`."
    step = NEXT_STEP.get(status, "run again later.")
    return step.format(scope=requires.scope, plan=requires.plan)


def _said(body: dict[str, Any]) -> str:
    """Join the title, message and details of an error body into one line."""
    details = body.get("details")
    parts = [body.get("title"), body.get("message")]
    parts += [
        f"{detail.get('parameter', 'detail')}: {detail.get('message')}"
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
    ]
    return " ".join(" ".join(part.split()) for part in parts if isinstance(part, str))[:500]


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
