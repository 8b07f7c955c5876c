"""The truth is what a complete sync with the owner's token would find, stream by stream."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.demo.company import simulate
from sandbox.http.server import Sandbox
from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask, path_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A company of 150 meetings and no limit worth mentioning."""
    company = simulate(1, 150, NOW, plan="enterprise")
    with Sandbox(company, requests_per_minute=1_000_000) as running:
        yield running


def by_parent(
    sandbox: Sandbox, path: str, name: str, parents: list[str], **params: str
) -> list[tuple[str, Any]]:
    """The rows of a list that must be asked for by a parent, each with its parent."""
    return [
        (parent, row)
        for parent in parents
        for row in ask(sandbox, path, {name: parent, "count": "100", **params}).json()["collection"]
    ]


def single(sandbox: Sandbox, uri: str) -> Any:  # noqa: ANN401 -- a record
    return ask(sandbox, uri).json()["resource"]


def test_the_truth_of_the_other_streams_is_what_the_api_answers(sandbox: Sandbox) -> None:
    calendly = sandbox.calendly
    organization = calendly.organization["uri"]
    everything = {"organization": organization, "count": "100"}
    members = [
        one["user"]["uri"] for one in whole(sandbox, "/organization_memberships", everything)
    ]
    types = [
        one["uri"] for one in whole(sandbox, "/event_types", {**everything, "sort": "position:asc"})
    ]
    groups = whole(sandbox, "/groups", everything)
    recaps = [single(sandbox, one["uri"]) for one in whole(sandbox, "/meeting_recaps")]
    unfinished = [
        row
        for status in ("processing", "unavailable")
        for row in whole(sandbox, "/meeting_recaps", {"status": status})
    ]
    contacts = whole(sandbox, "/contacts")
    hooks = [
        *whole(sandbox, "/webhook_subscriptions", {**everything, "scope": "organization"}),
        *(
            row
            for scope, of in (("user", members), ("group", [one["uri"] for one in groups]))
            for _, row in by_parent(
                sandbox, "/webhook_subscriptions", scope, of, organization=organization, scope=scope
            )
        ),
    ]
    locations = by_parent(sandbox, "/locations", "user", members)
    schedules = by_parent(sandbox, "/user_availability_schedules", "user", members)
    hosts = by_parent(sandbox, "/event_type_memberships", "event_type", types)
    hours = by_parent(sandbox, "/event_type_availability_schedules", "event_type", types)
    log = {**everything, "count": "1000", "sort": "occurred_at:asc"}

    assert calendly.more_truth() == {
        "current_user": [single(sandbox, "/users/me")],
        "organizations": [single(sandbox, organization)],
        "organization_invitations": whole(sandbox, f"{path_of(organization)}/invitations"),
        "teams": whole(sandbox, "/teams"),
        "groups": groups,
        "group_relationships": whole(sandbox, "/group_relationships", everything),
        "event_type_memberships": [row for _, row in hosts],
        "event_type_availability_schedules": [row for _, row in hours],
        "user_availability_schedules": [row for _, row in schedules],
        "activity_log_entries": whole(sandbox, "/activity_log_entries", log),
        "outgoing_communications": whole(sandbox, "/outgoing_communications", everything),
        "contacts": contacts,
        "contact_custom_field_definitions": ask(
            sandbox, "/contacts/custom_field_definitions"
        ).json()["collection"],
        "contact_lists": ask(sandbox, "/contact_lists").json()["collection"],
        "notes": sorted(
            (
                row
                for contact in contacts
                for row in whole(sandbox, "/notes", {"contact": contact["uri"]})
            ),
            key=lambda one: str(one["updated_at"]),
            reverse=True,
        ),
        "meeting_recaps": [*recaps, *unfinished],
        "meeting_recap_transcripts": [single(sandbox, one["transcript"]) for one in recaps],
        "webhook_subscriptions": sorted(hooks, key=lambda one: str(one["created_at"])),
        "user_locations": [{"user": user, **row} for user, row in locations],
    }


def test_available_and_busy_times_are_what_the_api_answers(sandbox: Sandbox) -> None:
    calendly = sandbox.calendly
    window = {"start_time": to_timestamp(NOW + DAY), "end_time": to_timestamp(NOW + 7 * DAY)}
    types = [uri for uri, one in calendly.event_types.items() if one["deleted_at"] is None]
    members = [one["user"]["uri"] for one in calendly.memberships.values()]
    openings = by_parent(sandbox, "/event_type_available_times", "event_type", types, **window)
    busy = by_parent(sandbox, "/user_busy_times", "user", members, **window)

    assert openings
    assert openings == [
        (uri, row) for uri in types for row in calendly.openings(uri, NOW + DAY, NOW + 7 * DAY)
    ]
    assert {row["type"] for _, row in busy} == {"calendly", "external"}
    assert busy == [
        (uri, row) for uri in members for row in calendly.busy(uri, NOW + DAY, NOW + 7 * DAY)
    ]
