"""Every request that the tap can make is valid by `tests/openapi.yaml`.

The sandbox was written with the tap in mind; the description was not. It says which paths there
are, and of each parameter whether it is required, its type, its values, and its bounds.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization import fixtures
from sandbox.organization.calendly import Calendly
from tap_calendly.reading.endpoint import Paged
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.streams import STREAMS
from tap_calendly.streams.activity import ActivityLogEntries
from tests.command import run_here
from tests.conftest import NOW
from tests.description import Description
from tests.executable.test_connection import EVERY_SCOPE
from tests.executable.test_oauth import Client
from tests.singer import Warehouse, config, sync

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from sandbox.http.recording import RecordedRequest
    from sandbox.organization.clock import SimulatedClock
    from tap_calendly.singer.stream import CalendlyStream

DESCRIPTION = Description()

DESCRIBED = {s.name: s for s in STREAMS if s.from_api and s.name not in fixtures.read()}
"""Every stream, except those that the sandbox alone has."""

WHOSE = {
    None: set[str](),
    "token_user": set[str](),
    "organization": {"organization"},
    "members": {"organization", "user"},
    "meetings": {"organization", "user", "group", "min_start_time", "max_start_time"},
    "webhooks": {"organization", "scope", "user", "group"},
}
"""The parameters that say whose rows are asked for, in one scope or another."""


@pytest.fixture
def office(clock: SimulatedClock) -> Iterator[Sandbox]:
    """An organization with two of everything."""
    calendly = Calendly(clock, seed=1, plan="enterprise")
    for number in ("1", "2"):
        _fill(calendly, number)
    with Sandbox(calendly, requests_per_minute=1_000_000) as running:
        yield running


@pytest.fixture
def _one_row_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", 1)
    endpoint = replace(ActivityLogEntries.endpoint, page_size=1)
    monkeypatch.setattr(ActivityLogEntries, "endpoint", endpoint)


def _fill(calendly: Calendly, number: str) -> None:
    owner = calendly.owner
    member = calendly.add_member(name=f"Kim {number}", email=f"kim{number}@windmill.example")
    calendly.invite(email=f"bo{number}@windmill.example")
    calendly.add_team(name=f"Team {number}", members=[owner, member])
    group = calendly.add_group(name=f"Group {number}", members=[owner, member])
    for hook in ("a", "b"):
        url = f"https://windmill.example/{hook}{number}"
        calendly.subscribe(callback_url=url, events=["invitee.created"])
    calendly.subscribe(callback_url=url, events=["invitee.created"], scope="user", of=member)
    calendly.subscribe(callback_url=url, events=["invitee.created"], scope="group", of=group)
    contact = calendly.add_contact(user=owner, email=f"jo{number}@guest.example")
    for _ in range(2):
        calendly.add_note(contact=contact, body="Likes tea.")
    course = calendly.add_event_type(
        owner=owner, name=f"Course {number}", duration=30, kind="group", hosts=[owner, member]
    )
    event = ""
    for guest, days in (("al", 1), ("cy", 2), ("di", 2)):
        event, invitee = calendly.book(
            event_type=course,
            start=calendly.clock.now() + timedelta(days),
            name=guest,
            email=f"{guest}{number}@guest.example",
        )
        calendly.send_message(invitee=invitee, body="See you")
    calendly.finish_recap(recap=calendly.start_recap(event=event), transcript="Well, well.")
    form = calendly.add_routing_form(name=f"Form {number}", questions=[])
    for _ in range(2):
        result = {"type": "event_type", "value": course}
        calendly.submit_form(form=form, answers={}, result=result)


def complaints(requests: list[RecordedRequest]) -> set[str]:
    """Return what is wrong with the requests to the API."""
    return {
        f"{one.template}: {complaint}"
        for one in requests
        if not one.path.startswith("/oauth")
        for complaint in (
            *DESCRIPTION.request_complaints(one.method, one.path, one.query),
            *(["refused as invalid"] if one.status == 400 else []),
        )
    }


def test_a_first_run_makes_valid_requests(office: Sandbox) -> None:
    with suppress(CalendlyError):  # by the sandbox, which is not the judge here
        sync(office, select=DESCRIBED)

    assert complaints(office.requests) == set()


def asked_by(stream: type[CalendlyStream]) -> set[str]:
    """Return the parameters that a stream can send, as far as it declares them."""
    endpoint, parent = stream.endpoint, stream.parent
    asked = {*endpoint.parameters(NOW), *stream.replication.parameters(NOW)}
    asked |= {name for part in endpoint.parts for name in part}
    if isinstance(endpoint, Paged):
        asked |= {"count", "page_token"}
    if parent is not None and parent.parameter is not None:
        asked.add(parent.parameter)
    return asked | WHOSE[endpoint.whose]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("_one_row_a_page", "waits")
def test_all_requests_are_valid_whatever_the_tap_is_told_to_do(
    office: Sandbox, clock: SimulatedClock, tmp_path: Path
) -> None:
    def run(warehouse: Warehouse, select: Collection[str], killed_after: int | None = None) -> None:
        with suppress(CalendlyError):
            warehouse.run(select=select, killed_after=killed_after)
        made.extend(office.requests)

    made: list[RecordedRequest] = []
    calendly = office.calendly
    colleague = next(uri for uri in calendly.users if uri != calendly.owner)
    hidden = office.access.issue(calendly.owner, EVERY_SCOPE - {"users:read"})
    powerless = office.access.issue(colleague)
    oauth = Client(office, office.oauth.register(), tmp_path / "store")
    ways: list[dict[str, Any]] = [
        {},
        {"start_date": "2026-01-01", "organization": calendly.organization["uri"]},
        {"scope": "user"},
        {"scope": "user", "user": colleague},
        {"scope": "group", "group": next(iter(calendly.groups))},
        {"personal_access_token": hidden},
        {"personal_access_token": powerless},
        oauth.settings,
    ]
    for settings in ways:
        warehouse = Warehouse(office, settings)
        run(warehouse, {"scheduled_events"}, killed_after=5)  # resumed by the next
        for days in (0, 1, 40):  # everything, what changed, and a full scan
            clock.advance(timedelta(days=days))
            run(warehouse, DESCRIBED)
        run_here(tmp_path, "--test", config=config(office, **settings))
        made.extend(office.requests)
    for child in (stream for stream in DESCRIBED.values() if stream.parent is not None):
        path = child.endpoint.path.replace("{uuid}", "*")
        office.faults.add(Fault(path, status=404, times=None))  # has the parent's row vanished?
    run(Warehouse(office), DESCRIBED)

    assert complaints(made) == set()

    sent: dict[str, set[str]] = {}
    for request in made:
        sent.setdefault(request.template, set()).update(parse_qs(request.query))
    for stream in DESCRIBED.values():
        path = stream.endpoint.path.replace("{organization}", "{uuid}")
        assert sent[path] == asked_by(stream), stream.name
    rows = (
        "scheduled_events",
        "event_types",
        "users",
        "routing_forms",
        "meeting_recaps",
        "contacts",
    )
    assert [row for row in rows if f"/{row}/{{uuid}}" not in sent] == []


@pytest.mark.parametrize(
    ("path", "query", "complaint"),
    [
        ("/scheduled_events", "count=101", "count: 101 is greater than the maximum of 100"),
        ("/scheduled_events", "count=0", "count: 0 is less than the minimum of 1"),
        ("/scheduled_events", "count=ten", "count: 'ten' is not of type 'integer'"),
        ("/scheduled_events", "count=1&count=2", "count: ['1', '2'] is not of type 'integer'"),
        ("/scheduled_events", "sort=start:asc", "sort: 'start:asc' is not one of"),
        ("/scheduled_events", "event_type=x", "event_type is not described"),
        ("/scheduled_events", "user=AAAA", "user: 'AAAA' is not a 'uri'"),
        (
            "/scheduled_events",
            "min_start_time=2026-03-04T09:30:00Z",
            "min_start_time: '2026-03-04T09:30:00Z' is not a 'date-time'",
        ),
        ("/event_types", "active=yes", "active: 'yes' is not of type 'boolean'"),
        ("/groups", "count=1", "organization is missing"),
        ("/webhook_subscriptions", "organization=https://a.example/b", "scope is missing"),
        ("/users", "", "GET /users is not described"),
        ("/event_types//memberships", "", "GET /event_types//memberships is not described"),
    ],
)
def test_an_invalid_request_is_noticed(path: str, query: str, complaint: str) -> None:
    (found,) = DESCRIPTION.request_complaints("GET", path, query)

    assert found.startswith(complaint)


def test_a_request_that_writes_is_noticed() -> None:
    assert DESCRIPTION.request_complaints("POST", "/event_types", "") == [
        "POST /event_types is not described"
    ]
