"""Why a request failed, and what the user can do about it."""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus

import requests

from tap_calendly.reporting import errors, messages

TRANSIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 after which a later try may succeed."""

OWN_KEYS = ("title", "message")
"""What every error body of Calendly's API holds."""

EDGE_CODE = re.compile(rb"error code: \d{1,5}")
"""The whole body with which the network edge refuses some requests."""


def is_transient(status: int) -> bool:
    """Tell whether a later try may succeed: after 408, 429 and everything from 500."""
    return status in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def error_class(status: int) -> type[errors.CalendlyError]:
    """Choose what to raise when the API refuses a request."""
    if is_transient(status):
        return errors.TransientError
    return errors.FatalError if status == HTTPStatus.UNAUTHORIZED else errors.RefusedError


def is_edge_refusal(response: requests.Response) -> bool:
    """Tell whether something in front of Calendly's API refused a request, not Calendly itself.

    Calendly's own bodies hold `title` and `message`. What the network edge sends instead, such as
    the text "error code: 1010" or a challenge page, says nothing about the token.
    """
    if response.status_code not in errors.REFUSALS:
        return False
    body = errors.json_object(response)
    return not all(isinstance(body.get(key), str) for key in OWN_KEYS)


def edge_refusal(response: requests.Response, stream: str, setting: str) -> errors.TransientError:
    """Report that something in front of the host that a setting names refused a request."""
    # Nothing else is quoted: it might repeat what was sent.
    code = EDGE_CODE.fullmatch(response.content.strip())
    return errors.TransientError(
        messages.REFUSED_AT_EDGE,
        response,
        stream=stream,
        code=f" ({code[0].decode()})" if code else "",
        setting=f"`{setting}`",
    )


def next_step(
    response: requests.Response, requires: errors.Requires, remedies: errors.Remedies
) -> str:
    """Say what to do when the API refuses a request."""
    status, scopes = response.status_code, errors.json_object(response).get("required_scopes")
    if isinstance(scopes, list):
        named = ", ".join(map(str, scopes))[: errors.LONGEST_QUOTE]
        return remedies.more_scopes.format(scopes=named)
    if status == HTTPStatus.UNAUTHORIZED:
        return remedies.refused
    if _redirects(status):
        return messages.REDIRECTED
    step = messages.NEXT_STEPS.get(status, messages.RUN_LATER)
    return step.format(scope=requires.scope, plan=requires.plan)


def exchange_error(response: requests.Response) -> str | None:
    """Read the `error` of RFC 6749 from a refusal of the token endpoint."""
    error = errors.json_object(response).get("error")
    return error if isinstance(error, str) and is_error_code(error) else None


def is_error_code(text: str) -> bool:
    """Tell whether a text looks like an error code of RFC 6749, which can be shown."""
    return re.fullmatch(r"[a-z_]{1,40}", text) is not None


def step_after_exchange(status: int, error: str | None, *, by_code: bool, in_doubt: bool) -> str:
    """Say what to do when the token endpoint gives no tokens for a code or a refresh token.

    With `in_doubt`, an earlier request got no answer, and may have been granted.
    """
    if error == "invalid_grant" and by_code:
        return messages.CODE_NOT_ACCEPTED
    if error == "invalid_grant" and in_doubt:
        return messages.EXCHANGE_LOST
    if error in messages.EXCHANGE_ERRORS:
        return messages.EXCHANGE_ERRORS[error]
    if is_transient(status):
        return messages.RUN_LATER
    return messages.EXCHANGE_REDIRECTED if _redirects(status) else messages.CHECK_CREDENTIALS


def failure(error: Exception) -> str:
    """Say in a few words why no answer came: requests' own text is long, and may hold the query."""
    kinds = [type(cause).__name__ for cause in _causes(error)]
    known = [messages.FAILURES[kind] for kind in kinds if kind in messages.FAILURES]
    return known[-1] if known else kinds[0]  # the innermost says most


def step_without_answer(error: Exception, setting: str) -> str:
    """Say what to do when no answer came from the host that a setting names."""
    step = messages.TRUST_PROXY if is_untrusted(error) else messages.CHECK_NETWORK
    return step.format(setting=f"`{setting}`")


def is_untrusted(error: Exception) -> bool:
    """Tell whether the host's certificate was refused, so that trying again would not help."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _redirects(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those behind it, the outermost first."""
    found = [error]
    for cause in found:  # which grows meanwhile
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        for one in inner:
            if isinstance(one, BaseException) and all(one is not known for known in found):
                found.append(one)
    return found
