"""Streams that plan, role, or token never gave access to are skipped and named, except meetings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.demo import company
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization import fixtures
from sandbox.organization.calendly import Calendly
from tap_calendly.reporting.errors import CalendlyError, StreamsError
from tap_calendly.streams import STREAMS
from tap_calendly.timestamps import parse
from tests.cases import cases
from tests.command import run_here, run_tap
from tests.conftest import NOW
from tests.singer import FROM_API, Run, Warehouse, config, sync, truth

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.organization.clock import SimulatedClock

ALL = ("basic", "standard", "teams", "enterprise")
PAID, TEAMS, ENTERPRISE = ALL[1:], ALL[2:], ALL[3:]
ADMINS, EVERYONE = ("admin", "owner"), ("user", "admin", "owner")

PLANS = {"any": ALL, "Standard": PAID, "Teams": TEAMS, "Enterprise": ENTERPRISE}

OF_THE_USER = {
    "contact_custom_field_definitions",
    "contact_lists",
    "contacts",
    "current_user",
    "meeting_recaps",
}
FIXTURES = fixtures.read().keys()
"""Streams whose rows the sandbox reads from files, and returns to everyone."""

LISTED_ON_EVERY_PLAN = {"teams", *FIXTURES}
"""Streams that only some plans can fill, but that every plan may request."""

ACCESS = {
    stream.name: (
        stream.requires.scope,
        ALL if stream.name in LISTED_ON_EVERY_PLAN else PLANS[stream.requires.plan],
        EVERYONE if stream.name in {"organizations", *OF_THE_USER, *FIXTURES} else ADMINS,
    )
    for stream in STREAMS
    if stream.selected_by_default
}
"""The scope, plans, and roles that give access to a stream of the whole organization.

The sandbox decides independently of these."""

CORE = {
    "event_types:read",
    "organizations:read",
    "routing_forms:read",
    "scheduled_events:read",
    "users:read",
}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged at INFO and above."""
    caplog.set_level(logging.INFO, "tap-calendly")
    return caplog


def _user(calendly: Calendly, role: str) -> str:
    """Return the URI of a user with a role."""
    uris = (row["user"]["uri"] for row in calendly.memberships.values() if row["role"] == role)
    return str(next(uris))


def _refuse_invitees(sandbox: Sandbox, meeting: dict[str, Any], status: int = 403) -> None:
    path = f"/scheduled_events/{meeting['uri'].rsplit('/', 1)[-1]}/invitees"
    sandbox.faults.add(Fault(path, status=status, times=None))


@pytest.mark.parametrize(
    "scopes",
    [
        pytest.param(None, id="all scopes"),
        pytest.param(CORE, id="core scopes", marks=pytest.mark.exhaustive),
    ],
)
@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize("plan", ALL)
def test_available_streams_are_loaded_and_each_unavailable_one_is_named_in_a_line(  # noqa: PLR0913 - parameters and fixtures
    clock: SimulatedClock,
    log: pytest.LogCaptureFixture,
    waits: list[float],
    *,
    plan: str,
    role: str,
    scopes: set[str] | None,
) -> None:
    calendly = Calendly(clock, seed=1, plan=plan)
    company.populate(calendly, seed=1, size=30, until=NOW)
    user = _user(calendly, role)
    available = {
        stream
        for stream, (scope, plans, roles) in ACCESS.items()
        if plan in plans and role in roles and (scopes is None or scope in scopes)
    }
    with Sandbox(calendly, requests_per_minute=100_000) as sandbox:
        run, errors = Run(), []
        try:
            sync(sandbox, personal_access_token=sandbox.access.issue(user, scopes), into=run)
        except StreamsError as error:
            errors = error.lines
        tables = run.tables()

        of_somebody_else = set() if role == "owner" else OF_THE_USER
        expected = truth(sandbox)
    for stream in available - of_somebody_else:
        assert tables[stream] == expected[stream], stream
    skipped = {line.split(":")[0] for line in log.messages if "skipped, as the token" in line}
    assert skipped == ACCESS.keys() - available - {"scheduled_events"}
    assert [line.split(":")[0] for line in errors] == ["scheduled_events"] * (role == "user")
    assert bool(waits) == (role == "user")  # what is skipped is not asked again
    reasons = [line.split(":")[1].strip() for line in log.messages if line.startswith("Skipped: ")]
    assert len(reasons) == len(set(reasons))
    assert set(reasons) <= skipped
    assert any("`scope: user`" in line for line in log.messages) == (role == "user")


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("named", [False, True])
def test_a_token_without_any_scope_ends_the_run_in_one_line(
    sandbox: Sandbox, *, named: bool
) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, set())
    settings = {"organization": sandbox.calendly.organization["uri"]} if named else {}
    message = (
        "Nothing was read: the token gives access to none of"
        if named
        else "add one of these scopes"
    )

    with pytest.raises(CalendlyError, match=message):
        sync(sandbox, personal_access_token=token, **settings)


