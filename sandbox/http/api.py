"""Calendly's API, of which only webhook subscriptions can be changed: from request to answer."""

from __future__ import annotations

import itertools
from email.utils import format_datetime
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import JSONResponse, Response

from sandbox.http.access import require_scope
from sandbox.http.answers import (
    administration,
    availability,
    contacts,
    event_types,
    fixtures,
    meetings,
    people,
    recaps,
    routing_forms,
    webhooks,
)
from sandbox.http.answers.query import Query
from sandbox.http.errors import (
    CalendlyError,
    method_not_allowed,
    not_found,
    too_many_requests,
    unauthenticated,
)
from sandbox.http.parameters import Parameters

if TYPE_CHECKING:
    from datetime import timedelta

    from starlette.requests import Request

    from sandbox.http.access import Access, Caller
    from sandbox.http.answers.query import Endpoint
    from sandbox.http.faults import Fault
    from sandbox.http.rate_limit import Allowance, RateLimit
    from sandbox.organization.calendly import Calendly

ENDPOINTS = (
    *people.ENDPOINTS,
    *administration.ENDPOINTS,
    *contacts.ENDPOINTS,
    *event_types.ENDPOINTS,
    *availability.ENDPOINTS,
    *meetings.ENDPOINTS,
    *recaps.ENDPOINTS,
    *routing_forms.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


def endpoint_of(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint for ``path`` and the identifiers in it, if there is one."""
    for endpoint in (*ENDPOINTS, *fixtures.ENDPOINTS):
        ids = endpoint.ids(path)
        if ids is not None:
            return endpoint, ids
    return None


class Api:
    """Answers requests, one at a time.

    Attributes:
        page_token_life: How long page tokens are valid; ``None`` for ever.
    """

    def __init__(self, calendly: Calendly, access: Access, rate_limit: RateLimit) -> None:
        """Answer from ``calendly``, as ``access`` and ``rate_limit`` allow."""
        self._calendly = calendly
        self._access = access
        self._rate_limit = rate_limit
        self._numbers = itertools.count(1)
        self.page_token_life: timedelta | None = None

    def answer(self, request: Request, body: bytes, fault: Fault | None = None) -> Response:
        """Return the answer to ``request``, with ``fault`` unless it is over the rate limit."""
        with self._calendly.lock:
            caller = self._access.caller(request.headers.get("authorization"))
            allowance = self._rate_limit.count(caller.user if caller else "")
            response = self._response(request, body, caller, allowance, fault)
            response.headers["Date"] = format_datetime(self._calendly.clock.now(), usegmt=True)
        response.headers["X-Request-Id"] = str(UUID(int=next(self._numbers)))
        response.headers.update(allowance.headers())
        if fault is not None:
            response.headers.update(fault.headers)
        return response

    def _response(
        self,
        request: Request,
        body: bytes,
        caller: Caller | None,
        allowance: Allowance,
        fault: Fault | None,
    ) -> Response:
        try:
            if allowance.exceeded:
                raise too_many_requests()
            if fault is not None and (faulty := fault.answer()) is not None:
                return faulty
            return self._granted(request, body, caller)
        except CalendlyError as error:
            return JSONResponse(error.body, error.status)

    def _granted(self, request: Request, body: bytes, caller: Caller | None) -> Response:
        if caller is None:
            raise unauthenticated()
        routed = endpoint_of(request.scope["path"])
        if routed is None:
            raise not_found()
        endpoint, ids = routed
        parameters = Parameters(request.query_params.multi_items())
        life = self.page_token_life
        query = Query(self._calendly, caller, ids, parameters, request, life, body)
        if request.method in ("GET", "HEAD"):
            require_scope(caller, endpoint.scope)
            return JSONResponse(endpoint.answer(query))
        if (change := endpoint.changes.get(request.method)) is None:
            raise method_not_allowed()
        require_scope(caller, change.scope)
        made = change.answer(query)
        return (
            Response(status_code=change.status)
            if made is None
            else JSONResponse(made, change.status)
        )
