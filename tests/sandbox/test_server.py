"""The server: rate limit, clock, recording, faults, and the sandbox's own endpoints."""

from __future__ import annotations

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
from tests.sandbox.asking import ask, path_of, refusal, whole
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.clock import SimulatedClock

EVENTS = "/scheduled_events"


# The rate limit and the clock


def test_the_rate_limit_is_in_the_headers_enforced_and_reset_after_a_minute(
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


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("countdown", ["200: 1, 60 s", "200: 0, 50 s", "429: 0, 20 s", "200: 1, 60 s"]),
        ("fixed", ["200: 1, 60 s", "200: 0, 60 s", "429: 0, 60 s", "200: 1, 60 s"]),
        ("rolling", ["200: 1, 60 s", "200: 0, 60 s", "429: 0, 60 s", "200: 0, 60 s"]),
        ("refill", ["200: 1, 60 s", "200: 0, 60 s", "200: 0, 60 s", "200: 0, 60 s"]),
    ],
)
def test_requests_are_counted_as_the_model_says(
    calendly: Calendly, clock: SimulatedClock, model: str, told: list[str]
) -> None:
    """Two requests a minute: at once, after 10, after 40, and after 61 seconds."""
    answers = []
    with Sandbox(calendly, requests_per_minute=2, limit_model=model) as sandbox:
        for seconds in (0, 10, 30, 21):
            clock.advance(timedelta(seconds=seconds))
            answers.append(ask(sandbox, "/users/me"))

    status = "{0.status_code}: {0.headers[X-RateLimit-Remaining]}, {0.headers[X-RateLimit-Reset]} s"
    assert [status.format(answer) for answer in answers] == told


def test_the_rate_limit_is_per_user_not_per_token(calendly: Calendly, colleague: str) -> None:
    with Sandbox(calendly, requests_per_minute=1) as sandbox:
        second = sandbox.access.issue(calendly.owner)
        other = sandbox.access.issue(colleague)

        statuses = [ask(sandbox, "/users/me", token=one).status_code for one in (second, other)]
        statuses.append(ask(sandbox, "/users/me").status_code)

    assert statuses == [200, 200, 429]


def test_the_date_is_the_sandbox_clocks(sandbox: Sandbox, clock: SimulatedClock) -> None:
    clock.advance(timedelta(days=400))

    answer = ask(sandbox, "/nothing")

    assert parsedate_to_datetime(answer.headers["Date"]) == clock.now()
    assert "Server" not in answer.headers


def test_each_answer_has_its_own_request_id(sandbox: Sandbox) -> None:
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


def test_the_highest_concurrency_is_counted(calendly: Calendly) -> None:
    with Sandbox(calendly, latency=0.2) as sandbox, ThreadPoolExecutor(3) as pool:
        one_by_one = [ask(sandbox, "/users/me").status_code for _ in range(2)]
        alone = sandbox.highest_concurrency
        together = list(pool.map(lambda _: ask(sandbox, "/users/me").status_code, range(3)))

        assert (one_by_one, alone) == ([200, 200], 1)
        assert (together, sandbox.highest_concurrency) == ([200] * 3, 3)


def test_latency_delays_every_answer(calendly: Calendly) -> None:
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


def test_a_fault_hits_after_and_as_often_as_requested(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/users/*", status=503, after=1, times=2))

    statuses = [ask(sandbox, "/users/me").status_code for _ in range(5)]

    assert statuses == [200, 503, 503, 200, 200]


def test_a_fault_can_last_for_ever_and_hits_only_its_path(
    sandbox: Sandbox, calendly: Calendly
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=500, times=None))
    event = next(iter(calendly.events))

    assert [ask(sandbox, f"{event}/invitees").status_code for _ in range(3)] == [500] * 3
    assert ask(sandbox, event).status_code == 200
    sandbox.faults.clear()
    assert ask(sandbox, f"{event}/invitees").status_code == 200


def test_a_fault_answers_with_the_given_body_and_headers(sandbox: Sandbox) -> None:
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


def test_the_client_sees_a_reset_connection(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/users/me", reset=True))

    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        ask(sandbox, "/users/me")
    assert ask(sandbox, "/users/me").status_code == 200
    assert [one.status for one in sandbox.requests] == [None, 200]


@pytest.mark.parametrize("length", [0, 10])
def test_the_client_sees_a_truncated_answer(sandbox: Sandbox, length: int) -> None:
    sandbox.faults.add(Fault("/users/me", truncate=length))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=f"{length} bytes read"):
        ask(sandbox, "/users/me")
    assert ask(sandbox, "/users/me").status_code == 200


def test_the_client_times_out_on_a_delayed_answer(sandbox: Sandbox) -> None:
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


def test_life_events_can_be_called_over_http(sandbox: Sandbox, calendly: Calendly) -> None:
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


def test_every_life_event_can_be_called_over_http() -> None:
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


def test_the_truth_is_what_a_complete_sync_finds(
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


def test_requests_are_reported_and_forgotten_over_http(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/sandbox/requests"
    ask(sandbox, "/users/me")

    told = requests.get(address, timeout=10).json()
    assert told == {"by_path": {"/users/me": 1}, "highest_concurrency": 1, "total": 1}
    assert requests.delete(address, timeout=10).status_code == 204
    assert requests.get(address, timeout=10).json()["total"] == 0


def test_faults_are_added_and_removed_over_http(sandbox: Sandbox) -> None:
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


def test_several_sandboxes_can_serve_at_once(sandbox: Sandbox, neighbour: Sandbox) -> None:
    owners = {ask(one, "/users/me").json()["resource"]["uri"] for one in (sandbox, neighbour)}

    assert owners == {sandbox.calendly.owner, neighbour.calendly.owner}
    assert ask(sandbox, "/users/me", token=neighbour.token).status_code == 401


def test_stopping_breaks_off_requests_in_flight(calendly: Calendly) -> None:
    with ThreadPoolExecutor(1) as pool:
        with Sandbox(calendly, latency=60) as sandbox:
            waiting = pool.submit(ask, sandbox, "/users/me")
            while not sandbox.requests:
                pass
        with pytest.raises(requests.ConnectionError):
            waiting.result(timeout=10)
    with pytest.raises(requests.ConnectionError):
        ask(sandbox, "/users/me")


def test_a_taken_port_is_an_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"), Sandbox(port=port):
        pass