def test_the_missing_scope_is_named(sandbox: Sandbox, log: pytest.LogCaptureFixture) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, CORE)

    sync(sandbox, personal_access_token=token, select={"groups", "event_types"})

    (line,) = [line for line in log.messages if line.startswith("Skipped: ")]
    assert line.startswith("Skipped: groups: Calendly answered 403")
    assert "groups:read" in line


@pytest.mark.usefixtures("waits")
def test_on_unavailable_fail_ends_with_an_error_once_the_other_streams_are_done(
    sandbox: Sandbox,
) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, CORE)
    select = {"groups", "scheduled_events", "teams"}

    with pytest.raises(CalendlyError, match=r"^The token gives no access to groups; the other"):
        sync(sandbox, personal_access_token=token, select=select, on_unavailable="fail")

    assert {"/scheduled_events", "/teams"} <= sandbox.requests_by_path().keys()


@pytest.mark.usefixtures("waits")
def test_a_run_that_could_read_nothing_fails(sandbox: Sandbox) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, CORE)

    with pytest.raises(
        CalendlyError, match=r"^Nothing was read: the token gives access to none of groups"
    ):
        sync(sandbox, personal_access_token=token, select={"groups"})


def test_an_invalid_token_ends_the_run_at_once(sandbox: Sandbox) -> None:
    sandbox.access.revoke(sandbox.token)

    with pytest.raises(CalendlyError, match="Calendly answered 401"):
        sync(sandbox)

    assert len(sandbox.requests) == 1


def test_invitees_that_were_refused_are_complete_once_available(
    sandbox: Sandbox, waits: list[float]
) -> None:
    warehouse = Warehouse(sandbox)
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=403, times=None))
    with pytest.raises(StreamsError, match=r"^event_invitees: Calendly answered 403"):
        warehouse.run(select={"scheduled_events", "event_invitees"})
    assert warehouse.tables["event_invitees"] == {}
    assert len(waits) <= 8  # not one for each meeting
    sandbox.faults.clear()

    warehouse.run(select={"scheduled_events", "event_invitees"})

    assert warehouse.equals_calendly()


@pytest.mark.parametrize("number", [0, 5])
@pytest.mark.parametrize("workers", [1, 8])
def test_a_403_for_one_row_of_many_is_a_failure_not_a_skip(
    sandbox: Sandbox, waits: list[float], workers: int, number: int
) -> None:
    """Otherwise rows would be missing from a table that looks complete."""
    meetings = sorted(sandbox.calendly.events.values(), key=lambda row: row["start_time"])
    _refuse_invitees(sandbox, meetings[number])

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 403"):
        sync(
            sandbox,
            select={"scheduled_events", "event_invitees"},
            max_concurrent_requests=workers,
        )
    assert len(waits) == 1


@pytest.mark.parametrize("workers", [1, 8])
def test_403s_for_all_rows_but_one_are_a_failure_not_a_skip(
    sandbox: Sandbox, waits: list[float], workers: int
) -> None:
    """The last one is available."""
    meetings = sorted(sandbox.calendly.events.values(), key=lambda row: row["start_time"])
    for meeting in meetings[:-1]:
        _refuse_invitees(sandbox, meeting)

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 403"):
        sync(
            sandbox,
            select={"scheduled_events", "event_invitees"},
            max_concurrent_requests=workers,
        )
    assert waits


def test_403s_for_the_rest_of_an_earlier_run_are_a_failure_not_a_skip(
    sandbox: Sandbox, waits: list[float], small_pages: int
) -> None:
    """Later in the run, there are meetings whose invitees are available."""
    select = {"scheduled_events", "event_invitees"}
    assert small_pages
    warehouse = Warehouse(sandbox, {"lookback_days": 30})
    meetings = sorted(sandbox.calendly.events.values(), key=lambda event: event["start_time"])

    def fail_invitees(since: str, status: int) -> None:
        for meeting in meetings:
            if parse(meeting["start_time"]) >= parse(since):
                _refuse_invitees(sandbox, meeting, status)

    fail_invitees(meetings[-3]["start_time"], 500)
    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 500"):
        warehouse.run(select=select)
    assert waits
    ((remaining, _),) = warehouse.state["bookmarks"]["event_invitees"]["sweep"]["remaining"]
    sandbox.faults.clear()
    fail_invitees(remaining, 403)

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 403"):
        warehouse.run(select=select)

    sandbox.faults.clear()
    warehouse.run(select=select)
    assert warehouse.equals_calendly()


