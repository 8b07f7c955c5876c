"""What went wrong, in the user's terms: one line each, no traceback, no secret.

Calendly's error bodies hold `title`, `message` and `details` (a list of `parameter` and `message`),
and `required_scopes` when a token lacks scopes. Its sentences vary, so only the status and
`required_scopes` decide; the sentences are quoted.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from tap_calendly.reporting.redaction import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 that a later try may cure."""

NOT_CALENDLYS = "the answer is not Calendly's"

UNREADABLE = (
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading raises where something is not what it should be."""

LONGEST_QUOTE = 500
LONGEST_ID = 100
"""Characters of Calendly's own words, and of a request's id, that a line holds."""

NEXT_STEP: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "this is a fault in the tap or its settings: report it with this line.",
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

FAILURES: dict[str, str] = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no whole answer in time",
    "ReadTimeoutError": "no whole answer in time",
    "ConnectionRefusedError": "the connection is refused",
    "ConnectionResetError": "the connection was broken off",
    "BrokenPipeError": "the connection was broken off",
    "RemoteDisconnected": "the connection was broken off",
    "IncompleteRead": "the answer was cut short",
    "NameResolutionError": "the name of the host cannot be resolved",
    "ProxyError": "the proxy does not let it through",
    "SSLError": "TLS failed",
    "SSLCertVerificationError": "the certificate is not trusted",
}
"""What the kinds of error of requests, urllib3 and Python mean."""


AUTHORIZE_AGAIN = "get new credentials with `tap-calendly --authorize`"

NO_TOKENS: dict[str, str] = {
    "invalid_grant": (
        "the refresh token of `oauth_credentials` is used up (by another machine, or by a run "
        f"whose `oauth_store` is gone), revoked or mistyped: {AUTHORIZE_AGAIN}."
    ),
    "invalid_client": (
        "`client_id` or `client_secret` of `oauth_credentials` is not the app's (a native app has "
        "no `client_secret`): correct them."
    ),
}
"""What to do by the `error` of the token endpoint (RFC 6749, section 5.2)."""

USED_UP = (
    "an exchange before this one was broken off, and has used up the refresh token without "
    f"giving the next: {AUTHORIZE_AGAIN}."
)


@dataclass(frozen=True)
class Remedies:
    """What there is to do for the user, by how requests are signed.

    Attributes:
        refused: Where Calendly answers 401.
        more_scopes: How a token gets the scopes that it lacks, which stand for `{}`.
    """

    refused: str
    more_scopes: str


BY_TOKEN = Remedies(
    refused=(
        "the token is missing, mistyped, expired or revoked: create a new one in Calendly under "
        "Integrations > API & webhooks and set `personal_access_token`."
    ),
    more_scopes="create a token with the scopes {}.",
)
BY_OAUTH = Remedies(
    refused=(
        "the access token was renewed and is refused again: check `api_url`, or whether the app "
        f"was disabled in Calendly; then {AUTHORIZE_AGAIN}."
    ),
    more_scopes=f"tick the scopes {{}} for the app, then {AUTHORIZE_AGAIN}.",
)


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
    """A stream that cannot go on; its text is the one line that the user reads, without secrets."""

    def __init__(self, message: str) -> None:
        """Hold the line.

        Args:
            message: What happened, to which stream, and what to do.
        """
        super().__init__(line(message))


class FatalError(CalendlyError):
    """A run that cannot go on, whatever the stream."""


class StreamsError(CalendlyError):
    """Streams could not go on; the others are done."""

    def __init__(self, lines: list[str]) -> None:
        """Hold what there is to say.

        Args:
            lines: A line for each thing.
        """
        super().__init__(" ".join(lines))
        self.lines = lines


class SettingsError(FatalError):
    """The configuration cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        """Hold every problem found.

        Args:
            problems: One sentence for each, naming the setting and what is allowed.
        """
        super().__init__(" ".join(problems))
        self.problems = [line(problem) for problem in problems]


class TransientError(CalendlyError):
    """A request failed in a way that a later try may cure.

    Attributes:
        response: The answer; None when none came.
        kind: What happened, in a few words.
    """

    def __init__(
        self, message: str, cause: requests.Response | Exception, kind: str | None = None
    ) -> None:
        """Hold the line for the user and what it comes from.

        Args:
            message: The line for the user, should no later try succeed.
            cause: The answer, or what the HTTP library raised.
            kind: What happened, in a few words, where the cause does not tell.
        """
        super().__init__(message)
        if isinstance(cause, Exception):
            self.response, self.kind = None, kind or failure(cause)
        else:
            self.response, self.kind = cause, kind or f"Calendly answered {cause.status_code}"

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

    def __init__(self, stream: str, message: str, response: requests.Response) -> None:
        """Hold the line for the user and what it comes from.

        Args:
            stream: The name of the stream that asked.
            message: The line for the user.
            response: The answer.
        """
        super().__init__(message)
        self.stream = stream
        self.status = response.status_code
        self.names_scopes = "required_scopes" in _json_object(response)


def is_untrusted(error: Exception) -> bool:
    """Tell whether a host cannot prove who it is, which no later try cures.

    Args:
        error: What the HTTP library raised.

    Returns:
        Whether its certificate was refused.
    """
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def is_transient(status: int) -> bool:
    """Tell whether a later try may succeed.

    Args:
        status: An HTTP status.

    Returns:
        True for 408, 429 and everything from 500.
    """
    return status in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def explain(stream: str, requires: Requires, response: requests.Response, way: Remedies) -> str:
    """Say what a refused request means and what to do.

    Args:
        stream: The name of the stream that made the request.
        requires: What the stream needs.
        response: An answer that is not a success.
        way: How the request was signed.

    Returns:
        One line: stream, path, status, Calendly's own words, request id, next step.
    """
    status = response.status_code
    body = _json_object(response)
    words = f"{stream}: Calendly answered {status} to GET {urlsplit(response.url).path}"
    if said := _said(body):
        words += f" ({said})"
    return f"{words}{_request_id(response)}: {_next_step(status, body, requires, way)}"


def failure(error: Exception) -> str:
    """Say in a few words why no answer came.

    Args:
        error: What the HTTP library raised; its text is long, and may hold the query.

    Returns:
        The words, of the innermost reason that is known.
    """
    kinds = [type(cause).__name__ for cause in _causes(error)]
    known = [FAILURES[kind] for kind in kinds if kind in FAILURES]
    return known[-1] if known else kinds[0]


def unreachable(stream: str, url: str, error: Exception) -> str:
    """Say that no answer came.

    Args:
        stream: The name of the stream that made the request.
        url: The address asked.
        error: What the HTTP library raised.

    Returns:
        One line: stream, path, host, kind of failure, next step.
    """
    parts = urlsplit(url)
    return (
        f"{stream}: no answer from {parts.netloc} to GET {parts.path} ({failure(error)}): "
        f"{_way_out(error, '`api_url`')}"
    )


def no_certificates(path: str) -> str:
    """Say that the certificates to trust are not where they should be.

    Args:
        path: Where the environment says that they are.

    Returns:
        One line: variable, path, next step.
    """
    return (
        f"Environment variable `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` names {path}, where "
        "nothing is: it must be a file of certificates; correct or remove it."
    )


def unexpected(what: str, error: Exception) -> CalendlyError:
    """Say that the tap has a fault, or met what nobody has thought of.

    Args:
        what: What has failed by it: a stream, or the tap.
        error: The error, of which only the kind is told, as its text may hold data.

    Returns:
        One line: what, kind, next step.
    """
    return CalendlyError(
        f"{what} failed unexpectedly ({type(error).__name__}): run it again with "
        "TAP_CALENDLY_LOGLEVEL=DEBUG, and report what it says."
    )


def elsewhere(stream: str, url: str) -> str:
    """Say that an address that Calendly gave is not asked.

    Args:
        stream: The name of the stream.
        url: The address.

    Returns:
        One line: stream, host, next step.
    """
    try:
        host = urllib3.util.parse_url(url).netloc or "no host"
    except ValueError:
        host = "no host"
    return (
        f"{stream}: Calendly's next page lies on {host}, not on the host of `api_url`; the token "
        "is not sent there: correct `api_url`."
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
        f"what Calendly's API sends{_request_id(response)}: check `api_url` and any proxy in "
        "between; then run again."
    )


def explain_exchange(response: requests.Response, *, by_code: bool, in_doubt: bool) -> str:
    """Say why Calendly gives no tokens, and what to do.

    Its sentences are not quoted, as something in between might repeat in them what was sent.

    Args:
        response: An answer that is not a success.
        by_code: Whether for a code, fresh from the browser, and not for a refresh token.
        in_doubt: Whether a request before this one got no answer, and may have been granted.

    Returns:
        One line: path, status, the `error` of RFC 6749, request id, next step.
    """
    status = response.status_code
    words = f"OAuth: Calendly answered {status} to POST {urlsplit(response.url).path}"
    error = _json_object(response).get("error")
    if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,40}", error):
        words += f" ({error})"
    words += _request_id(response)
    if error == "invalid_grant" and by_code:
        return f"{words}: the code was not accepted: run `tap-calendly --authorize` again."
    if error == "invalid_grant" and in_doubt:
        return f"{words}: {USED_UP}"
    if isinstance(error, str) and error in NO_TOKENS:
        return f"{words}: {NO_TOKENS[error]}"
    if is_transient(status):
        return f"{words}: run again later."
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"{words}: it redirects elsewhere, and no secret is sent there: correct `auth_url`."
    return f"{words}: check `auth_url` and `oauth_credentials`."


