"""One stream's failure does not affect the others, and the run says what is incomplete."""

from __future__ import annotations

import itertools
import logging
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from typing_extensions import override

from sandbox.http.faults import Fault
from tap_calendly.api.retry import Retries, RetryBudget
from tap_calendly.reading.replication import FullTable, NewestFirst
from tap_calendly.reporting.errors import CalendlyError, StreamsError
from tap_calendly.streams.event_types import EventTypeMemberships, EventTypes
from tap_calendly.sweep import meetings, runner
from tap_calendly.tap import TapCalendly
from tests.command import complaints, run_tap
from tests.conftest import NOW, PassingClock
from tests.faults.test_faults import TARGETS, represented
from tests.singer import FROM_API, NOT_BY_DEFAULT, Warehouse, config, sync, truth

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock
    from tests.singer import Row

INVITEES = "/scheduled_events/*/invitees"
MEETINGS = {"scheduled_events", "event_invitees"}
BY_DEFAULT = [
    name
    for name, target in TARGETS.items()
    if target.stream not in NOT_BY_DEFAULT and "meeting_recaps/" not in name
]


def _with_children(stream: str) -> set[str]:
    """Return a stream and those that are read for each of its rows."""
    return {
        target.stream for target in TARGETS.values() if stream in {target.stream, target.leading}
    }


@pytest.mark.parametrize("target", represented(BY_DEFAULT))
def test_the_failure_of_one_stream_leaves_the_others_complete(
    sandbox: Sandbox,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
    target: str,
) -> None:
    caplog.set_level(logging.INFO, "tap-calendly")
    failed = TARGETS[target].stream
    warehouse = Warehouse(sandbox, {"organization": sandbox.calendly.organization["uri"]})
    path = TARGETS[target].path
    if failed == "organizations":  # and not what is below it
        path = urlsplit(sandbox.calendly.organization["uri"]).path
    sandbox.faults.add(Fault(path, status=500, times=None))

    with pytest.raises(StreamsError) as raised:
        warehouse.run()

    assert waits
    (line,) = raised.value.lines
    assert line.startswith(f"{failed}: Calendly answered 500 to GET /")
    expected = truth(sandbox)
    others = warehouse.tables.keys() - _with_children(failed)
    assert len(others) > 17
    assert {name: warehouse.tables[name] for name in others} == {
        name: expected[name] for name in others
    }
    assert any(
        message.startswith(f"{failed}: ") and message.endswith("; failed (see the end)")
        for message in caplog.messages
    )
    sandbox.faults.clear()
    warehouse.run()
    assert warehouse.equals_calendly()


def test_a_failed_run_reports_it_at_the_end_and_by_its_exit_status(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault("/event_types", status=400, times=None))
    sandbox.faults.add(Fault("/groups", status=418, times=None))

    result = run_tap(tmp_path, config=config(sandbox))

    assert result.returncode == 1
    *_, first, second = result.stderr.splitlines()
    assert "| ERROR " in first
    assert "event_types: Calendly answered 400 to GET /event_types" in first
    assert "groups: Calendly answered 418 to GET /groups" in second
    assert len(complaints(result)) == 4  # each when it happens and at the end
    assert "Traceback" not in result.stderr
    assert (
        "event_type_memberships: 0 rows, 0 requests; not read completely, as event_types failed"
        in (result.stderr)
    )


def test_meetings_continue_when_invitees_fail_and_invitees_resume_where_they_failed(
    sandbox: Sandbox, waits: list[float], small_pages: int
) -> None:
    """One meeting's invitees cannot be read; those before it are not requested again."""
    warehouse = Warehouse(sandbox)
    meetings = sorted(sandbox.calendly.events.values(), key=lambda event: event["start_time"])
    broken = meetings[small_pages * 3]["uri"].rsplit("/", 1)[-1]
    sandbox.faults.add(Fault(f"/scheduled_events/{broken}/invitees", status=500, times=None))

    with pytest.raises(CalendlyError, match=rf"^event_invitees: .* 500 to GET /.*{broken}"):
        warehouse.run(select=MEETINGS)

    assert waits
    assert warehouse.tables["scheduled_events"] == truth(sandbox)["scheduled_events"]
    bookmarks = warehouse.state["bookmarks"]
    assert "replication_key_value" in bookmarks["scheduled_events"]
    assert bookmarks["event_invitees"]["sweep"]["streams"] == ["event_invitees"]
    with pytest.raises(CalendlyError, match=rf"^event_invitees: .* 500 to GET /.*{broken}"):
        warehouse.run(select=MEETINGS)

    sandbox.faults.clear()
    warehouse.run(select=MEETINGS)
    assert warehouse.equals_calendly()
    requested = {each.path for each in sandbox.requests if each.path.endswith("/invitees")}
    paths = [f"/scheduled_events/{each['uri'].rsplit('/', 1)[-1]}/invitees" for each in meetings]
    assert not requested & set(paths[: small_pages * 2 - 1])


