"""Threads wait for their turn, for a pause or for an answer, and stop waiting at once when told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from requests import Response

from tap_calendly.api import throttle as throttle_module
from tap_calendly.api.throttle import StoppedError, SystemClock, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable


RESPONSE = Response()


def test_a_pause_is_not_cut_short_by_a_shorter_one(waits: list[float]) -> None:
    throttle = Throttle(None, throttle_module.SystemClock())

    assert throttle.pause(60)
    assert not throttle.pause(10)
    throttle.send(lambda: RESPONSE, threading.Event())

    assert sum(waits) == pytest.approx(60, abs=0.1)
    assert throttle.waited == pytest.approx(60, abs=0.1)


def test_a_failed_request_does_not_count_as_in_flight() -> None:
    throttle, stop = Throttle(None, SystemClock()), threading.Event()
    passed = threading.Event()

    def fail() -> Response:
        raise ConnectionResetError

    def after_it() -> None:
        throttle.send(lambda: RESPONSE, stop)
        passed.set()

    with pytest.raises(ConnectionResetError):
        throttle.send(fail, stop)
    threading.Thread(target=after_it, daemon=True).start()

    assert passed.wait(5)


def test_threads_waiting_for_a_response_are_woken_by_it() -> None:
    throttle, stop, release = Throttle(None, SystemClock()), threading.Event(), threading.Event()
    passed = threading.Semaphore(0)

    def first() -> Response:
        release.wait(5)
        return RESPONSE

    def send(request: Callable[[], Response]) -> None:
        throttle.send(request, stop)
        passed.release()

    for request in (first, *[lambda: RESPONSE] * 7):
        threading.Thread(target=send, args=(request,), daemon=True).start()
    release.set()

    assert all(passed.acquire(timeout=5) for _ in range(8))


def test_nothing_is_sent_after_a_stop() -> None:
    throttle, stop = Throttle(None, SystemClock()), threading.Event()
    stop.set()

    with pytest.raises(StoppedError):
        throttle.send(lambda: RESPONSE, stop)


def test_a_waiting_thread_is_released_by_a_stop() -> None:
    throttle = Throttle(None, SystemClock())
    throttle.pause(3600)
    stop, ended = threading.Event(), threading.Event()

    def wait() -> None:
        with pytest.raises(StoppedError):
            throttle.rest(3600, stop)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    stop.set()
    throttle.wake()

    assert ended.wait(1)