def test_test_mode_reports_for_each_stream_whether_it_is_available(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    token = sandbox.access.issue(sandbox.calendly.owner, CORE)

    result = run_tap(tmp_path, "--test", config=config(sandbox, personal_access_token=token))

    assert result.returncode == 0
    lines = {line.split(":")[0]: line for line in result.stdout.splitlines()}
    assert lines.keys() == set(FROM_API) >= ACCESS.keys()
    assert lines["scheduled_events"] == "scheduled_events: open"
    assert lines["groups"].startswith("groups: closed: groups: Calendly answered 403")
    assert "groups:read" in lines["groups"]
    assert max(sandbox.requests_by_path().values()) == 1
    assert all("count=1&" in each.query + "&" for each in sandbox.requests if "count" in each.query)


@pytest.mark.parametrize("scope", ["organization", "user"])
@pytest.mark.parametrize("plan", ["basic", "teams"])
def test_test_mode_fails_if_plan_and_role_close_the_meetings_but_no_other_stream(
    clock: SimulatedClock, tmp_path: Path, waits: list[float], plan: str, scope: str
) -> None:
    calendly = Calendly(clock, seed=1, plan=plan)
    company.populate(calendly, seed=1, size=30, until=NOW)
    with Sandbox(calendly, requests_per_minute=100_000) as sandbox:
        token = sandbox.access.issue(_user(calendly, "user"))
        settings = config(sandbox, personal_access_token=token, scope=scope)
        result = run_here(tmp_path, "--test", config=settings)

    closed = [line for line in result.stdout.splitlines() if ": closed: " in line]
    meetings = [line.split(": ", 2)[2] for line in closed if line.startswith("scheduled_events: ")]
    assert len(closed) > len(meetings) == (scope == "organization")
    assert result.returncode == len(meetings)
    ends = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert [line[-len(end) :] for line, end in zip(ends, meetings, strict=True)] == meetings
    assert ": failed: " not in result.stdout
    assert not waits  # somebody is waiting


COULD_NOT_BE_CHECKED = {
    "no answer": (Fault("/groups", reset=True, times=None), "no answer from"),
    "500": (Fault("/groups", status=500, times=None), "Calendly answered 500 to GET /groups"),
    "400": (Fault("/groups", status=400), "Calendly answered 400 to GET /groups"),
    "404": (Fault("/groups", status=404), "Calendly answered 404 to GET /groups"),
    "a 403 that is not Calendly's": (
        Fault("/groups", status=403, body="error code: 1010", times=None),
        "the answer 403 to GET /groups is not Calendly's (error code: 1010)",
    ),
}


@pytest.mark.parametrize("on_unavailable", cases(["skip", "fail"], quick=["skip"]))
@pytest.mark.parametrize("case", COULD_NOT_BE_CHECKED)
def test_test_mode_fails_if_a_stream_could_not_be_checked(
    sandbox: Sandbox, tmp_path: Path, waits: list[float], case: str, on_unavailable: str
) -> None:
    fault, message = COULD_NOT_BE_CHECKED[case]
    sandbox.faults.add(fault)

    result = run_here(tmp_path, "--test", config=config(sandbox, on_unavailable=on_unavailable))

    assert result.returncode == 1
    (group,) = [line for line in result.stdout.splitlines() if line.startswith("groups: ")]
    assert group.startswith(f"groups: failed: groups: {message}")
    (line,) = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert f"groups: {message}" in line
    assert bool(waits) == (fault.times is None)


@pytest.mark.parametrize("path", ["*", "/groups"])
def test_test_mode_does_not_wait_long_for_what_stands_in_front_of_calendly(
    sandbox: Sandbox, tmp_path: Path, waits: list[float], path: str
) -> None:
    sandbox.faults.add(Fault(path, status=404, body="<h1>Not found</h1>", times=None))

    result = run_here(tmp_path, "--test", config=config(sandbox))

    assert result.returncode == 1
    assert "`api_url`" in result.stderr
    assert 0 < sum(waits) <= 5


def test_test_mode_with_a_bad_token_fails_in_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.access.revoke(sandbox.token)

    result = run_tap(tmp_path, "--test", config=config(sandbox))

    assert result.returncode == 1
    assert "Calendly answered 401" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unreachable_calendar_deletes_no_rows(sandbox: Sandbox) -> None:
    """It does not mean that its owner is free."""
    select = {"organization_memberships", "user_busy_times"}
    before = sync(sandbox, select=select)
    sandbox.faults.add(Fault("/user_busy_times", status=424, times=None))

    run = sync(sandbox, select=select)

    assert before.rows("user_busy_times")
    assert run.tables(before.tables())["user_busy_times"] == before.tables()["user_busy_times"]
    assert run.of("ACTIVATE_VERSION", "organization_memberships")


def test_test_mode_tries_deselected_streams_but_does_not_fail_because_of_them(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault("/locations", status=403, times=None))
    sandbox.faults.add(Fault("/event_type_available_times", status=400, times=None))

    result = run_tap(tmp_path, "--test", config=config(sandbox, on_unavailable="fail"))

    assert result.returncode == 0
    lines = {line.split(":")[0]: line for line in result.stdout.splitlines()}
    assert lines["event_invitees"] == "event_invitees: open"
    assert lines["user_locations"].startswith("user_locations: closed: ")
    assert lines["event_type_available_times"].startswith("event_type_available_times: failed: ")
