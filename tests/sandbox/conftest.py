"""A small company whose every meeting a test can name, and the description of the API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests.sandbox.description import Description

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def description() -> Description:
    return Description(Path(__file__).parents[1] / "openapi.yaml")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def calendly(clock: SimulatedClock) -> Calendly:
    """The owner has five meetings on the five days to come, at noon."""
    calendly = Calendly(clock)
    offered = calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)
    for day in range(5):
        start = NOW + timedelta(days=day, hours=3)
        calendly.book(event_type=offered, start=start, name="Bo", email=f"bo{day}@guest.example")
    return calendly


@pytest.fixture
def sandbox(calendly: Calendly) -> Iterator[Sandbox]:
    with Sandbox(calendly) as running:
        yield running
