"""Rejected page tokens, and lists that change while they are read, lose no rows."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from typing_extensions import override

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import CalendlyError, StreamsError
from tap_calendly.settings import RESOURCES
from tests.singer import Warehouse, sync, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

MEETINGS = {"scheduled_events", "event_invitees"}
REJECTED = '{"title": "Invalid Argument", "message": "page_token is invalid"}'


pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.mark.parametrize("path", ["/event_types", "/organization_memberships"])
@pytest.mark.parametrize("after", [1, 2])
def test_a_rejected_page_token_loses_no_rows(sandbox: Sandbox, path: str, after: int) -> None:
    sandbox.faults.add(Fault(path, status=400, body=REJECTED, after=after))

    assert sync(sandbox).tables() == truth(sandbox)


def test_page_tokens_that_expire_while_invitees_are_read_lose_no_rows(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    """A token lives as long as it takes to read the invitees of two meetings, one by one."""
    sandbox.let_page_tokens_live(timedelta(seconds=30))
    sandbox.interrupt(lambda: clock.advance(timedelta(seconds=12)))

    assert sync(sandbox, max_concurrent_requests=1).tables() == truth(sandbox)


def test_more_simultaneous_meetings_than_fit_on_a_page_are_all_read(
    empty_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    calendly = empty_sandbox.calendly
    start = clock.now() + timedelta(days=1)
    for number in range(17):
        host = calendly.add_member(name=f"Host {number}", email=f"host-{number}@example.com")
        call = calendly.add_event_type(owner=host, name="Call", duration=30)
        calendly.book(event_type=call, start=start, name="Ada", email="ada@example.com")
    empty_sandbox.let_page_tokens_live(timedelta(seconds=30))
    empty_sandbox.interrupt(lambda: clock.advance(timedelta(seconds=12)))
    warehouse = Warehouse(empty_sandbox)

    warehouse.run(select=MEETINGS, killed_after=25)
    warehouse.run(select=MEETINGS)

    assert warehouse.equals_calendly()
    assert len(warehouse.tables["scheduled_events"]) == 17


def test_a_start_time_whose_meetings_keep_changing_ends_the_run_in_one_line(
    empty_sandbox: Sandbox, clock: SimulatedClock
) -> None:
    calendly = empty_sandbox.calendly
    start = clock.now() + timedelta(days=1)

    def interlude() -> None:
        call = calendly.add_event_type(owner=calendly.owner, name="Call", duration=30)
        calendly.book(event_type=call, start=start, name="Ada", email="ada@example.com")

    for _ in range(12):
        interlude()
    empty_sandbox.interrupt(interlude)

    with pytest.raises(CalendlyError, match=r"^scheduled_events: rows came and went .*: run again"):
        sync(empty_sandbox, select={"scheduled_events"})


def test_page_tokens_that_are_always_rejected_end_the_run_in_one_line(sandbox: Sandbox) -> None:
    sandbox.let_page_tokens_live(timedelta(seconds=-1))

    with pytest.raises(CalendlyError, match=r"^event_types: Calendly answered 400"):
        sync(sandbox, select={"event_types"})


def test_a_meeting_deleted_between_two_pages_hides_no_other(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    events = sorted(sandbox.calendly.events.values(), key=lambda event: event["start_time"])
    count = iter(range(1000))

    def interlude() -> None:
        if next(count) == 9:  # by then, the first page of meetings and their invitees are read
            sandbox.calendly.delete_event_data(event=events[0]["uri"])

    sandbox.interrupt(interlude)
    warehouse = Warehouse(sandbox)
    warehouse.run(select=MEETINGS)
    sandbox.interrupt(None)
    clock.advance(timedelta(days=1))
    warehouse.run(select=MEETINGS)

    for stream, rows in truth(sandbox).items():
        if stream in MEETINGS:
            assert warehouse.tables[stream].items() >= rows.items()


def test_a_list_that_keeps_changing_marks_nothing_and_keeps_its_bookmark(
    sandbox: Sandbox,
) -> None:
    calendly = sandbox.calendly
    names = iter(range(1000))

    def interlude() -> None:
        number = next(names)
        calendly.add_member(name=f"M {number}", email=f"m-{number}@example.com")
        calendly.add_event_type(owner=calendly.owner, name=f"T {number}", duration=30)

    warehouse = Warehouse(sandbox)
    sandbox.interrupt(interlude)
    with pytest.raises(StreamsError) as raised:
        warehouse.run(select={"event_types", "organization_memberships"})
    sandbox.interrupt(None)

    assert [line.split(" came and went ")[0] for line in raised.value.lines] == [
        "event_types: rows",
        "organization_memberships: rows",
    ]
    assert "replication_key_value" not in warehouse.state["bookmarks"]["event_types"]
    warehouse.run(select={"event_types", "organization_memberships"})
    assert warehouse.equals_calendly()


def test_a_row_deleted_between_two_pages_hides_no_other(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    calendly = sandbox.calendly
    for number in range(20):
        clock.advance(timedelta(seconds=1))
        calendly.add_event_type(owner=calendly.owner, name=f"Type {number}", duration=30)
    newest = list(calendly.event_types)[-1]
    member = next(
        row["user"]["uri"] for row in calendly.memberships.values() if row["role"] == "user"
    )
    count = iter(range(1000))

    def interlude() -> None:
        if next(count) == 2:  # after the token's user and the first page of event types
            calendly.delete_event_type(uri=newest)
            calendly.remove_member(user=member)

    sandbox.interrupt(interlude)
    warehouse = Warehouse(sandbox)
    warehouse.run(select={"event_types", "organization_memberships"})
    sandbox.interrupt(None)

    expected = truth(sandbox)
    assert warehouse.tables["organization_memberships"] == expected["organization_memberships"]
    assert warehouse.tables["event_types"].items() >= expected["event_types"].items()


@pytest.mark.parametrize("broken", ["next_page", "pagination"])
def test_a_list_with_an_unclear_end_is_not_taken_as_complete(
    sandbox: Sandbox, broken: str, waits: list[float]
) -> None:
    first = requests.get(
        f"{sandbox.url}/scheduled_events",
        {
            "organization": sandbox.calendly.organization["uri"],
            "sort": "start_time:asc",
            "count": "5",
        },
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=10,
    ).json()
    if broken == "next_page":
        first["pagination"]["next_page"] = None  # although there is a next_page_token
    else:
        del first["pagination"]
    sandbox.faults.add(Fault("/scheduled_events", status=200, body=first))

    assert sync(sandbox).tables() == truth(sandbox)
    assert len(waits) == (broken == "pagination")


def test_meetings_whose_pages_form_a_loop_end_the_run_in_one_line(
    sandbox: Sandbox, clock: SimulatedClock
) -> None:
    starts = [clock.now() + timedelta(days=day) for day in (1, 2)]
    rows = [
        {"uri": f"https://api.calendly.com/scheduled_events/{day}", "start_time": start.isoformat()}
        for day, start in enumerate(starts)
    ]
    more = f"{sandbox.url}/scheduled_events?page_token=x"
    page = {"collection": rows, "pagination": {"next_page": more, "next_page_token": "x"}}
    sandbox.faults.add(Fault("/scheduled_events", status=200, body=page, times=None))

    with pytest.raises(CalendlyError, match=r"^scheduled_events: Calendly's pages form a loop"):
        sync(sandbox, select={"scheduled_events"})


def test_pages_that_form_a_loop_end_the_run_in_one_line(sandbox: Sandbox) -> None:
    page = {
        "collection": [],
        "pagination": {"next_page": f"{sandbox.url}/event_types?page_token=x"},
    }
    sandbox.faults.add(Fault("/event_types", status=200, body=page, times=None))

    with pytest.raises(CalendlyError, match=r"^event_types: Calendly's pages form a loop"):
        sync(sandbox, select={"event_types"})


def test_a_transient_404_loses_no_invitee(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=404, after=3))

    assert sync(sandbox).tables() == truth(sandbox)


def test_a_meeting_deleted_before_its_invitees_are_read_does_not_stop_the_run(
    sandbox: Sandbox,
) -> None:
    gone = list(sandbox.calendly.events)[3]
    sandbox.faults.add(Fault(f"{urlsplit(gone).path}*", status=404, times=None))

    tables = sync(sandbox).tables()

    missing = truth(sandbox)["event_invitees"].keys() - tables["event_invitees"].keys()
    assert {uri.rsplit("/invitees", 1)[0] for uri in missing} == {gone}


def test_invitees_not_found_for_an_existing_meeting_are_a_failure(
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=404, times=None))

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 404 to GET /sch"):
        sync(sandbox)


class Proxy(ThreadingHTTPServer):
    """A proxy in front of the sandbox, whose answers name Calendly's own host as Calendly's do."""

    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        """Start listening."""
        super().__init__(("127.0.0.1", 0), _Forwarding)
        self.url = f"http://127.0.0.1:{self.server_port}/calendly"
        self.sandbox = sandbox
        self.led_elsewhere = 0


class _Forwarding(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @override
    def setup(self) -> None:
        super().setup()
        self.session = requests.Session()

    def do_GET(self) -> None:
        sandbox = self.server.sandbox
        url = f"{sandbox.url}{self.path.removeprefix('/calendly')}"
        token = {"Authorization": self.headers["Authorization"]}
        answer = self.session.get(url, headers=token, timeout=10)
        body = answer.text.replace(f'"{sandbox.url}/', f'"{RESOURCES}/')
        self.server.led_elsewhere += body != answer.text
        self.send_response_only(answer.status_code)
        self.send_header("Date", answer.headers["Date"])
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    with Proxy(sandbox) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_pages_that_name_calendlys_own_host_are_read_through_the_proxy(
    sandbox: Sandbox, proxy: Proxy
) -> None:
    sync(sandbox)
    directly = len(sandbox.requests)
    sandbox.forget_requests()

    run = sync(sandbox, api_url=proxy.url)

    assert run.tables() == truth(sandbox)
    assert len(sandbox.requests) == directly
    assert proxy.led_elsewhere > 10
