"""A company whose data is loaded into a database once for several tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def busy_clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture(scope="module")
def busy_sandbox(busy_clock: SimulatedClock) -> Iterator[Sandbox]:
    """A company with 120 meetings, for all tests in a file."""
    calendly = Calendly(busy_clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=120, until=NOW)
    with Sandbox(calendly, clock=busy_clock, requests_per_minute=100_000) as running:
        yield running
