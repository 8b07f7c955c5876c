"""The read side of Calendly's API: what each path answers, and to whom."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import JSONResponse
from starlette.routing import compile_path

from sandbox.access import (
    PLANS_WITH_TEAMS,
    require_event,
    require_events,
    require_member,
    require_people,
    require_plan,
    require_scope,
    require_whole_organization,
)
from sandbox.errors import (
    CalendlyError,
    method_not_allowed,
    not_found,
    too_many_requests,
    unauthenticated,
)
from sandbox.identifiers import API
from sandbox.organization import ROLES
from sandbox.paging import PAGE_TOKEN, Moment, page_of
from sandbox.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.access import Access, Caller
    from sandbox.calendly import Calendly
    from sandbox.faults import Fault
    from sandbox.rate_limit import Allowance, RateLimit
    from sandbox.state import Record

STATUSES = ("active", "canceled")


@dataclass(frozen=True)
class Query:
    """A request that may be answered: the token is valid and has the scope.

    Attributes:
        calendly: What there is to read.
        caller: Whoever asks.
        ids: The identifiers in the path.
        parameters: The parameters behind it.
        request: The request itself.
        page_token_life: How long page tokens are good for; ``None`` for ever.
    """

    calendly: Calendly
    caller: Caller
    ids: Mapping[str, str]
    parameters: Parameters
    request: Request
    page_token_life: timedelta | None

    @property
    def members(self) -> set[str]:
        """The URIs of the organisation's users."""
        return {one["user"]["uri"] for one in self.calendly.memberships.values()}

    def found(self, records: Mapping[str, Record], collection: str) -> Record:
        """Return the record in ``collection`` that the path names.

        Raises:
            CalendlyError: 404, if there is none.
        """
        return _found(records, f"{API}/{collection}/{self.ids['uuid']}")

    def page(self, rows: Iterable[Record]) -> Record:
        """Return the page of ``rows`` that is asked for, in the envelope of a list."""
        sent = self.parameters.sent
        page = page_of(
            list(rows),
            path=self.request.scope["path"],
            query=sent,
            count=self.parameters.count(),
            moment=Moment(self.calendly.clock.now(), self.page_token_life),
        )
        return {
            "collection": page.rows,
            "pagination": {
                "count": len(page.rows),
                "next_page": self._address(page.next_token),
                "previous_page": self._address(page.previous_token),
                "next_page_token": page.next_token,
                "previous_page_token": page.previous_token,
            },
        }

    def _address(self, token: str | None) -> str | None:
        if token is None:
            return None
        query = urlencode({**self.parameters.sent, PAGE_TOKEN: token})
        return str(self.request.url.replace(query=query))


def me(query: Query) -> Record:
    """The person the token belongs to."""
    return _resource(query.calendly.users[query.caller.user])


def user(query: Query) -> Record:
    """A person of the organisation."""
    record = query.found(query.calendly.users, "users")
    require_member(query.caller, record["uri"], query.members)
    return _resource(record)


def organization(query: Query) -> Record:
    """The organisation."""
    record = query.calendly.organization
    return _resource(query.found({record["uri"]: record}, "organizations"))


def organization_memberships(query: Query) -> Record:
    """The members of the organisation, or one user's membership."""
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    email = asked.email("email")
    role = asked.choice("role", ROLES)
    require_people(query.caller, organization, user, query.members)
    return query.page(
        one
        for one in query.calendly.memberships.values()
        if user in (None, one["user"]["uri"])
        and email in (None, one["user"]["email"])
        and role in (None, one["role"])
    )


def organization_membership(query: Query) -> Record:
    """A membership."""
    record = query.found(query.calendly.memberships, "organization_memberships")
    require_people(query.caller, record["organization"], record["user"]["uri"], query.members)
    return _resource(record)


def groups(query: Query) -> Record:
    """The groups of the organisation."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    organization = query.parameters.required_uri("organization", "organizations")
    require_whole_organization(query.caller, organization)
    return query.page(query.calendly.groups.values())


def group(query: Query) -> Record:
    """A group."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    record = query.found(query.calendly.groups, "groups")
    require_whole_organization(query.caller)
    return _resource(record)


def event_types(query: Query) -> Record:
    """The event types of the organisation or of a user, by name; not the deleted ones."""
    asked = query.parameters
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    active = asked.boolean("active")
    admin_managed = asked.boolean("admin_managed")
    schedule = asked.uri("user_availability_schedule", "user_availability_schedules")
    order = asked.sort("name", "position", "created_at", "updated_at") or "name:asc"
    require_people(query.caller, organization, user, query.members)
    rows = (
        one
        for one in query.calendly.event_types.values()
        if one["deleted_at"] is None
        and user in (None, one["profile"]["owner"])
        and active in (None, one["active"])
        and admin_managed in (None, one["admin_managed"])
        and schedule is None  # the sandbox has no schedules, so none can be used
    )
    return query.page(_ordered(rows, order))


