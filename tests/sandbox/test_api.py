"""The sandbox behaves as Calendly's API does, at its cruellest where Calendly does not say."""

from __future__ import annotations

import base64
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox import organization
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import LIFE_EVENTS, Calendly
from sandbox.organization.clock import SystemClock
from sandbox.organization.identifiers import last_segment
from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import ask, path_of, whole
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.clock import SimulatedClock

EVENTS = "/scheduled_events"


@pytest.fixture
def everything(calendly: Calendly) -> dict[str, str]:
    """The query for all meetings of the organization."""
    return {"organization": calendly.organization["uri"]}


@pytest.fixture
def colleague(calendly: Calendly) -> str:
    return calendly.add_member(name="Kim", email="kim@windmill.example")


@pytest.fixture
def his_meeting(calendly: Calendly, colleague: str) -> str:
    offered = calendly.add_event_type(owner=colleague, name="Call", duration=15)
    event, _ = calendly.book(
        event_type=offered, start=NOW + timedelta(days=9), name="Cy", email="cy@guest.example"
    )
    return event


def starts(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["start_time"] for one in answer.json()["collection"]]


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


# Pages


def test_pages_cover_a_list_exactly(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    rows = whole(sandbox, EVENTS, {**everything, "count": "2"})

    assert rows == [*calendly.events.values()]
    assert sandbox.requests_by_path() == {EVENTS: 3}


def test_next_page_is_on_the_host_that_was_asked(
    sandbox: Sandbox, everything: dict[str, str]
) -> None:
    port = sandbox.url.rpartition(":")[2]
    by_name = f"http://localhost:{port}"
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    query = {**everything, "count": "2"}
    answer = requests.get(f"{by_name}{EVENTS}", query, headers=headers, timeout=10)

    assert answer.json()["pagination"]["next_page"].startswith(f"{by_name}{EVENTS}?")


def test_previous_page_leads_back(sandbox: Sandbox, everything: dict[str, str]) -> None:
    first = ask(sandbox, EVENTS, {**everything, "count": "2"})
    second = ask(sandbox, first.json()["pagination"]["next_page"])
    back = ask(sandbox, second.json()["pagination"]["previous_page"])

    assert first.json()["pagination"]["previous_page"] is None
    assert back.json()["collection"] == first.json()["collection"]


@pytest.mark.parametrize(
    "other",
    [
        {"count": "3"},
        {"status": "active"},
        {"sort": "start_time:asc"},
        {"min_start_time": "2026-03-01T00:00:00Z"},
    ],
)
def test_a_page_token_serves_no_other_query(
    sandbox: Sandbox, everything: dict[str, str], other: dict[str, str]
) -> None:
    query = {**everything, "count": "2", "min_start_time": "2026-03-01T00:00:00.000000Z"}
    query["page_token"] = ask(sandbox, EVENTS, query).json()["pagination"]["next_page_token"]

    same = ask(sandbox, EVENTS, dict(reversed(query.items())))
    refused = ask(sandbox, EVENTS, {**query, **other})

    assert same.status_code == 200
    assert refused.status_code == 400
    assert refused.json()["details"] == [{"parameter": "page_token", "message": "is invalid"}]


def test_a_page_token_serves_no_other_list(sandbox: Sandbox, calendly: Calendly) -> None:
    group = calendly.add_event_type(owner=calendly.owner, name="All", duration=30, kind="group")
    lists = []
    for day in (20, 21):
        start = NOW + timedelta(days=day)
        for name in ("Ann", "Ben"):
            event, _ = calendly.book(
                event_type=group, start=start, name=name, email=f"{name}@guest.example"
            )
        lists.append(f"{path_of(event)}/invitees")
    token = ask(sandbox, lists[0], {"count": "1"}).json()["pagination"]["next_page_token"]

    answers = [ask(sandbox, one, {"count": "1", "page_token": token}) for one in lists]

    assert [one.status_code for one in answers] == [200, 400]


def test_rows_shift_when_one_leaves_between_two_pages(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    query = {**everything, "count": "2", "status": "active", "sort": "start_time:asc"}
    in_order = starts(ask(sandbox, EVENTS, {**query, "count": "100"}))
    first = ask(sandbox, EVENTS, query)
    calendly.cancel(event=first.json()["collection"][0]["uri"])

    second = ask(sandbox, first.json()["pagination"]["next_page"])

    assert starts(second) == in_order[3:5]


# Filters and order


def test_events_come_in_the_order_they_were_booked_unless_sorted(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    first = next(iter(calendly.event_types))
    early = NOW + timedelta(hours=1)
    calendly.book(event_type=first, start=early, name="Di", email="di@guest.example")

    booked = starts(ask(sandbox, EVENTS, everything))
    rising = starts(ask(sandbox, EVENTS, {**everything, "sort": "start_time:asc"}))
    falling = starts(ask(sandbox, EVENTS, {**everything, "sort": "start_time:desc"}))

    assert booked[-1] == to_timestamp(early)
    assert rising == sorted(booked) != booked
    assert falling == rising[::-1]


def test_the_boundaries_of_start_time_are_outside(
    sandbox: Sandbox, everything: dict[str, str]
) -> None:
    of_all = starts(ask(sandbox, EVENTS, everything))
    query = {**everything, "min_start_time": of_all[1], "max_start_time": of_all[3]}
    a_little_more = {**query, "min_start_time": "2026-03-03T13:59:59.999999+02:00"}

    assert starts(ask(sandbox, EVENTS, query)) == of_all[2:3]
    assert starts(ask(sandbox, EVENTS, a_little_more)) == of_all[1:3]


def test_events_are_filtered_by_status_and_invitee(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    of_all = starts(ask(sandbox, EVENTS, everything))
    calendly.cancel(event=next(iter(calendly.events)))

    assert starts(ask(sandbox, EVENTS, {**everything, "status": "canceled"})) == of_all[:1]
    assert starts(ask(sandbox, EVENTS, {**everything, "status": "active"})) == of_all[1:]
    invitee = {**everything, "invitee_email": "bo3@guest.example"}
    assert starts(ask(sandbox, EVENTS, invitee)) == of_all[3:4]


def test_events_are_filtered_by_user_and_group(
    sandbox: Sandbox,
    calendly: Calendly,
    everything: dict[str, str],
    colleague: str,
    his_meeting: str,
) -> None:
    group = calendly.add_group(name="Sales", members=[colleague])

    by_user = ask(sandbox, EVENTS, {**everything, "user": colleague})
    by_group = ask(sandbox, EVENTS, {**everything, "group": group})
    by_owner = ask(sandbox, EVENTS, {"user": calendly.owner})

    assert [one["uri"] for one in by_user.json()["collection"]] == [his_meeting]
    assert [one["uri"] for one in by_group.json()["collection"]] == [his_meeting]
    assert len(starts(by_owner)) == 5


def test_event_types_leave_the_list_when_deleted_and_answer_by_id(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    doomed = calendly.add_event_type(owner=calendly.owner, name="Ad hoc", duration=5)
    names = [one["name"] for one in whole(sandbox, "/event_types", everything)]
    calendly.delete_event_type(uri=doomed)
    left = [one["name"] for one in whole(sandbox, "/event_types", everything)]

    assert (names, left) == (["Ad hoc", "Chat"], ["Chat"])
    assert ask(sandbox, doomed).json()["resource"]["deleted_at"] is not None


def test_event_types_are_sorted_by_their_last_change(
    sandbox: Sandbox, calendly: Calendly, clock: SimulatedClock, everything: dict[str, str]
) -> None:
    chat = next(iter(calendly.event_types))
    clock.advance(timedelta(minutes=1))
    calendly.add_event_type(owner=calendly.owner, name=None, duration=5)
    query = {**everything, "sort": "updated_at:desc"}
    before = [one["name"] for one in whole(sandbox, "/event_types", query)]
    clock.advance(timedelta(minutes=1))
    calendly.edit_event_type(uri=chat, name="Talk")

    assert before == [None, "Chat"]
    assert [one["name"] for one in whole(sandbox, "/event_types", query)] == ["Talk", None]


# Who may read what


def test_events_must_be_asked_for_by_somebody(sandbox: Sandbox) -> None:
    answer = ask(sandbox, EVENTS)

    assert refusal(answer) == (400, "The supplied parameters are invalid.")
    assert answer.json()["details"][0]["parameter"] == "organization"


def test_others_are_asked_for_with_their_organization(sandbox: Sandbox, colleague: str) -> None:
    status, message = refusal(ask(sandbox, EVENTS, {"user": colleague}))

    assert status == 403
    assert message.startswith("Please also specify organization")


def test_a_stranger_is_not_in_the_organization(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str], colleague: str
) -> None:
    calendly.remove_member(user=colleague)

    answer = ask(sandbox, EVENTS, {**everything, "user": colleague})

    assert refusal(answer) == (403, "This user is not in your organization")


def test_a_plain_user_reads_what_is_his(
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


def test_scopes_open_what_they_name(sandbox: Sandbox, calendly: Calendly) -> None:
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


def test_a_token_ends_with_its_revocation_or_its_user(
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
def test_routing_and_groups_take_a_plan(plan: str, status: int) -> None:
    with Sandbox(plan=plan) as sandbox:
        query = {"organization": sandbox.calendly.organization["uri"]}

        assert ask(sandbox, "/routing_forms", query).status_code == status
        assert ask(sandbox, "/groups", query).status_code == status
        assert ask(sandbox, "/event_types", query).status_code == 200


# The rate limit and the clock


def test_the_rate_limit_is_told_kept_and_lifted_after_a_minute(
    calendly: Calendly, clock: SimulatedClock
) -> None:
    def told(answer: requests.Response) -> tuple[int, str, str, str]:
        headers = answer.headers
        return (
            answer.status_code,
            headers["X-RateLimit-Limit"],
            headers["X-RateLimit-Remaining"],
            headers["X-RateLimit-Reset"],
        )

    with Sandbox(calendly, requests_per_minute=2) as sandbox:
        assert told(ask(sandbox, "/users/me")) == (200, "2", "1", "60")
        clock.advance(timedelta(seconds=20.5))
        assert told(ask(sandbox, "/nothing")) == (404, "2", "0", "40")
        clock.advance(timedelta(seconds=39))
        assert told(ask(sandbox, "/users/me")) == (429, "2", "0", "1")
        clock.advance(timedelta(seconds=0.5))
        assert told(ask(sandbox, "/users/me")) == (200, "2", "1", "60")


def test_the_rate_limit_is_the_users_over_all_his_tokens(
    calendly: Calendly, colleague: str
) -> None:
    with Sandbox(calendly, requests_per_minute=1) as sandbox:
        second = sandbox.access.issue(calendly.owner)
        other = sandbox.access.issue(colleague)

        statuses = [ask(sandbox, "/users/me", token=one).status_code for one in (second, other)]
        statuses.append(ask(sandbox, "/users/me").status_code)

    assert statuses == [200, 200, 429]


def test_the_date_is_the_sandboxs_own(sandbox: Sandbox, clock: SimulatedClock) -> None:
    clock.advance(timedelta(days=400))

    answer = ask(sandbox, "/nothing")

    assert parsedate_to_datetime(answer.headers["Date"]) == clock.now()
    assert "Server" not in answer.headers


def test_each_answer_has_an_id_of_its_own(sandbox: Sandbox) -> None:
    ids = {ask(sandbox, path).headers["X-Request-Id"] for path in ("/users/me", "/users/me", "/x")}

    assert len(ids) == 3


# What is recorded


def test_requests_are_recorded_without_the_token(sandbox: Sandbox, calendly: Calendly) -> None:
    event = next(iter(calendly.events))
    ask(sandbox, f"{event}/invitees", {"count": "5"})
    ask(sandbox, "/nothing")

    first, second = sandbox.requests
    assert (first.method, first.status, first.query) == ("GET", 200, "count=5")
    assert first.template == "/scheduled_events/{uuid}/invitees"
    assert first.path == f"{path_of(event)}/invitees"
    assert "authorization" not in first.headers
    assert "user-agent" in first.headers
    assert (second.template, second.status) == ("/nothing", 404)
    sandbox.forget_requests()
    assert sandbox.requests_by_path() == {}


def test_the_highest_concurrency_is_what_clients_made_of_it(calendly: Calendly) -> None:
    with Sandbox(calendly, latency=0.2) as sandbox, ThreadPoolExecutor(3) as pool:
        one_by_one = [ask(sandbox, "/users/me").status_code for _ in range(2)]
        alone = sandbox.highest_concurrency
        together = list(pool.map(lambda _: ask(sandbox, "/users/me").status_code, range(3)))

        assert (one_by_one, alone) == ([200, 200], 1)
        assert (together, sandbox.highest_concurrency) == ([200] * 3, 3)


def test_latency_holds_every_answer_back(calendly: Calendly) -> None:
    with Sandbox(calendly, latency=0.05) as sandbox:
        begun = time.monotonic()
        ask(sandbox, "/users/me")

        assert time.monotonic() - begun >= 0.05


def test_a_connection_is_kept_alive(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    request = f"GET /users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sandbox.token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(2):
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
                length = next(int(one[16:]) for one in answer if one.startswith(b"content-length"))
                while answer.readline() != b"\r\n":
                    pass
                assert "resource" in json.loads(answer.read(length))


# Faults


def test_a_fault_strikes_after_and_as_often_as_ordered(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/users/*", status=503, after=1, times=2))

    statuses = [ask(sandbox, "/users/me").status_code for _ in range(5)]

    assert statuses == [200, 503, 503, 200, 200]


def test_a_fault_may_last_for_ever_and_strikes_its_path_alone(
    sandbox: Sandbox, calendly: Calendly
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=500, times=None))
    event = next(iter(calendly.events))

    assert [ask(sandbox, f"{event}/invitees").status_code for _ in range(3)] == [500] * 3
    assert ask(sandbox, event).status_code == 200
    sandbox.faults.clear()
    assert ask(sandbox, f"{event}/invitees").status_code == 200


def test_a_fault_says_what_it_was_told_to(sandbox: Sandbox) -> None:
    sandbox.faults.add(
        Fault("/users/me", status=429, headers={"X-RateLimit-Reset": "7", "Retry-After": "8"})
    )
    sandbox.faults.add(Fault("/users/me", body="<html>"))
    sandbox.faults.add(Fault("/users/me", status=403, body={"title": "No", "message": "Never"}))

    limited, cut, refused = (ask(sandbox, "/users/me") for _ in range(3))

    assert limited.json()["title"] == "Too Many Requests"
    assert limited.headers["X-RateLimit-Reset"] == "7"
    assert limited.headers["Retry-After"] == "8"
    assert (cut.status_code, cut.text) == (200, "<html>")
    assert refusal(refused) == (403, "Never")


def test_a_reset_connection_is_one_to_the_client(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/users/me", reset=True))

    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        ask(sandbox, "/users/me")
    assert ask(sandbox, "/users/me").status_code == 200
    assert [one.status for one in sandbox.requests] == [None, 200]


@pytest.mark.parametrize("length", [0, 10])
def test_a_truncated_answer_is_one_to_the_client(sandbox: Sandbox, length: int) -> None:
    sandbox.faults.add(Fault("/users/me", truncate=length))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=f"{length} bytes read"):
        ask(sandbox, "/users/me")
    assert ask(sandbox, "/users/me").status_code == 200


def test_a_delayed_answer_is_a_timeout_to_the_client(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/users/me", delay=60))
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/users/me", headers=headers, timeout=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"status": 99}, {"status": 600}, {"delay": -1}, {"truncate": -1}, {"after": -1}, {"times": 0}],
)
def test_an_impossible_fault_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"a fault cannot have {next(iter(wrong))}"):
        Fault("/users/me", **wrong)


# The sandbox's own side


def test_life_can_be_played_over_http(sandbox: Sandbox, calendly: Calendly) -> None:
    def play(method: str, arguments: dict[str, object]) -> requests.Response:
        return requests.post(f"{sandbox.url}/sandbox/life/{method}", json=arguments, timeout=10)

    booked = play(
        "book",
        {
            "event_type": next(iter(calendly.event_types)),
            "start": "2026-04-01T10:00:00Z",
            "name": "Eve",
            "email": "eve@guest.example",
        },
    )
    event, invitee = booked.json()["result"]
    assert calendly.events[event]["start_time"] == "2026-04-01T10:00:00.000000Z"
    assert play("cancel", {"invitee": invitee, "by": "invitee"}).json() == {"result": None}
    assert calendly.events[event]["status"] == "canceled"
    again = play("cancel", {"event": event})
    assert again.status_code == 400
    assert event in again.json()["message"]
    assert play("cancel", {"nonsense": 1}).status_code == 400
    assert play("truth", {}).status_code == 404
    assert play("__init__", {}).status_code == 404


def test_every_event_of_life_can_be_played_over_http() -> None:
    rooms = (
        import_module(f"{organization.__name__}.{one.name}")
        for one in iter_modules(organization.__path__)
    )
    events = {
        name
        for room in rooms
        for name, function in vars(room).items()
        if hasattr(function, "__wrapped__")
    }

    assert events == LIFE_EVENTS


def test_the_truth_is_what_a_sync_would_find(
    sandbox: Sandbox, calendly: Calendly, everything: dict[str, str]
) -> None:
    truth = requests.get(f"{sandbox.url}/sandbox/truth", timeout=10).json()

    assert truth == calendly.truth()
    assert truth["scheduled_events"] == whole(sandbox, EVENTS, everything)


def test_a_simulated_clock_can_be_moved(sandbox: Sandbox, clock: SimulatedClock) -> None:
    address = f"{sandbox.url}/sandbox/clock"

    moved = requests.post(address, json={"advance_seconds": 90}, timeout=10)
    back = requests.post(address, json={"advance_seconds": -1}, timeout=10)

    assert (
        datetime.fromisoformat(moved.json()["result"]) == clock.now() == NOW + timedelta(seconds=90)
    )
    assert back.status_code == 400


def test_the_computers_clock_cannot_be_moved() -> None:
    with Sandbox(clock=SystemClock()) as sandbox:
        address = f"{sandbox.url}/sandbox/clock"
        answer = requests.post(address, json={"advance_seconds": 90}, timeout=10)

    assert answer.status_code == 400
    assert "only a simulated clock" in answer.json()["message"]


def test_requests_are_told_and_forgotten_over_http(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/sandbox/requests"
    ask(sandbox, "/users/me")

    told = requests.get(address, timeout=10).json()
    assert told == {"by_path": {"/users/me": 1}, "highest_concurrency": 1, "total": 1}
    assert requests.delete(address, timeout=10).status_code == 204
    assert requests.get(address, timeout=10).json()["total"] == 0


def test_faults_are_ordered_and_canceled_over_http(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/sandbox/faults"
    order = {"path": "/users/me", "status": 500, "times": None}

    assert requests.post(address, json=order, timeout=10).status_code == 204
    assert ask(sandbox, "/users/me").status_code == 500
    assert requests.delete(address, timeout=10).status_code == 204
    assert ask(sandbox, "/users/me").status_code == 200
    assert requests.post(address, json={"path": "/", "times": 0}, timeout=10).status_code == 400
    assert requests.post(address, json={"nonsense": 1}, timeout=10).status_code == 400
    assert requests.post(address, json=[], timeout=10).status_code == 400


# The server


@pytest.fixture
def neighbour() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as running:
        yield running


def test_several_serve_at_once(sandbox: Sandbox, neighbour: Sandbox) -> None:
    owners = {ask(one, "/users/me").json()["resource"]["uri"] for one in (sandbox, neighbour)}

    assert owners == {sandbox.calendly.owner, neighbour.calendly.owner}
    assert ask(sandbox, "/users/me", token=neighbour.token).status_code == 401


def test_nobody_answers_after_the_end_even_in_the_middle_of_a_request(calendly: Calendly) -> None:
    with ThreadPoolExecutor(1) as pool:
        with Sandbox(calendly, latency=60) as sandbox:
            waiting = pool.submit(ask, sandbox, "/users/me")
            while not sandbox.requests:
                pass
        with pytest.raises(requests.ConnectionError):
            waiting.result(timeout=10)
    with pytest.raises(requests.ConnectionError):
        ask(sandbox, "/users/me")


def test_a_port_that_is_taken_is_an_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"), Sandbox(port=port):
        pass
