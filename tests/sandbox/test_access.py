"""Who may read what: by role, scope and plan."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.identifiers import last_segment
from tests.sandbox.asking import ask, refusal, starts

if TYPE_CHECKING:
    from sandbox.organization.calendly import Calendly

EVENTS = "/scheduled_events"


def test_a_list_of_events_must_be_of_an_organization_user_or_group(sandbox: Sandbox) -> None:
    answer = ask(sandbox, EVENTS)

    assert refusal(answer) == (400, "The supplied parameters are invalid.")
    assert answer.json()["details"][0]["parameter"] == "organization"


def test_another_users_events_need_the_organization_too(sandbox: Sandbox, colleague: str) -> None:
    status, message = refusal(ask(sandbox, EVENTS, {"user": colleague}))

    assert status == 403
    assert message.startswith("Please also specify organization")


def test_a_stranger_is_not_in_the_organization(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str], colleague: str
) -> None:
    calendly.remove_member(user=colleague)

    answer = ask(sandbox, EVENTS, {**everything, "user": colleague})

    assert refusal(answer) == (403, "This user is not in your organization")


def test_a_plain_user_reads_what_is_theirs(
    sandbox: Sandbox,
    calendly: Calendly,
    everything: dict[str, str],
    colleague: str,
    his_meeting: str,
) -> None:
    token = sandbox.access.issue(colleague)
    another = next(iter(calendly.events))

    def status(path: str, params: dict[str, str] | None = None) -> int:
        return ask(sandbox, path, params, token).status_code

    assert status(EVENTS, {"user": colleague}) == 200
    assert status(EVENTS, {**everything, "user": colleague}) == 200
    assert status(f"{his_meeting}/invitees") == 200
    assert status("/organization_memberships", {"user": colleague}) == 200
    assert status("/event_types", {"user": colleague}) == 200
    assert status(EVENTS, everything) == 403
    assert status(EVENTS, {**everything, "user": calendly.owner}) == 403
    assert status("/organization_memberships", everything) == 403
    assert status("/event_types", everything) == 403
    assert status("/groups", everything) == 403
    assert status("/routing_forms", everything) == 403
    answer = ask(sandbox, f"{another}/invitees", token=token)
    assert refusal(answer) == (403, "You are not allowed to view this event")


def test_an_admin_reads_the_whole_organization(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    admin = calendly.add_member(name="Al", email="al@windmill.example", role="admin")
    token = sandbox.access.issue(admin)

    assert len(starts(ask(sandbox, EVENTS, everything, token))) == 5
    assert ask(sandbox, "/groups", everything, token).status_code == 200


def test_a_scope_gives_access_to_what_it_names(sandbox: Sandbox, calendly: Calendly) -> None:
    reader = sandbox.access.issue(calendly.owner, ["users:read"])
    writer = sandbox.access.issue(calendly.owner, ["users:write"])

    assert ask(sandbox, "/users/me", token=reader).status_code == 200
    assert ask(sandbox, "/users/me", token=writer).status_code == 200
    answer = ask(sandbox, EVENTS, {"user": calendly.owner}, reader)
    assert answer.status_code == 403
    assert answer.json()["title"] == "Insufficient scope"
    assert answer.json()["required_scopes"] == ["scheduled_events:read"]


def test_a_token_names_its_user_and_scopes(sandbox: Sandbox, calendly: Calendly) -> None:
    token = sandbox.access.issue(calendly.owner, ["users:read"])
    payload = token.split(".")[1]

    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    assert told["user_uuid"] == last_segment(calendly.owner)
    assert told["scope"] == "users:read"


def test_a_token_is_invalid_once_revoked_or_its_user_deleted(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    tokens = [sandbox.access.issue(calendly.owner), sandbox.access.issue(colleague)]
    before = [ask(sandbox, "/users/me", token=one).status_code for one in tokens]
    sandbox.access.revoke(tokens[0])
    calendly.delete_user(user=colleague)

    assert before == [200, 200]
    for token in tokens:
        answer = ask(sandbox, "/users/me", token=token)
        assert refusal(answer) == (401, "The access token is invalid")


@pytest.mark.parametrize(
    ("plan", "status"), [("standard", 403), ("teams", 200), ("enterprise", 200)]
)
def test_routing_forms_and_groups_require_a_plan(plan: str, status: int) -> None:
    with Sandbox(plan=plan) as sandbox:
        query = {"organization": sandbox.calendly.organization["uri"]}

        assert ask(sandbox, "/routing_forms", query).status_code == status
        assert ask(sandbox, "/groups", query).status_code == status
        assert ask(sandbox, "/event_types", query).status_code == 200
