"""Every answer of the sandbox conforms to the description of Calendly's API."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import requests

from sandbox.http.api import ENDPOINTS
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from tests.sandbox.asking import ask, path_of
from tests.sandbox.paths import LISTS, TEMPLATES, UNKNOWN, path, requirements, rows

if TYPE_CHECKING:
    from tests.description import Description

UNPAGED = [
    one
    for one in LISTS
    if one.endswith(("_times", "_schedules", "_definitions", "_lists")) or one == "/locations"
]
GATED = {
    ("standard", "to Teams"): [
        one
        for one in TEMPLATES
        if one.startswith(("/group", "/routing_form", "/event_type_memberships"))
    ],
    ("teams", "to Enterprise"): ["/activity_log_entries", "/outgoing_communications"],
    ("basic", "not"): [one for one in TEMPLATES if one.startswith("/meeting_recaps")],
}
"""Templates by the highest plan without access to them, and by Calendly's message then."""


def test_every_path_is_described_with_its_scope(description: Description) -> None:
    for endpoint in ENDPOINTS:
        assert description.paths[endpoint.template]["security"] == [{"token": [endpoint.scope]}]


def test_every_path_that_is_described_is_served(description: Description) -> None:
    made_up = {"/sample_webhook_data"}  # no resource: what a webhook might post
    assert set(description.paths) - set(TEMPLATES) == made_up
    assert len(TEMPLATES) == len(set(TEMPLATES))


@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - set(LISTS)))
def test_every_single_record_is_as_described(
    company: Sandbox, description: Description, template: str
) -> None:
    records = rows(company.calendly)[template]

    assert records
    for record in records:
        answer = ask(company, record["uri"])
        assert answer.status_code == 200
        assert description.complaints(template, answer) == []


@pytest.mark.parametrize("template", LISTS)
def test_every_page_of_a_list_is_as_described(
    company: Sandbox, description: Description, template: str
) -> None:
    calendly = company.calendly
    addresses = [path(calendly, template)]
    if template == "/scheduled_events/{uuid}/invitees":
        addresses = [f"{path_of(event)}/invitees" for event in calendly.events]
    seen = 0
    for address in addresses:
        following: str | None = address
        params: dict[str, str] = {"count": "7", **requirements(calendly, template)}
        while following is not None:
            answer = ask(company, following, params)
            assert answer.status_code == 200
            assert description.complaints(template, answer) == []
            seen += len(answer.json()["collection"])
            following, params = answer.json().get("pagination", {}).get("next_page"), {}
    assert seen > 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_refusals_are_as_described(
    company: Sandbox, description: Description, template: str
) -> None:
    address = path(company.calendly, template)
    params = requirements(company.calendly, template)
    powerless = company.access.issue(company.calendly.owner, scopes=[])
    refusals = {
        401: ask(company, address, params, token="forged"),  # noqa: S106 -- opens nothing
        403: ask(company, address, params, token=powerless),
    }
    if "{" in template:
        refusals[404] = ask(company, path(company.calendly, template, UNKNOWN))
    if template in LISTS and template not in UNPAGED:
        refusals[400] = ask(company, address, {**params, "count": "0"})
    for status in (500, 503):
        company.faults.add(Fault(address, status=status))
        refusals[status] = ask(company, address, params)

    for status, answer in refusals.items():
        assert answer.status_code == status
        assert description.complaints(template, answer) == []
    assert refusals[403].json()["required_scopes"] == [
        description.paths[template]["security"][0]["token"][0]
    ]


@pytest.mark.parametrize("template", TEMPLATES)
def test_exceeding_the_rate_limit_is_answered_as_described(
    description: Description, company: Sandbox, template: str
) -> None:
    with Sandbox(company.calendly, requests_per_minute=1) as limited:
        ask(limited, "/users/me")
        answer = ask(limited, path(company.calendly, template))

    assert answer.status_code == 429
    assert description.complaints(template, answer) == []


@pytest.mark.parametrize(
    ("template", "plan", "words"),
    [(template, *needs) for needs, templates in GATED.items() for template in templates],
)
def test_a_plan_too_low_is_answered_as_described(
    description: Description, company: Sandbox, template: str, plan: str, words: str
) -> None:
    address = path(company.calendly, template)
    with Sandbox(plan=plan) as cheap:
        answer = ask(cheap, address, requirements(company.calendly, template))

    assert answer.status_code == 403
    assert words in answer.json()["message"]
    assert description.complaints(template, answer) == []


@pytest.mark.parametrize(
    "template",
    [
        one
        for one in TEMPLATES
        if not one.startswith(("/users", "/contact"))
        and one not in ("/organizations/{uuid}", "/meeting_recaps", "/notes")
    ],
)
def test_a_role_too_low_is_answered_as_described(
    description: Description, company: Sandbox, template: str
) -> None:
    calendly = company.calendly
    newcomer = calendly.add_member(name="Nell", email=f"{TEMPLATES.index(template)}@new.example")
    token = company.access.issue(newcomer)

    answer = ask(company, path(calendly, template), requirements(calendly, template), token=token)

    assert answer.status_code == 403
    assert description.complaints(template, answer) == []


def test_an_unreachable_calendar_is_answered_as_described(
    company: Sandbox, description: Description
) -> None:
    calendly, template = company.calendly, "/user_busy_times"
    calendly.lose_calendar(user=calendly.owner)
    answer = ask(company, template, requirements(calendly, template))
    calendly.find_calendar(user=calendly.owner)

    assert answer.status_code == 424
    assert description.complaints(template, answer) == []


def test_unknown_paths_and_methods_are_refused_as_described(
    company: Sandbox, description: Description
) -> None:
    headers = {"Authorization": f"Bearer {company.token}"}
    unknown = ask(company, "/nothing/here")
    deletion = requests.delete(f"{company.url}/users/me", headers=headers, timeout=10)

    assert (unknown.status_code, deletion.status_code) == (404, 405)
    assert description.complaints_as("NotFound", unknown) == []
    assert description.complaints_as("NotFound", deletion) == []


@pytest.mark.parametrize("where", [[], ["resource"], ["resource", "invitees_counter"]])
def test_an_undeclared_field_would_be_noticed(
    company: Sandbox, description: Description, where: list[str]
) -> None:
    template = "/scheduled_events/{uuid}"
    answer = ask(company, path(company.calendly, template))
    body = copy.deepcopy(answer.json())
    piece = body
    for key in where:
        piece = piece[key]
    piece["surprise"] = 1
    altered = SimpleNamespace(
        request=answer.request, status_code=200, headers=answer.headers, json=lambda: body
    )

    assert description.complaints(template, answer) == []
    complaints = description.complaints(template, cast("requests.Response", altered))
    assert any("surprise" in one for one in complaints)


@pytest.mark.parametrize(
    "header", ["Date", "X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Reset"]
)
def test_a_missing_header_would_be_noticed(
    company: Sandbox, description: Description, header: str
) -> None:
    answer = ask(company, "/users/me")
    del answer.headers[header]

    assert description.complaints("/users/me", answer) == [f"header {header} is missing"]
