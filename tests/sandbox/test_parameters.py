"""Every query parameter takes what Calendly's API describes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask
from tests.sandbox.paths import DAY, NOW, TEMPLATES, UNKNOWN, path, requirements

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly
    from tests.description import Description


def samples(calendly: Calendly) -> dict[str, str]:
    """A value for each parameter whose schema says no more than that it is a URI."""
    return {
        "organization": calendly.organization["uri"],
        "user": calendly.owner,
        "group": next(iter(calendly.groups)),
        "form": next(iter(calendly.routing_forms)),
        "owner": next(iter(calendly.memberships)),
        "contact": calendly.contacts_of(calendly.owner)[0]["uri"],
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
        "/notes": ["contact", "count"],
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
        "/contact_lists": ["type"],
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
def test_a_parameter_accepts_only_what_is_described(
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
