"""The SDK's own test suite for taps passes against the sandbox."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_tap_test_class

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.streams import STREAMS
from tap_calendly.tap import TapCalendly
from tests.inbox import Inbox
from tests.singer import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

# The suite keeps what it has read on the class, so its tests run in one worker.
pytestmark = pytest.mark.xdist_group("sdk")

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
CALENDLY = Calendly(SimulatedClock(NOW), seed=1, plan="enterprise")
SANDBOX = Sandbox(CALENDLY, requests_per_minute=100_000)
CONFIG: dict[str, object] = {"personal_access_token": SANDBOX.token}


@pytest.fixture(scope="module", autouse=True)
def _serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    inbox = Inbox(tmp_path_factory.mktemp("inbox") / "inbox.db")
    inbox.receive()
    CONFIG["inbox_url"] = inbox.url
    company.populate(CALENDLY, seed=1, size=300, until=NOW)
    for event_type in CALENDLY.event_types.values():
        event_type["kind_description"] = "One-on-One"  # as years ago
    with SANDBOX:
        CONFIG["api_url"] = SANDBOX.url
        yield


TestTapCalendly = get_tap_test_class(
    TapCalendly, config=CONFIG, catalog=catalog({stream.name for stream in STREAMS})
)
