"""What a plan, a role and a scope give access to: every list, for every kind of token."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.api import ENDPOINTS, endpoint_of
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from sandbox.organization.identifiers import last_segment
from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = ("basic", "essentials", "standard", "professional", "teams", "enterprise")
PAID = ALL[1:]
TEAMS = ALL[4:]
ENTERPRISE = ALL[5:]

EVERYBODY = ("user", "admin", "owner")
ADMINS = ("admin", "owner")

OPEN_TO = {
    "/users/me": (ALL, EVERYBODY),
    "/organization_memberships": (ALL, ADMINS),
    "/organizations/{uuid}/invitations": (ALL, ADMINS),
    "/teams": (ALL, ADMINS),
    "/groups": (TEAMS, ADMINS),
    "/group_relationships": (TEAMS, ADMINS),
    "/event_types": (ALL, ADMINS),
    "/event_type_memberships": (TEAMS, ADMINS),
    "/event_type_availability_schedules": (ALL, ADMINS),
    "/event_type_available_times": (ALL, ADMINS),
    "/user_availability_schedules": (ALL, ADMINS),
    "/user_busy_times": (ALL, ADMINS),
    "/locations": (ALL, ADMINS),
    "/scheduled_events": (ALL, ADMINS),
    "/routing_forms": (TEAMS, ADMINS),
    "/activity_log_entries": (ENTERPRISE, ADMINS),
    "/outgoing_communications": (ENTERPRISE, ADMINS),
    "/contacts": (ALL, EVERYBODY),
    "/contacts/custom_field_definitions": (ALL, EVERYBODY),
    "/contact_lists": (ALL, EVERYBODY),
    "/meeting_recaps": (PAID, EVERYBODY),
    "/webhook_subscriptions": (ALL, ADMINS),
}
"""The plans and the roles that a list is open to when it is asked for the whole organization, or
for what is the owner's."""

SCOPES = sorted({endpoint.scope for endpoint in ENDPOINTS})


def queries(calendly: Calendly) -> dict[str, dict[str, str]]:
    """The parameters with which each list is asked for."""
    organization = {"organization": calendly.organization["uri"]}
    event_type = {"event_type": next(iter(calendly.event_types))}
    user = {"user": calendly.owner}
    window = {
        "start_time": to_timestamp(NOW + timedelta(days=1)),
        "end_time": to_timestamp(NOW + timedelta(days=2)),
    }
    particular = {
        "/teams": {},
        "/contacts": {},
        "/contacts/custom_field_definitions": {},
        "/meeting_recaps": {},
        "/event_type_memberships": event_type,
        "/event_type_availability_schedules": event_type,
        "/event_type_available_times": event_type | window,
        "/user_availability_schedules": user,
        "/user_busy_times": user | window,
        "/locations": user,
        "/webhook_subscriptions": {"scope": "organization", **organization},
    }
    return {template: particular.get(template, organization) for template in OPEN_TO}


def statuses(sandbox: Sandbox, token: str) -> dict[str, int]:
    """How each list answers the token."""
    identifier = last_segment(sandbox.calendly.organization["uri"])
    return {
        template: ask(sandbox, template.replace("{uuid}", identifier), query, token).status_code
        for template, query in queries(sandbox.calendly).items()
    }


@pytest.fixture(scope="module", params=ALL)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """An organization of each plan, with a member of each role."""
    calendly = Calendly(SimulatedClock(NOW), plan=request.param)
    calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)
    for role in ("user", "admin"):
        calendly.add_member(name=role, email=f"{role}@windmill.example", role=role)
    with Sandbox(calendly, requests_per_minute=100_000) as running:
        yield running


@pytest.mark.parametrize("role", EVERYBODY)
def test_only_the_right_plans_and_roles_can_read_a_list(sandbox: Sandbox, role: str) -> None:
    calendly = sandbox.calendly
    (user,) = (one["user"]["uri"] for one in calendly.memberships.values() if one["role"] == role)
    plan = calendly.organization["plan"]

    assert statuses(sandbox, sandbox.access.issue(user)) == {
        template: 200 if plan in plans and role in roles else 403
        for template, (plans, roles) in OPEN_TO.items()
    }


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_gives_access_to_its_lists_only(sandbox: Sandbox, scope: str) -> None:
    plan = sandbox.calendly.organization["plan"]
    needed = {endpoint.template: endpoint.scope for endpoint in ENDPOINTS}

    assert statuses(sandbox, sandbox.access.issue(sandbox.calendly.owner, [scope])) == {
        template: 200 if plan in plans and needed[template] == scope else 403
        for template, (plans, _) in OPEN_TO.items()
    }


def test_without_plan_and_scope_the_refusal_names_the_scope(sandbox: Sandbox) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, ["users:read"])

    for template, query in queries(sandbox.calendly).items():
        routed = endpoint_of(template)
        assert routed is not None
        if template != "/users/me":
            answer = ask(sandbox, template, query, token)
            assert answer.json()["required_scopes"] == [routed[0].scope]
