"""Why a delivery is refused; `messages.REFUSALS` says what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple


class Refusal(NamedTuple):
    """A reason, in the words of `status`, logs and metrics; and how it is answered."""

    reason: str
    status: HTTPStatus = HTTPStatus.UNAUTHORIZED


NO_SIGNATURE = Refusal("no signature")
WRONG_SIGNATURE = Refusal("wrong signature")
OLD_SIGNATURE = Refusal("old signature")
FUTURE_SIGNATURE = Refusal("future signature")
TOO_LARGE = Refusal("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
TOO_SLOW = Refusal("too slow", HTTPStatus.REQUEST_TIMEOUT)
UNREADABLE = Refusal("unreadable", HTTPStatus.BAD_REQUEST)
