"""Whatever the sandbox answers is as Calendly's API is described."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests

from sandbox.demo.company import simulate
from sandbox.http.api import ENDPOINTS
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.identifiers import API
from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.calendly import Calendly
    from tests.sandbox.description import Description

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
TEMPLATES = [endpoint.template for endpoint in ENDPOINTS]
LISTS = [one for one in TEMPLATES if not one.endswith(("}", "/me", "/transcript"))]
UNPAGED = [
    one
    for one in LISTS
    if one.endswith(("_times", "_schedules", "_definitions")) or one == "/locations"
]
GATED = {
    ("standard", "to Teams"): [
        one
        for one in TEMPLATES
        if one.startswith(("/group", "/routing_form", "/event_type_memberships"))
    ],
    ("teams", "to Enterprise"): ["/activity_log_entries", "/outgoing_communications"],
    ("basic", "not"): [
        one for one in TEMPLATES if one.startswith(("/contacts", "/meeting_recaps"))
    ],
}
"""Templates by the highest plan that does not open them, and by what Calendly says then."""

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def company() -> Iterator[Sandbox]:
    """A company of 150 meetings and no limit worth mentioning."""
    with Sandbox(
        simulate(1, 150, NOW, plan="enterprise"), requests_per_minute=1_000_000
    ) as running:
        yield running


def rows(calendly: Calendly) -> dict[str, list[dict[str, Any]]]:
    """Every record there is, by the template of the path that answers with it alone."""
    one_list = [row for each in calendly.invitees.values() for row in each]
    owner = calendly.owner
    recaps = [row for uri, row in calendly.recaps.items() if calendly.recap_owners[uri] == owner]
    submissions = [row for each in calendly.submissions.values() for row in each]
    return {
        "/users/me": [{"uri": f"{API}/users/me"}],
        "/users/{uuid}": [one["user"] for one in calendly.memberships.values()],
        "/organizations/{uuid}": [calendly.organization],
        "/organization_memberships/{uuid}": [*calendly.memberships.values()],
        "/organizations/{org_uuid}/invitations/{uuid}": [*calendly.invitations.values()],
        "/teams/{team_uuid}": [*calendly.teams.values()],
        "/groups/{uuid}": [*calendly.groups.values()],
        "/group_relationships/{uuid}": [*calendly.group_relationships.values()],
        "/contacts/{uuid}": calendly.contacts_of(owner),
        "/contacts/custom_field_definitions/{uuid}": calendly.contact_fields_of(owner),
        "/meeting_recaps/{uuid}": recaps,
        "/meeting_recaps/{uuid}/transcript": [
            calendly.transcripts[one["uri"]] for one in recaps if one["status"] == "available"
        ],
        "/webhook_subscriptions/{webhook_uuid}": [*calendly.webhooks.values()],
        "/user_availability_schedules/{uuid}": [
            *calendly.more_truth()["user_availability_schedules"]
        ],
        "/event_types/{uuid}": [*calendly.event_types.values()],
        "/scheduled_events/{uuid}": [*calendly.events.values()],
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}": one_list,
        "/invitee_no_shows/{uuid}": [*calendly.no_shows.values()],
        "/routing_forms/{uuid}": [*calendly.routing_forms.values()],
        "/routing_form_submissions/{uuid}": submissions,
    }


def requirements(calendly: Calendly, template: str) -> dict[str, str]:
    """The parameters without which a list is refused."""
    if template == "/routing_form_submissions":
        return {"form": next(iter(calendly.routing_forms))}
    required: dict[str, str] = {}
    everything = {"organization": calendly.organization["uri"]}
    if template.startswith("/event_type_"):
        required["event_type"] = next(iter(calendly.event_types))
    elif template in ("/user_availability_schedules", "/user_busy_times", "/locations"):
        required["user"] = calendly.owner
    elif template == "/webhook_subscriptions":
        required = {"scope": "organization", "user": calendly.owner}
        required |= {"group": next(iter(calendly.groups)), **everything}
    elif template in LISTS and not re.search("{|/teams|/contacts|/meeting_recaps", template):
        required = everything
    if template.endswith("_times"):
        required |= {"start_time": to_timestamp(NOW + DAY), "end_time": to_timestamp(NOW + 3 * DAY)}
    return required


def path(calendly: Calendly, template: str, uuid: str | None = None) -> str:
    """A path of the template: of something there is, or else with the identifier given."""
    records = rows(calendly).get(template)
    if uuid is not None:
        return re.sub(r"{\w+}", uuid, template)
    if records is not None:
        return path_of(records[0]["uri"])
    event, organization = next(iter(calendly.events)), calendly.organization["uri"]
    return template.replace("/scheduled_events/{uuid}", path_of(event)).replace(
        "/organizations/{uuid}", path_of(organization)
    )


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
def test_going_beyond_the_rate_limit_is_answered_as_described(
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
        if not one.startswith(("/users", "/contacts"))
        and one not in ("/organizations/{uuid}", "/meeting_recaps")
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


def test_a_calendar_out_of_reach_is_answered_as_described(
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


def samples(calendly: Calendly) -> dict[str, str]:
    """A value for each parameter whose schema says no more than that it is a URI."""
    return {
        "organization": calendly.organization["uri"],
        "user": calendly.owner,
        "group": next(iter(calendly.groups)),
        "form": next(iter(calendly.routing_forms)),
        "owner": next(iter(calendly.memberships)),
        "event_type": next(iter(calendly.event_types)),
        "event": next(iter(calendly.events)),
        "actor": calendly.owner,
        "exclude": "custom_fields",
        "user_availability_schedule": next(iter(calendly.schedules)),
    }


def right_and_wrong(schema: dict[str, Any], sample: str) -> tuple[list[str], list[str]]:
    """Values that a parameter of this schema takes, and values that it does not."""
    if schema["type"] == "array":
        return right_and_wrong(schema["items"], sample)
    if "enum" in schema:
        return schema["enum"], ["nonsense", ""]
    if schema["type"] == "string" and "format" not in schema:
        return [sample or "Ada"], []
    if schema["type"] == "integer":
        low, high = schema["minimum"], schema["maximum"]
        return [str(low), str(high)], [str(low - 1), str(high + 1), "many", "1.5", "", "-1"]
    if schema["type"] == "boolean":
        return ["true", "false"], ["maybe", ""]
    return {
        "date-time": (
            ["2026-03-02T00:00:00.000000Z", "2026-03-02T00:00:00Z", "2026-03-02T01:00:00.5+01:00"],
            ["yesterday", "2026-03-02", "2026-03-02T00:00:00", "2026-13-02T00:00:00Z", ""],
        ),
        "email": (["a@b.example"], ["nobody", ""]),
        "uri": ([sample], ["nonsense", UNKNOWN, "https://example.com/users/1", ""]),
    }[schema["format"]]


PARAMETERS = [
    (template, name)
    for template, names in {
        "/organization_memberships": ["organization", "user", "email", "role", "count"],
        "/organizations/{uuid}/invitations": ["sort", "email", "status", "count"],
        "/teams": ["user", "count"],
        "/groups": ["organization", "count"],
        "/group_relationships": ["organization", "owner", "group", "count"],
        "/event_types": [
            "organization",
            "user",
            "active",
            "admin_managed",
            "user_availability_schedule",
            "sort",
            "count",
        ],
        "/activity_log_entries": [
            "organization",
            "search_term",
            "actor",
            "sort",
            "min_occurred_at",
            "max_occurred_at",
            "namespace",
            "action",
            "count",
        ],
        "/outgoing_communications": ["organization", "min_created_at", "max_created_at", "count"],
        "/webhook_subscriptions": ["organization", "scope", "user", "group", "sort", "count"],
        "/contacts": [
            "sort",
            "email",
            "phone_number",
            "timezone",
            "name",
            "job_title",
            "company",
            "country",
            "state",
            "city",
            "exclude",
            "count",
        ],
        "/meeting_recaps": ["event", "start_time", "end_time", "status", "attendee", "count"],
        "/event_type_memberships": ["event_type", "count"],
        "/scheduled_events": [
            "user",
            "organization",
            "group",
            "invitee_email",
            "status",
            "sort",
            "min_start_time",
            "max_start_time",
            "count",
        ],
        "/scheduled_events/{uuid}/invitees": ["status", "sort", "email", "count"],
        "/routing_forms": ["organization", "sort", "count"],
        "/routing_form_submissions": ["form", "sort", "count"],
    }.items()
    for name in [*names, "page_token"]
] + [
    (template, name)
    for template, names in {
        "/contacts/{uuid}": ["exclude"],
        "/event_type_availability_schedules": ["event_type"],
        "/event_type_available_times": ["event_type", "start_time", "end_time"],
        "/user_availability_schedules": ["user"],
        "/user_busy_times": ["user", "start_time", "end_time"],
        "/locations": ["user"],
    }.items()
    for name in names
]


def test_every_described_parameter_is_tried_below(description: Description) -> None:
    described = {
        (template, one["name"])
        for template in TEMPLATES
        for one in description.parameters(template)
    }

    assert described == set(PARAMETERS)


@pytest.mark.parametrize(("template", "name"), PARAMETERS)
def test_a_parameter_takes_what_is_described_and_nothing_else(
    company: Sandbox, description: Description, template: str, name: str
) -> None:
    calendly = company.calendly
    address, params = path(calendly, template), requirements(calendly, template)
    (parameter,) = (one for one in description.parameters(template) if one["name"] == name)
    if name == "page_token":
        token = ask(company, address, {**params, "count": "1"}).json()["pagination"]
        right, wrong = [token["next_page_token"]] if token["next_page_token"] else [], ["nonsense"]
        params = {**params, "count": "1"}
    else:
        right, wrong = right_and_wrong(parameter["schema"], samples(calendly).get(name, ""))
    if name in ("start_time", "end_time") and parameter.get("required"):
        outside = NOW - DAY if name == "start_time" else NOW + 40 * DAY
        right, wrong = [params[name]], [*wrong, to_timestamp(outside)]

    for value in right:
        answer = ask(company, address, {**params, name: value})
        assert answer.status_code == 200, value
        assert description.complaints(template, answer) == []
    for value in wrong:
        answer = ask(company, address, {**params, name: value})
        assert answer.status_code == 400, value
        assert description.complaints(template, answer) == []
        assert [one["parameter"] for one in answer.json()["details"]] == [name]
    if parameter.get("required"):
        params.pop(name)
        answer = ask(company, address, params)
        assert answer.status_code == 400
        assert [one["parameter"] for one in answer.json()["details"]] == [name]


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
    altered = SimpleNamespace(status_code=200, headers=answer.headers, json=lambda: body)

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
