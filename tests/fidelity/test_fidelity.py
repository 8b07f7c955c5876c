"""After every run the tables equal Calendly's data, whatever happened before and during the run.

`make fidelity` plays many more histories, and prints what they were made of: how many runs, and how
many changes of each kind came due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis.stateful import run_state_machine_as_test

from sandbox.organization.clock import SimulatedClock
from tap_calendly.api import throttle
from tests.conftest import PassingClock
from tests.fidelity.history import START, History
from tests.fidelity.inbox_history import InboxHistory

if TYPE_CHECKING:
    pass


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that a few rows fill many pages, and each is followed by STATE.
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", 3)
    monkeypatch.setattr("tap_calendly.sweep.checkpoints.MEETINGS", 1)
    monkeypatch.setattr("tap_calendly.sweep.inbox.AT_ONCE", 1)
    local_clock = SimulatedClock(START)
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(local_clock, []))


def test_tables_equal_calendly_throughout_random_histories() -> None:
    play(History)


def test_tables_equal_calendly_throughout_random_histories_with_an_inbox() -> None:
    play(InboxHistory)


def play(history: type[History]) -> None:
    """Play random histories, and print what they were made of."""
    try:
        run_state_machine_as_test(history)
    finally:
        for what, count in sorted(history.figures.items()):
            print(f"{count:8} {what}")  # noqa: T201 - what `make fidelity` shows at its end
