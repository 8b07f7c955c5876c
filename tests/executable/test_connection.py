"""How the tap connects to Calendly, and what a user reads when it cannot."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from typing_extensions import override

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from tap_calendly.api import throttle
from tap_calendly.cli import main
from tap_calendly.reporting.errors import CalendlyError
from tests.command import complaints, run_here, run_tap, start_tap
from tests.conftest import PassingClock
from tests.singer import STREAMS, config, sync, truth

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.organization.clock import SimulatedClock

EVERY_SCOPE = {
    "activity_log:read",
    "availability:read",
    "contacts:read",
    "event_types:read",
    "groups:read",
    "locations:read",
    "meeting_recaps:read",
    "organizations:read",
    "outgoing_communications:read",
    "routing_forms:read",
    "scheduled_events:read",
    "users:read",
    "webhooks:read",
}


def test_the_organization_is_found_from_the_token(sandbox: Sandbox) -> None:
    sync(sandbox)

    assert sandbox.requests_by_path()["/users/me"] == 1


def test_a_token_that_cannot_read_its_user_is_identified_by_its_membership(
    sandbox: Sandbox,
) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, EVERY_SCOPE - {"users:read"})

    expected = truth(sandbox)
    expected["current_user"] = {}
    assert sync(sandbox, personal_access_token=token).tables() == expected


@pytest.mark.usefixtures("waits")
def test_a_token_that_can_read_neither_gets_one_line(sandbox: Sandbox) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, {"scheduled_events:read"})

    with pytest.raises(CalendlyError, match=r"^current_user: .*users:read.*organization"):
        sync(sandbox, personal_access_token=token, select={"scheduled_events"})


def test_a_token_that_can_read_neither_is_asked_for_its_user_only_once(sandbox: Sandbox) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, {"contacts:read", "meeting_recaps:read"})
    own = {"organization": sandbox.calendly.organization["uri"]}

    sync(sandbox, personal_access_token=token, select={"contacts", "meeting_recaps"}, **own)

    paths = sandbox.requests_by_path()
    assert (paths["/users/me"], paths["/organization_memberships"]) == (1, 1)


@pytest.mark.parametrize(
    "profile",
    [
        {"uri": 7, "current_organization": "https://api.calendly.com/organizations/A"},
        {"uri": "", "current_organization": "https://api.calendly.com/organizations/A"},
        {"uri": "https://api.calendly.com/users/A"},
    ],
)
def test_an_unreadable_profile_ends_the_run_in_one_line(
    sandbox: Sandbox, profile: dict[str, Any], waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/users/me", body={"resource": profile}, times=None))

    with pytest.raises(CalendlyError, match=r"^current_user: .*is not what Calendly's API sends"):
        sync(sandbox, select={"scheduled_events"})

    assert set(sandbox.requests_by_path()) == {"/users/me"}
    assert waits


@pytest.mark.parametrize("bare", [False, True])
def test_a_configured_organization_is_not_looked_up(sandbox: Sandbox, *, bare: bool) -> None:
    uri = sandbox.calendly.organization["uri"]

    run = sync(sandbox, organization=uri.rsplit("/", 1)[-1] if bare else uri, select=set(STREAMS))

    assert "/users/me" not in sandbox.requests_by_path()
    assert run.tables() == {stream: truth(sandbox)[stream] for stream in STREAMS}


def test_requests_send_the_configured_user_agent(sandbox: Sandbox) -> None:
    sync(sandbox, user_agent="data-team/1.0", select={"event_types"})

    assert {request.headers["user-agent"] for request in sandbox.requests} == {"data-team/1.0"}


def test_requests_send_the_taps_user_agent_by_default(sandbox: Sandbox) -> None:
    sync(sandbox, select={"event_types"})

    assert {request.headers["user-agent"] for request in sandbox.requests} == {"tap-calendly/0.1.0"}


def test_a_request_that_times_out_is_retried(sandbox: Sandbox, waits: list[float]) -> None:
    sandbox.faults.add(Fault("/event_types", delay=1.5))

    tables = sync(sandbox, request_timeout=1, select={"event_types"}).tables()

    assert len(waits) == 1
    assert tables["event_types"] == truth(sandbox)["event_types"]


def test_an_exhausted_limit_is_waited_out_for_as_long_as_calendly_says(
    sandbox: Sandbox, waits: list[float]
) -> None:
    sandbox.faults.add(
        Fault(
            "/event_types",
            status=429,
            headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "37"},
        )
    )

    tables = sync(sandbox, select={"event_types"}).tables()

    (wait,) = waits
    assert 37 <= wait <= 38
    assert tables["event_types"] == truth(sandbox)["event_types"]


def test_a_run_that_reaches_the_limit_waits_and_loses_no_row(
    sandbox: Sandbox, waits: list[float]
) -> None:
    with Sandbox(sandbox.calendly, requests_per_minute=20) as limited:
        assert sync(limited).tables() == truth(limited)

    assert waits
    assert {request.status for request in limited.requests} == {200}


@pytest.mark.parametrize(("header", "shortest"), [("21", 21), (None, 2)])
def test_a_server_error_is_retried(
    sandbox: Sandbox, waits: list[float], header: str | None, shortest: int
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    sandbox.faults.add(Fault("/routing_forms", status=503, headers=headers))

    assert sync(sandbox).tables() == truth(sandbox)
    (wait,) = waits
    assert shortest <= wait <= shortest + 1


def test_a_broken_connection_is_retried(sandbox: Sandbox, waits: list[float]) -> None:
    sandbox.faults.add(Fault("/scheduled_events", reset=True))
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", truncate=20))
    sandbox.faults.add(Fault("/routing_forms", status=200, body="<html>a proxy's greeting</html>"))

    assert sync(sandbox).tables() == truth(sandbox)
    assert len(waits) == 3


@pytest.mark.parametrize("timeout", [1, 20, 300])
def test_a_request_is_retried_for_as_long_as_the_setting_says(
    sandbox: Sandbox, waits: list[float], timeout: int
) -> None:
    sandbox.faults.add(Fault("/event_types", status=502, body="<html>", times=None))

    with pytest.raises(CalendlyError, match=r"^event_types: Calendly answered 502 to GET /event_t"):
        sync(sandbox, select={"event_types"}, retry_timeout=timeout)
    assert sum(waits) == pytest.approx(timeout, abs=0.1)


def test_the_token_is_not_sent_to_another_host(sandbox: Sandbox) -> None:
    page = '{"collection": [], "pagination": {"next_page": "http://evil.example/event_types"}}'
    sandbox.faults.add(Fault("/event_types", status=200, body=page))

    with pytest.raises(CalendlyError, match=r"^event_types: .* is on evil\.example"):
        sync(sandbox, select={"event_types"})


@pytest.mark.parametrize("location", ["/groups", "http://[", "/\xff", "//"])
def test_a_redirect_is_not_followed(sandbox: Sandbox, location: str) -> None:
    """The target is not even parsed, as it may be invalid."""
    sandbox.faults.add(Fault("/event_types", status=302, headers={"Location": location}))

    with pytest.raises(CalendlyError, match=r"^event_types: .* 302 .* correct `api_url`"):
        sync(sandbox, select={"event_types"})
    assert "/groups" not in sandbox.requests_by_path()


def test_a_revoked_token_ends_the_run_in_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    token = sandbox.token
    sandbox.access.revoke(token)

    result = run_tap(tmp_path, config=config(sandbox, personal_access_token=token))

    assert result.returncode == 1
    (line,) = complaints(result)
    assert "Calendly answered 401 to GET /users/me" in line
    assert "`personal_access_token`" in line
    assert token not in result.stderr


@pytest.mark.usefixtures("waits")
def test_a_user_without_the_role_gets_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    member = next(
        row["user"]["uri"] for row in sandbox.calendly.memberships.values() if row["role"] == "user"
    )

    result = run_here(
        tmp_path, config=config(sandbox, personal_access_token=sandbox.access.issue(member))
    )

    assert result.returncode == 1
    (line,) = [line for line in complaints(result) if "`scope: user`" in line]
    assert "has the role `user`, but only owners and admins can read a whole organization" in line


def test_text_from_calendly_neither_breaks_the_line_nor_controls_the_terminal(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    message = "\x1b[2J\x1b]0;title\x07one\r\n\u2028\x85\u202etwo\x00"
    sandbox.faults.add(Fault("/users/me", status=418, body={"message": message}, times=None))

    result = run_tap(tmp_path, config=config(sandbox))

    (line,) = complaints(result)
    assert "([2J ]0;title one two)" in line
    assert line.isprintable()


def test_missing_scopes_are_named(sandbox: Sandbox, tmp_path: Path) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, EVERY_SCOPE - {"event_types:read"})

    result = run_tap(tmp_path, config=config(sandbox, personal_access_token=token))

    assert result.returncode == 0
    (line,) = complaints(result)
    assert "Skipped: event_types: Calendly answered 403" in line
    assert "with the scopes event_types:read" in line


def test_an_unreachable_address_ends_the_run_in_one_line(
    sandbox: Sandbox, waits: list[float]
) -> None:
    with pytest.raises(CalendlyError, match=r"^current_user: no answer from 127\.0\.0\.1:9 "):
        sync(sandbox, api_url="http://127.0.0.1:9")
    assert waits


def test_giving_up_takes_one_line(
    sandbox: Sandbox,
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.faults.add(Fault("/event_types", status=500, times=None))
    (tmp_path / "config.json").write_text(json.dumps(config(sandbox)))
    monkeypatch.setattr(sys, "argv", ["tap-calendly", "--config", str(tmp_path / "config.json")])
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    lines = [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
    *retries, warning, line = lines
    assert line.startswith("event_types: Calendly answered 500 to GET /event_types")
    assert "[request " in line
    assert warning == f"{line} The other streams go on."
    assert all("trying again in" in line for line in retries)
    assert len(retries) == len(waits)


def test_a_closed_pipe_ends_the_run_in_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    process = start_tap(tmp_path, config(sandbox))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    log = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 1
    (line,) = (line for line in log.splitlines() if "| INFO " not in line)
    assert line.endswith("The target closed the pipe: its own log says why.")
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "body",
    [
        {"collection": {}, "pagination": {"next_page": None}},
        {"collection": ["x"], "pagination": {"next_page": None}},
        {"collection": [{"name": "no uri"}], "pagination": {"next_page": None}},
        {"collection": [], "pagination": None},
        {"collection": [], "pagination": {"next_page": 5}},
        {"rows": []},
        [],
        "not json",
    ],
)
def test_a_response_of_the_wrong_shape_is_retried(
    sandbox: Sandbox, waits: list[float], body: object
) -> None:
    sandbox.faults.add(Fault("/event_types", status=200, body=body))

    assert sync(sandbox).tables() == truth(sandbox)
    assert len(waits) == 1


PAUSES = {
    "a request timeout": (408, {}, 2),
    "a limit that resets now": (429, {"X-RateLimit-Reset": "0"}, 1),
    "a limit with an absurd reset": (429, {"X-RateLimit-Reset": "9" * 400}, 2),
    "a limit that resets in a day": (429, {"X-RateLimit-Reset": "86400"}, 300),
    "a date long past": (503, {"Retry-After": "Wed, 04 Mar 2020 09:30:40 GMT"}, 1),
    "not a date": (503, {"Retry-After": "soon"}, 2),
    "an error unrelated to the limit": (500, {"X-RateLimit-Reset": "50"}, 2),
}


@pytest.mark.parametrize(("status", "headers", "pause"), PAUSES.values(), ids=PAUSES)
def test_the_pause_is_what_the_headers_ask_for_within_reason(
    request: pytest.FixtureRequest, status: int, headers: dict[str, str], pause: int
) -> None:
    waits: list[float] = request.getfixturevalue("waits")
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    sandbox.faults.add(Fault("/event_types", status=status, headers=headers))

    sync(sandbox, select={"event_types"})

    (wait,) = waits
    assert pause <= wait <= pause + 1


def test_the_host_is_recognized_however_it_is_written(sandbox: Sandbox) -> None:
    address = sandbox.url.replace("127.0.0.1", "LOCALHOST") + "/"
    calendly = sandbox.calendly
    for number in range(120):
        calendly.add_member(name=f"M {number}", email=f"m-{number}@example.com")

    tables = sync(sandbox, api_url=address, select={"organization_memberships"}).tables()

    assert tables["organization_memberships"] == truth(sandbox)["organization_memberships"]


def test_the_log_of_a_run_is_short_and_says_what_was_read(sandbox: Sandbox, tmp_path: Path) -> None:
    result = run_tap(tmp_path, config=config(sandbox))

    assert result.returncode == 0
    assert complaints(result) == []
    lines = result.stderr.splitlines()
    assert len(lines) < 45
    assert any("| event_types: " in line and "1 request" in line for line in lines)
    assert sandbox.token not in result.stderr


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(sandbox: Sandbox, authority: trustme.CA, tmp_path: Path) -> Iterator[Sandbox]:
    """The sandbox over HTTPS, with a certificate from an unknown authority."""
    file = tmp_path / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(file))
    with Sandbox(sandbox.calendly, certificate=file, requests_per_minute=100_000) as secure:
        yield secure


def test_an_untrusted_certificate_ends_the_run_at_once(secure: Sandbox, waits: list[float]) -> None:
    with pytest.raises(
        CalendlyError, match=r"\(the certificate is not trusted\): .*REQUESTS_CA_BUNDLE"
    ):
        sync(secure)
    assert not waits
    assert not secure.requests


@pytest.mark.parametrize("oauth", [False, True])
def test_a_missing_ca_bundle_ends_the_run_in_one_line(
    secure: Sandbox, tmp_path: Path, *, oauth: bool
) -> None:
    settings: dict[str, object] = {"oauth_store": str(tmp_path), "auth_url": secure.url}
    if oauth:
        parts = {"client_id": "app", "refresh_token": "refresh"}
        settings |= {"personal_access_token": None, "oauth_credentials": parts}

    result = run_tap(
        tmp_path,
        config=config(secure, **settings),
        environment={"REQUESTS_CA_BUNDLE": str(tmp_path / "nowhere.pem")},
    )

    assert result.returncode == 1
    (line,) = complaints(result)
    assert "`REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` points to" in line
    assert "nowhere.pem, which does not exist" in line


def test_a_custom_authority_is_trusted_and_timeouts_apply_over_tls_too(
    secure: Sandbox,
    authority: trustme.CA,
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    secure.faults.add(Fault("/event_types", truncate=5, stall=True))
    secure.faults.add(Fault("/groups", drip=0.2))

    assert sync(secure, request_timeout=1).tables() == truth(secure)
    assert len(waits) == 2


def test_a_refused_connection_is_retried(
    sandbox: Sandbox, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host comes back while the tap waits."""
    with Sandbox(sandbox.calendly) as before:
        port = int(before.url.rsplit(":", 1)[-1])
    with ExitStack() as stack:
        late = Sandbox(sandbox.calendly, port=port, requests_per_minute=100_000)

        class Waiting(PassingClock):
            @override
            def wait(self, condition: threading.Condition, seconds: float) -> None:
                if not late.url:
                    stack.enter_context(late)
                super().wait(condition, seconds)

        monkeypatch.setattr(throttle, "SystemClock", lambda: Waiting(clock, []))
        run = sync(late, api_url=before.url)

    assert run.tables() == truth(late)