def test_changes_missed_while_invitees_fail_are_picked_up_later(
    sandbox: Sandbox, clock: SimulatedClock, waits: list[float], small_pages: int
) -> None:
    assert small_pages
    calendly = sandbox.calendly
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS)
    sandbox.faults.add(Fault(INVITEES, status=500, times=None))
    for _ in range(3):
        clock.advance(timedelta(days=1))
        event = next(
            uri
            for uri, row in calendly.events.items()
            if row["status"] == "active" and row["start_time"] > "2026-03-05"
        )
        calendly.cancel(event=event)
        with pytest.raises(CalendlyError, match=r"^event_invitees: "):
            warehouse.run(select=MEETINGS)

    assert waits
    sandbox.faults.clear()
    warehouse.run(select=MEETINGS)
    assert warehouse.equals_calendly()


def test_an_outage_is_waited_out_once_and_not_by_every_stream(
    sandbox: Sandbox, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tap-calendly")
    sandbox.faults.add(Fault("*", status=503, after=12, times=None))

    with pytest.raises(StreamsError) as raised:
        sync(sandbox, retry_timeout=100)

    assert sum(waits) < 100 * 8 + 10  # for each of the concurrent threads
    assert 1 <= len(raised.value.lines) <= 3
    assert all("answered 503 to GET" in line for line in raised.value.lines)
    not_tried = [line for line in caplog.messages if line.endswith("; not tried")]
    assert len(not_tried) > 10
    retries = [line for line in caplog.messages if "trying again" in line]
    assert len(retries) < 40


def test_an_outage_of_meetings_and_invitees_alone_leaves_the_others_complete(
    sandbox: Sandbox, waits: list[float], small_pages: int
) -> None:
    assert small_pages
    sandbox.faults.add(Fault("/scheduled_events*", status=503, after=3, times=None))
    sandbox.faults.add(Fault("/teams", status=500))  # the next one, and only once
    warehouse = Warehouse(sandbox)

    with pytest.raises(StreamsError) as raised:
        warehouse.run()

    assert waits
    assert {line.split(":")[0] for line in raised.value.lines} == MEETINGS
    expected = truth(sandbox)
    others = warehouse.tables.keys() - MEETINGS
    assert others == expected.keys() - MEETINGS
    assert all(warehouse.tables[name] == expected[name] for name in others)
    sandbox.faults.clear()
    warehouse.run()
    assert warehouse.equals_calendly()


def test_a_rejected_request_counts_as_an_answer_and_ends_an_outage(
    sandbox: Sandbox, waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/groups", status=503, times=None))
    sandbox.faults.add(Fault("/meeting_recaps", status=400, times=None))
    sandbox.faults.add(Fault("/organizations/*/invitations", status=503, times=None))
    warehouse = Warehouse(sandbox)

    with pytest.raises(StreamsError) as raised:
        warehouse.run()

    assert sum(waits) == pytest.approx(600, abs=1)
    assert len(raised.value.lines) == 3
    expected = truth(sandbox)
    del expected["groups"], expected["meeting_recaps"], expected["organization_invitations"]
    assert {name: warehouse.tables[name] for name in expected} == expected


def test_a_request_that_fails_while_others_succeed_has_its_own_retry_budget(
    clock: SimulatedClock,
) -> None:
    budget = RetryBudget(300, PassingClock(clock, []))
    retries = Retries(budget)

    tries = 0
    while (pause := retries.pause(None)) is not None:
        clock.advance(timedelta(seconds=pause))
        budget.answered()
        tries += 1

    assert 8 <= tries <= 10
    assert clock.now() - NOW == timedelta(seconds=300)


def test_a_failed_stream_deletes_no_rows(sandbox: Sandbox) -> None:
    warehouse = Warehouse(sandbox)
    warehouse.run()
    sandbox.faults.add(Fault("/event_type_memberships", status=400, times=None))

    with pytest.raises(StreamsError, match=r"^event_type_memberships: Calendly answered 400"):
        warehouse.run()

    assert warehouse.equals_calendly()


def test_test_mode_waits_out_an_outage_once(
    sandbox: Sandbox, waits: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    calendly = sandbox.calendly
    own = {"organization": calendly.organization["uri"], "user": calendly.owner}
    sandbox.faults.add(Fault("*", status=503, times=None))

    with pytest.raises(StreamsError) as raised:
        TapCalendly(config=config(sandbox, **own)).run_connection_test()

    assert sum(waits) < 300 + 5
    assert len(raised.value.lines) == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FROM_API)
    assert sum(line.endswith(": not tried, as Calendly does not answer") for line in lines) > 20


def test_test_mode_reports_an_unreachable_api_within_15_seconds(
    sandbox: Sandbox, waits: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    calendly = sandbox.calendly
    own = {"organization": calendly.organization["uri"], "user": calendly.owner}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        unreachable = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(StreamsError, match=r"^activity_log_entries: no answer from 127\.0\.0\.1"):
        TapCalendly(config=config(sandbox, **own, api_url=unreachable)).run_connection_test()

    assert 0 < sum(waits) < 10
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FROM_API)
    not_tried = sum(line.endswith(": not tried, as Calendly does not answer") for line in lines)
    assert not_tried == len(FROM_API) - 1


def test_an_unexpected_error_fails_only_its_own_stream(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(NewestFirst):
        @override
        def wants(self, row: Row, since: datetime | None) -> bool:
            raise KeyError("secret-of-a-row")  # noqa: EM101

    monkeypatch.setattr(EventTypes, "replication", Failing("updated_at"))
    warehouse = Warehouse(sandbox)

    with pytest.raises(StreamsError) as raised:
        warehouse.run()

    (line,) = raised.value.lines
    assert line.startswith("event_types failed unexpectedly (KeyError): ")
    assert "secret-of-a-row" not in line
    others = warehouse.tables.keys() - _with_children("event_types")
    assert {name: warehouse.tables[name] for name in others} == {
        name: truth(sandbox)[name] for name in others
    }


def _fail(*_: Any) -> Any:  # noqa: ANN401
    raise OverflowError


def test_an_unexpected_error_in_a_child_stream_fails_only_that_stream(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(FullTable):
        @override
        def wants(self, row: Row, since: datetime | None) -> bool:
            raise OverflowError

    warehouse = Warehouse(sandbox)
    with monkeypatch.context() as patched:
        patched.setattr(EventTypeMemberships, "replication", Failing())
        with pytest.raises(StreamsError) as raised:
            warehouse.run()

    (line,) = raised.value.lines
    assert line.startswith("event_type_memberships failed unexpectedly (OverflowError): ")
    expected = truth(sandbox)
    del warehouse.tables["event_type_memberships"], expected["event_type_memberships"]
    assert warehouse.tables == expected
    warehouse.run()
    assert warehouse.equals_calendly()


@pytest.mark.parametrize("unexpected", [False, True])
def test_a_failure_is_not_blamed_on_streams_that_were_waiting_for_rows(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    small_pages: int,
    *,
    unexpected: bool,
) -> None:
    """Meetings fail while the invitees of earlier ones are being read."""
    assert small_pages
    caplog.set_level(logging.INFO, "tap-calendly")
    warehouse = Warehouse(sandbox)
    sandbox.faults.add(Fault(INVITEES, delay=0.5, times=None))
    if unexpected:
        read, pages = meetings.last_start, itertools.count()
        monkeypatch.setattr(
            runner, "last_start", lambda page: _fail() if next(pages) else read(page)
        )
    else:
        sandbox.faults.add(Fault("/scheduled_events", status=418, after=1, times=None))

    with pytest.raises(StreamsError) as raised:
        warehouse.run(select=MEETINGS)

    (line,) = raised.value.lines
    assert line.startswith("scheduled_events")
    assert caplog.messages.count(f"{line} The other streams go on.") == 1
    (summary,) = [text for text in caplog.messages if text.startswith("event_invitees: ")]
    assert summary.endswith("; not read completely, as scheduled_events failed")
    sandbox.faults.clear()
    monkeypatch.undo()
    warehouse.run(select=MEETINGS)
    assert warehouse.equals_calendly()


def test_a_stream_map_that_fails_on_a_row_fails_only_its_own_stream(sandbox: Sandbox) -> None:
    maps = {"event_invitees": {"email": "sha256(config['salt'] + email)"}}
    warehouse = Warehouse(sandbox, {"stream_maps": maps})

    with pytest.raises(StreamsError) as raised:
        warehouse.run()

    (line,) = raised.value.lines
    assert line.startswith("event_invitees: `email` of `stream_maps` failed on a row (KeyError)")
    assert warehouse.tables["scheduled_events"] == truth(sandbox)["scheduled_events"]


def test_a_filter_that_fails_on_a_row_is_named(sandbox: Sandbox) -> None:
    maps = {"scheduled_events": {"__filter__": "config['salt'] == name"}}

    with pytest.raises(StreamsError) as raised:
        sync(sandbox, stream_maps=maps)

    (line,) = raised.value.lines
    assert line.startswith("scheduled_events: `__filter__` of `stream_maps` failed on a row")
