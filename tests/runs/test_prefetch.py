"""Requests are made concurrently; the output is the same as in sequence."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from tap_calendly.reading.prefetch import Batch, Prefetch, Prefetcher, in_order
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.tap import TapCalendly
from tests.cases import cases
from tests.command import run_tap, start_tap
from tests.singer import Killed, Run, config, sync, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEETINGS = {"scheduled_events", "event_invitees"}
INVITEES = "/scheduled_events/{uuid}/invitees"
AT_ONCE = 3.0
"""Seconds: a fraction of one, and a margin for a busy machine. The waits last a minute."""


def test_output_is_the_same_for_any_number_of_concurrent_requests(
    large_sandbox: Sandbox,
) -> None:
    """Responses overtake each other: every ninth is delayed."""
    written = []
    for workers in (1, 4, 8, 16):
        large_sandbox.faults.clear()
        for number in range(30):
            large_sandbox.faults.add(
                Fault("/scheduled_events/*/invitees", delay=0.02, after=9 * number)
            )
        run = sync(large_sandbox, max_concurrent_requests=workers)
        assert run.tables() == truth(large_sandbox)
        written.append(_lines(run))

    assert all(lines == written[0] for lines in written)


def test_prefetched_pages_of_submissions_come_in_order(sandbox: Sandbox, small_pages: int) -> None:
    """A form with more pages than are prefetched."""
    form = next(iter(sandbox.calendly.routing_forms))
    for _ in range(small_pages * 9):
        sandbox.calendly.submit_form(form=form, answers={}, result=None)

    runs = [sync(sandbox, max_concurrent_requests=workers) for workers in (1, 8)]

    assert runs[1].tables() == truth(sandbox)
    assert _lines(runs[0]) == _lines(runs[1])


@pytest.mark.parametrize("limit", cases([1, 3, 8], quick=[3]))
def test_no_more_requests_are_in_flight_than_the_setting_allows(
    sandbox: Sandbox, limit: int
) -> None:
    with Sandbox(sandbox.calendly, latency=0.02) as slow:
        sync(slow, max_concurrent_requests=limit)

    assert slow.highest_concurrency == limit


def test_connections_are_reused_throughout_a_run(sandbox: Sandbox) -> None:
    with Sandbox(sandbox.calendly, latency=0.01) as slow:
        sync(slow, max_concurrent_requests=4)

    assert len({request.connection for request in slow.requests}) <= 4 + 1


def test_each_request_is_made_once(large_sandbox: Sandbox) -> None:
    sync(large_sandbox, select=MEETINGS)

    read = [request.path for request in large_sandbox.requests if request.template == INVITEES]
    assert len(read) == len(set(read)) == len(large_sandbox.calendly.events)


def test_an_exhausted_limit_pauses_all_threads_and_no_request_is_lost_or_repeated(
    large_sandbox: Sandbox, waits: list[float]
) -> None:
    """Another client has used it up: requests are refused while others are in flight."""
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "37"}
    large_sandbox.faults.add(
        Fault("/scheduled_events/*/invitees", status=429, headers=used_up, after=50, times=4)
    )

    run = sync(large_sandbox, select=MEETINGS)

    assert run.tables() == {name: truth(large_sandbox)[name] for name in MEETINGS}
    answered = [one.path for one in large_sandbox.requests if one.status == 200]
    read = [path for path in answered if path.endswith("/invitees")]
    assert len(read) == len(set(read)) == len(large_sandbox.calendly.events)
    assert 37 <= sum(waits) <= 37 * 4 + 1


def test_the_users_own_limit_is_kept(sandbox: Sandbox, waits: list[float]) -> None:
    sync(sandbox, select=MEETINGS, requests_per_minute=60)

    assert sum(waits) == pytest.approx(len(sandbox.requests) - 1, abs=1)


def test_no_request_is_made_after_the_end_of_a_run(sandbox: Sandbox) -> None:
    """Neither by a thread with a long list to read, nor by one that was about to retry."""
    form = next(iter(sandbox.calendly.routing_forms))
    for _ in range(1_000):
        sandbox.calendly.submit_form(form=form, answers={}, result=None)
    with Sandbox(sandbox.calendly, latency=0.05, requests_per_minute=100_000) as slow:
        with pytest.raises(Killed):
            sync(slow, select={"routing_form_submissions"}, into=Run(killed_after=1))
        in_flight = len(slow.requests)
        assert not threading.Event().wait(0.3)

        assert len(slow.requests) <= in_flight + 8


def test_a_deselected_field_changes_nothing_else(sandbox: Sandbox, small_pages: int) -> None:
    """The SDK removes it from the same row object that the next read is compared with."""
    assert small_pages
    written = []
    for deselected in (None, "name"):
        run = Run()
        catalog = TapCalendly(config={}, validate_config=False, setup_mapper=False).catalog_dict
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if entry["breadcrumb"] == ["properties", deselected]:
                    entry["metadata"]["selected"] = False
        sync(sandbox, into=run, full_catalog=catalog)
        written.append(len(run.of("RECORD")))

    assert written[0] == written[1]


def test_test_mode_reads_one_row_and_prefetches_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    result = run_tap(tmp_path, "--test", config=config(sandbox))

    assert result.returncode == 0
    assert sandbox.requests_by_path().get(INVITEES, 0) <= 2


def test_a_meeting_that_is_filtered_out_costs_no_request(sandbox: Sandbox) -> None:
    maps = {"scheduled_events": {"__filter__": "status == 'canceled'"}}

    run = sync(sandbox, select=MEETINGS, stream_maps=maps)

    canceled = {row["uri"] for row in run.rows("scheduled_events")}
    assert sandbox.requests_by_path()[INVITEES] == len(canceled) > 0


def test_a_fatal_error_ends_the_run_at_once_whatever_other_threads_wait_for(
    sandbox: Sandbox,
) -> None:
    """The first invitees get no response; the token is revoked for those that follow."""
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", delay=60, times=3))
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=401, times=None))
    began = time.monotonic()

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 401"):
        sync(sandbox, select=MEETINGS)

    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("workers", [1, 8])
def test_what_was_read_before_a_failure_is_written(
    sandbox: Sandbox, waits: list[float], workers: int
) -> None:
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=403, after=20, times=None))
    run = Run()

    with pytest.raises(CalendlyError):
        sync(sandbox, select=MEETINGS, into=run, max_concurrent_requests=workers)

    booked = {row["event_uri"] for row in run.rows("event_invitees")}
    assert 20 - workers <= len(booked) <= 20 + 2 * workers  # as many as are read ahead
    assert run.tables()["scheduled_events"] == truth(sandbox)["scheduled_events"]
    assert waits


def test_a_fatal_error_does_not_wait_for_the_limit(sandbox: Sandbox) -> None:
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"}
    sandbox.faults.add(Fault("/scheduled_events/*/invitees", status=401, delay=0.2))
    sandbox.faults.add(
        Fault("/scheduled_events/*/invitees", status=429, headers=used_up, times=None)
    )
    began = time.monotonic()

    with pytest.raises(CalendlyError, match=r"^event_invitees: Calendly answered 401"):
        sync(sandbox, select=MEETINGS)

    assert time.monotonic() - began < AT_ONCE


def test_no_more_calls_are_prefetched_than_twice_the_threads() -> None:
    in_flight: list[int] = []
    most = 0

    def start(row: int) -> list[int]:
        nonlocal most
        in_flight.append(row)
        most = max(most, len(in_flight))
        return [row]

    with Prefetcher(3, eager=True, wake=lambda: None) as prefetcher:
        batches = Prefetch(prefetcher, (Batch(list(range(50))) for _ in range(4)))
        for row, calls in in_order(batches, prefetcher, start):
            assert calls == [row] == in_flight[:1]
            in_flight.pop(0)

    assert most == 2 * 3


def test_what_is_to_be_done_within_a_batch_is_done_between_its_rows() -> None:
    done: list[str] = []

    def step(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    with Prefetcher(2, eager=True, wake=lambda: None) as prefetcher:
        midway = {1: step("first"), 3: step("last")}
        parts = iter([Batch(["a", "b", "c"], step("end"), midway), Batch([], step("then"))])
        batches = Prefetch(prefetcher, parts)
        for row, _ in in_order(batches, prefetcher, lambda _: []):
            done.append(row)

    assert done == ["a", "first", "b", "c", "last", "end", "then"]


def test_no_more_rows_are_prefetched_than_a_page_and_the_next() -> None:
    """However slowly the target reads."""
    pages_read = 0

    def pages() -> Iterator[Batch[int]]:
        nonlocal pages_read
        for _ in range(500):
            pages_read += 1
            yield Batch([0] * 10)

    with Prefetcher(1, eager=True, wake=lambda: None) as prefetcher:
        batches = Prefetch(prefetcher, pages())
        for taken, _ in enumerate(in_order(batches, prefetcher, lambda _: []), 1):
            while batches.waits and taken < 4_000:
                time.sleep(0)  # lets the reading thread get as far as it can
            assert pages_read * 10 <= taken + prefetcher.rows_ahead + 3 * 10

    assert pages_read == 500


def test_no_call_is_started_after_a_failure() -> None:
    called = []

    def fail() -> None:
        raise KeyError

    with Prefetcher(1, eager=True, wake=lambda: None) as prefetcher:
        calls = [
            prefetcher.start(function, first=False) for function in (fail, lambda: called.append(1))
        ]
        for call in calls:
            with pytest.raises(KeyError):
                prefetcher.wait_for(call)

    assert not called


WAITING_FOR = {
    "a response": Fault("/scheduled_events/*/invitees", delay=60, times=None),
    "the limit": Fault(
        "/scheduled_events/*/invitees",
        status=429,
        headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"},
        times=None,
    ),
    "the next attempt": Fault(
        "/scheduled_events/*/invitees", status=503, headers={"Retry-After": "60"}, times=None
    ),
}


@pytest.mark.parametrize("fault", WAITING_FOR.values(), ids=WAITING_FOR)
@pytest.mark.parametrize("number", cases([signal.SIGTERM, signal.SIGINT], quick=[signal.SIGTERM]))
def test_a_signal_ends_the_run_at_once_whatever_it_waits_for(
    sandbox: Sandbox, tmp_path: Path, fault: Fault, number: signal.Signals
) -> None:
    sandbox.faults.add(fault)
    process = start_tap(tmp_path, config(sandbox))
    assert process.stdout is not None
    target = threading.Thread(target=process.stdout.read, daemon=True)
    target.start()
    while INVITEES not in sandbox.requests_by_path():
        with pytest.raises(subprocess.TimeoutExpired):  # it keeps running
            process.wait(timeout=0.02)
    process.send_signal(number)
    began = time.monotonic()
    process.wait(timeout=10)
    took = time.monotonic() - began
    target.join()
    assert process.stderr is not None
    log = process.stderr.read()
    process.communicate()

    assert took < AT_ONCE
    assert process.returncode == 128 + number
    assert "Traceback" not in log
    assert "Fatal Python error" not in log


def _lines(run: Run) -> list[str]:
    """Return the messages without what depends on the time of the run."""
    lines = []
    for message in run.messages:
        stable: dict[str, Any] = dict(message)
        stable.pop("time_extracted", None)
        if "version" in stable:
            stable["version"] = 0
        lines.append(json.dumps(stable))
    return lines
