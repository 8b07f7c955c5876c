"""What went wrong: exceptions that carry facts, and read as one line without secrets.

Calendly's error bodies hold `title`, `message` and `details` (a list of `parameter` and `message`),
and `required_scopes` when a token lacks scopes. Their sentences vary: they are quoted, but only the
status and `required_scopes` decide what to do.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import urlsplit

import requests

from tap_calendly.reporting import messages
from tap_calendly.reporting.redaction import line

UNREADABLE = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What reading a file or an answer raises if it does not have the form it should have."""

REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""Statuses that say something about the token or what was asked for, if they are Calendly's own."""

LONGEST_QUOTE = 500
LONGEST_ID = 100
"""Characters of Calendly's own words, and of a request's id, that are quoted."""


class Requires(NamedTuple):
    """What a token needs to read a stream: a scope, and at least this Calendly plan."""

    scope: str
    plan: str = "any"


class Remedies(NamedTuple):
    """What to do when Calendly answers 401 (`refused`), or the token lacks `{scopes}`."""

    refused: str
    more_scopes: str


class CalendlyError(Exception):
    """A stream cannot go on; the text is the one line that the user reads."""

    def __init__(
        self, message: str, response: requests.Response | None = None, **facts: object
    ) -> None:
        """Render a sentence of `messages` with its facts, or without facts a text as it is."""
        self.response = response
        self.facts = facts if response is None else _facts(response) | facts
        super().__init__(line(message.format(**self.facts) if self.facts else message))

    @property
    def status(self) -> int | None:
        """The HTTP status of the response."""
        return None if self.response is None else self.response.status_code


class FatalError(CalendlyError):
    """The run cannot go on, whatever the stream."""


class StreamsError(CalendlyError):
    """Streams could not go on, and the others are done; a line for each."""

    def __init__(self, lines: list[str]) -> None:
        """Hold the lines."""
        super().__init__(" ".join(lines))
        self.lines = lines


class SettingsError(FatalError):
    """The configuration cannot be used; a sentence for each problem."""

    def __init__(self, problems: list[str]) -> None:
        """Hold the problems."""
        super().__init__(" ".join(problems))
        self.problems = [line(problem) for problem in problems]


class TransientError(CalendlyError):
    """A request failed, and trying again may help."""

    @property
    def reason(self) -> str:
        """What happened, in a few words for the log."""
        if self.response is None:
            return str(self.facts["failure"])
        if self.response.ok or self.status in REFUSALS:  # Calendly's own refusal is not transient
            return f"the answer {self.status} is not Calendly's"
        return f"Calendly answered {self.status}"


class RefusedError(CalendlyError):
    """Calendly refused a request, and trying again would not help."""

    @property
    def stream(self) -> str:
        """The name of the stream that asked."""
        return str(self.facts["stream"])

    @property
    def names_scopes(self) -> bool:
        """Whether Calendly says which scopes the token lacks."""
        return self.response is not None and "required_scopes" in json_object(self.response)


def is_forbidden(error: CalendlyError) -> TypeGuard[RefusedError]:
    """Tell whether Calendly itself answered 403: scope, plan, or role give no access."""
    return isinstance(error, RefusedError) and error.status == HTTPStatus.FORBIDDEN


def unexpected(what: str, error: Exception) -> CalendlyError:
    """Report a bug that fails a stream or the tap, but not the error's text: it may hold data."""
    return CalendlyError(messages.UNEXPECTED, what=what, kind=type(error).__name__)


def json_object(response: requests.Response) -> dict[str, Any]:
    """Read the body of an error response; empty if it is no JSON object."""
    try:
        body = json.loads(response.content)
    except (RecursionError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def why(error: OSError) -> str:
    """Say in a few words what the operating system reported."""
    return error.strerror or type(error).__name__


def _facts(response: requests.Response) -> dict[str, object]:
    request_id = response.headers.get("X-Request-Id")
    said = _said(json_object(response))
    return {
        "status": response.status_code,
        "method": response.request.method,
        "path": urlsplit(response.url).path,
        "said": f" ({said})" if said else "",
        "request_id": f" [request {request_id[:LONGEST_ID]}]" if request_id else "",
    }


def _said(body: dict[str, Any]) -> str:
    details = body.get("details")
    parts = [body.get("title"), body.get("message")]
    parts += [
        f"{detail.get('parameter', 'detail')}: {detail.get('message')}"
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
    ]
    return " ".join(line(part) for part in parts if isinstance(part, str))[:LONGEST_QUOTE]
