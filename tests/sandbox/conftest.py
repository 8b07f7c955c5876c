"""A small company whose every meeting a test can name, and the description of the API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.demo.company import simulate
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests.description import Description
from tests.sandbox.office import Office
from tests.sandbox.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def description() -> Description:
    return Description()


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


@pytest.fixture
def everything(calendly: Calendly) -> dict[str, str]:
    """The query for all meetings of the organization."""
    return {"organization": calendly.organization["uri"]}


@pytest.fixture
def colleague(calendly: Calendly) -> str:
    return calendly.add_member(name="Kim", email="kim@windmill.example")


@pytest.fixture
def his_meeting(calendly: Calendly, colleague: str) -> str:
    offered = calendly.add_event_type(owner=colleague, name="Call", duration=15)
    event, _ = calendly.book(
        event_type=offered, start=NOW + timedelta(days=9), name="Cy", email="cy@guest.example"
    )
    return event


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def company() -> Iterator[Sandbox]:
    """A company of 150 meetings and no limit worth mentioning."""
    with Sandbox(
        simulate(1, 150, NOW, plan="enterprise"), requests_per_minute=1_000_000
    ) as running:
        yield running