def no_tokens_from(url: str, error: Exception) -> str:
    """Say that the token endpoint gave no answer.

    Args:
        url: The address asked.
        error: What the HTTP library raised.

    Returns:
        One line: host, path, kind of failure, next step.
    """
    parts = urlsplit(url)
    return (
        f"OAuth: no answer from {parts.netloc} to POST {parts.path} ({failure(error)}): "
        f"{_way_out(error, '`auth_url`')}"
    )


def no_tokens(response: requests.Response) -> str:
    """Say that an answer holds no tokens.

    Args:
        response: A successful answer whose body cannot be read.

    Returns:
        One line: path, status, next step.
    """
    return (
        f"OAuth: the answer {response.status_code} to POST {urlsplit(response.url).path} is not "
        "what Calendly sends: check `auth_url` and any proxy in between; then run again."
    )


def store_unusable(folder: str, error: OSError | None) -> str:
    """Say that tokens could not be kept; nothing was exchanged yet.

    Args:
        folder: Where they should be.
        error: What the operating system said; None when there is no such place.

    Returns:
        One line: folder, what is wrong, next step.
    """
    why = "it is not known" if error is None else error.strerror or type(error).__name__
    return (
        f"OAuth: the tokens cannot be kept in {folder} ({why}): set `oauth_store` to a folder that "
        "can be written and stays from run to run."
    )