def event_type(query: Query) -> Record:
    """An event type; of a deleted one ``deleted_at`` tells."""
    record = query.found(query.calendly.event_types, "event_types")
    if record["profile"]["owner"] != query.caller.user:
        require_whole_organization(query.caller)
    return _resource(record)


def scheduled_events(query: Query) -> Record:
    """The meetings of the organisation, of one of its users or groups, or the caller's own."""
    asked, calendly = query.parameters, query.calendly
    organization = asked.uri("organization", "organizations")
    user = asked.uri("user", "users")
    group = asked.uri("group", "groups")
    invitee = asked.email("invitee_email")
    status = asked.choice("status", STATUSES)
    # Whether the boundaries belong to the range Calendly does not say; here they do not.
    after = asked.time("min_start_time")
    before = asked.time("max_start_time")
    order = asked.sort("start_time")
    require_events(
        query.caller, organization=organization, user=user, group=group, members=query.members
    )
    hosts = None if group is None else calendly.group_members.get(group)
    if group is not None and hosts is None:
        raise not_found()
    rows = (
        one
        for one in calendly.events.values()
        if status in (None, one["status"])
        and (after is None or one["start_time"] > after)
        and (before is None or one["start_time"] < before)
        and (user is None or _hosted(one, {user}))
        and (hosts is None or _hosted(one, hosts))
        and (invitee is None or _invited(calendly.invitees[one["uri"]], invitee))
    )
    return query.page(_ordered(rows, order))


def scheduled_event(query: Query) -> Record:
    """A meeting."""
    record = query.found(query.calendly.events, "scheduled_events")
    require_event(query.caller, record)
    return _resource(record)


def invitees(query: Query) -> Record:
    """The invitees of a meeting, in the order they were invited."""
    asked = query.parameters
    status = asked.choice("status", STATUSES)
    email = asked.email("email")
    order = asked.sort("created_at")
    event = query.found(query.calendly.events, "scheduled_events")
    require_event(query.caller, event)
    rows = (
        one
        for one in query.calendly.invitees[event["uri"]]
        if status in (None, one["status"]) and email in (None, one["email"])
    )
    return query.page(_ordered(rows, order))


def invitee(query: Query) -> Record:
    """An invitee."""
    event = f"{API}/scheduled_events/{query.ids['event_uuid']}"
    require_event(query.caller, _found(query.calendly.events, event))
    records = {one["uri"]: one for one in query.calendly.invitees[event]}
    return _resource(_found(records, f"{event}/invitees/{query.ids['invitee_uuid']}"))


def invitee_no_show(query: Query) -> Record:
    """The mark on an invitee who did not come."""
    record = query.found(query.calendly.no_shows, "invitee_no_shows")
    event, _, _ = record["invitee"].partition("/invitees/")
    require_event(query.caller, query.calendly.events[event])
    return _resource(record)


def routing_forms(query: Query) -> Record:
    """The routing forms of the organisation."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    organization = query.parameters.required_uri("organization", "organizations")
    order = query.parameters.sort("created_at")
    require_whole_organization(query.caller, organization)
    return query.page(_ordered(query.calendly.routing_forms.values(), order))


def routing_form(query: Query) -> Record:
    """A routing form."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    record = query.found(query.calendly.routing_forms, "routing_forms")
    require_whole_organization(query.caller)
    return _resource(record)


def routing_form_submissions(query: Query) -> Record:
    """The submissions of a routing form."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    form = query.parameters.required_uri("form", "routing_forms")
    order = query.parameters.sort("created_at")
    require_whole_organization(query.caller)
    _found(query.calendly.routing_forms, form)
    return query.page(_ordered(query.calendly.submissions.get(form, ()), order))


def routing_form_submission(query: Query) -> Record:
    """A submission."""
    require_plan(query.calendly.organization["plan"], PLANS_WITH_TEAMS)
    submissions = itertools.chain.from_iterable(query.calendly.submissions.values())
    record = query.found({one["uri"]: one for one in submissions}, "routing_form_submissions")
    require_whole_organization(query.caller)
    return _resource(record)


class Endpoint:
    """A path of the API.

    Attributes:
        template: The path with its identifiers in braces, as Calendly's API reference has it.
        scope: What a token must be ticked for.
        answer: Makes the body of the answer.
    """

    def __init__(self, template: str, scope: str, answer: Callable[[Query], Record]) -> None:
        """Serve ``template`` by ``answer``."""
        self.template = template
        self.scope = scope
        self.answer = answer
        self._pattern, _, _ = compile_path(template)

    def ids(self, path: str) -> dict[str, str] | None:
        """Return the identifiers in ``path``, or ``None`` if it is another path."""
        match = self._pattern.match(path)
        return None if match is None else match.groupdict()


ENDPOINTS = (
    Endpoint("/users/me", "users:read", me),
    Endpoint("/users/{uuid}", "users:read", user),
    Endpoint("/organizations/{uuid}", "organizations:read", organization),
    Endpoint("/organization_memberships", "organizations:read", organization_memberships),
    Endpoint("/organization_memberships/{uuid}", "organizations:read", organization_membership),
    Endpoint("/groups", "groups:read", groups),
    Endpoint("/groups/{uuid}", "groups:read", group),
    Endpoint("/event_types", "event_types:read", event_types),
    Endpoint("/event_types/{uuid}", "event_types:read", event_type),
    Endpoint("/scheduled_events", "scheduled_events:read", scheduled_events),
    Endpoint("/scheduled_events/{uuid}", "scheduled_events:read", scheduled_event),
    Endpoint("/scheduled_events/{uuid}/invitees", "scheduled_events:read", invitees),
    Endpoint(
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}", "scheduled_events:read", invitee
    ),
    Endpoint("/invitee_no_shows/{uuid}", "scheduled_events:read", invitee_no_show),
    Endpoint("/routing_forms", "routing_forms:read", routing_forms),
    Endpoint("/routing_forms/{uuid}", "routing_forms:read", routing_form),
    Endpoint("/routing_form_submissions", "routing_forms:read", routing_form_submissions),
    Endpoint("/routing_form_submissions/{uuid}", "routing_forms:read", routing_form_submission),
)


def endpoint_of(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint that serves ``path`` and the identifiers in it, if there is one."""
    for endpoint in ENDPOINTS:
        ids = endpoint.ids(path)
        if ids is not None:
            return endpoint, ids
    return None


class Api:
    """Answers requests: one at a time, each from one moment of the organisation's life.

    Attributes:
        page_token_life: How long page tokens are good for; ``None`` for ever.
    """

    def __init__(self, calendly: Calendly, access: Access, rate_limit: RateLimit) -> None:
        """Answer from ``calendly``, to whom ``access`` and ``rate_limit`` allow."""
        self._calendly = calendly
        self._access = access
        self._rate_limit = rate_limit
        self._numbers = itertools.count(1)
        self.page_token_life: timedelta | None = None

    def answer(self, request: Request, fault: Fault | None = None) -> Response:
        """Return the answer to ``request``, refusals included.

        Args:
            request: What was asked.
            fault: What shall be wrong with the answer. A request beyond the rate limit is told so
                all the same.
        """
        with self._calendly.lock:
            caller = self._access.caller(request.headers.get("authorization"))
            allowance = self._rate_limit.count(caller.user if caller else "")
            response = self._response(request, caller, allowance, fault)
            response.headers["Date"] = format_datetime(self._calendly.clock.now(), usegmt=True)
        response.headers["X-Request-Id"] = str(UUID(int=next(self._numbers)))
        response.headers.update(allowance.headers())
        if fault is not None:
            response.headers.update(fault.headers)
        return response

    def _response(
        self, request: Request, caller: Caller | None, allowance: Allowance, fault: Fault | None
    ) -> Response:
        try:
            if allowance.exceeded:
                raise too_many_requests()
            if fault is not None and (faulty := fault.answer()) is not None:
                return faulty
            return JSONResponse(self._body(request, caller))
        except CalendlyError as error:
            return JSONResponse(error.body, error.status)

    def _body(self, request: Request, caller: Caller | None) -> Record:
        if caller is None:
            raise unauthenticated()
        routed = endpoint_of(request.scope["path"])
        if routed is None:
            raise not_found()
        endpoint, ids = routed
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        require_scope(caller, endpoint.scope)
        parameters = Parameters(dict(request.query_params))
        life = self.page_token_life
        return endpoint.answer(Query(self._calendly, caller, ids, parameters, request, life))


def _resource(record: Record) -> Record:
    return {"resource": record}


def _found(records: Mapping[str, Record], uri: str) -> Record:
    record = records.get(uri)
    if record is None:
        raise not_found()
    return record


def _ordered(rows: Iterable[Record], order: str | None) -> list[Record]:
    """Return ``rows`` sorted by an order such as ``start_time:desc``; as they are without one."""
    if order is None:
        return list(rows)
    field, _, way = order.partition(":")
    # The two parts let rows without a value (one-off event types have no name) come first.
    return sorted(rows, key=lambda row: (row[field] is not None, row[field]), reverse=way == "desc")


def _hosted(event: Record, users: set[str]) -> bool:
    return any(membership["user"] in users for membership in event["event_memberships"])


def _invited(invitees: Iterable[Record], email: str) -> bool:
    return any(one["email"] == email for one in invitees)