def store_failed(path: str, error: OSError) -> str:
    """Say that tokens could not be kept after they were exchanged.

    Args:
        path: Where they should be.
        error: What the operating system said.

    Returns:
        One line: file, what is wrong, next step.
    """
    return (
        f"OAuth: {path} could not be written ({error.strerror or type(error).__name__}), and the "
        f"new refresh token is lost: {AUTHORIZE_AGAIN}."
    )


STATE_MISMATCH = (
    "OAuth: the browser came back with an answer to another question (`state` differs): run "
    "`tap-calendly --authorize` again, and use the window that it opens."
)
NO_CODE = (
    "OAuth: the address holds no `code`: run `tap-calendly --authorize` again, and paste the whole "
    "address that the browser shows at the end."
)


def not_authorized(error: str) -> str:
    """Say that the browser came back without a code.

    Args:
        error: Why, by RFC 6749, section 4.1.2.1.

    Returns:
        One line.
    """
    if error == "access_denied":
        return "OAuth: the app was not allowed to read Calendly: nothing was written."
    named = f" ({error})" if re.fullmatch(r"[a-z_]{1,40}", error) else ""
    return (
        f"OAuth: Calendly did not give a code{named}: check the app's client id and redirect URI."
    )


def nobody_came(seconds: int) -> str:
    """Say that the browser did not come back.

    Args:
        seconds: How long was waited.

    Returns:
        One line.
    """
    return (
        f"OAuth: no answer came from the browser in {seconds // 60} minutes: run `tap-calendly "
        "--authorize` again; the app's redirect URI must be the address of this computer's "
        "`--redirect-port`."
    )


def port_unusable(port: int, error: OSError) -> str:
    """Say that the browser cannot come back.

    Args:
        port: Where it should.
        error: What the operating system said.

    Returns:
        One line.
    """
    return (
        f"OAuth: port {port} of this computer cannot be listened on "
        f"({error.strerror or type(error).__name__}): free it, or choose another by "
        "`--redirect-port` and register http://localhost:PORT as the app's redirect URI."
    )


def would_overwrite(path: str) -> str:
    """Say that a file holds something else.

    Args:
        path: The file.

    Returns:
        One line.
    """
    return f"OAuth: {path} holds more than credentials: name another file by `--credentials-file`."


def cannot_write(path: str, error: OSError) -> str:
    """Say that a file cannot be written; nothing was asked yet.

    Args:
        path: The file.
        error: What the operating system said.

    Returns:
        One line.
    """
    return (
        f"OAuth: {path} cannot be written ({error.strerror or type(error).__name__}): name another "
        "file by `--credentials-file`."
    )


def _next_step(status: int, body: dict[str, Any], requires: Requires, way: Remedies) -> str:
    if isinstance(scopes := body.get("required_scopes"), list):
        return way.more_scopes.format(", ".join(map(str, scopes))[:LONGEST_QUOTE])
    if status == HTTPStatus.UNAUTHORIZED:
        return way.refused
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "it redirects elsewhere, and the token is not sent there: correct `api_url`."
    step = NEXT_STEP.get(status, "run again later.")
    return step.format(scope=requires.scope, plan=requires.plan)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those that it stands for, the outermost first."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if any(cause is one for one in seen):
            continue
        seen.append(cause)
        yield cause
        inner = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        waiting += [one for one in inner if isinstance(one, BaseException)]


def _way_out(error: Exception, setting: str) -> str:
    if is_untrusted(error):
        return (
            "name the certificates of your proxy in the environment variable REQUESTS_CA_BUNDLE, "
            f"or correct {setting}."
        )
    return f"check the network, a proxy or firewall, and {setting}; then run again."


def _said(body: dict[str, Any]) -> str:
    """Join the title, message and details of an error body into one line."""
    details = body.get("details")
    parts = [body.get("title"), body.get("message")]
    parts += [
        f"{detail.get('parameter', 'detail')}: {detail.get('message')}"
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
    ]
    return " ".join(line(part) for part in parts if isinstance(part, str))[:LONGEST_QUOTE]


def _request_id(response: requests.Response) -> str:
    """Give what Calendly's support asks for."""
    found = response.headers.get("X-Request-Id")
    return f" [request {found[:LONGEST_ID]}]" if found else ""


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (RecursionError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
