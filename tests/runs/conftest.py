"""The SDK's pytest plugin, for these tests only, so that others do not have to load the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing.pytest_plugin import pytest_generate_tests

from tests.runs.inbox import InboxOffice
from tests.runs.office import Office
from tests.runs.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock

__all__ = ["pytest_generate_tests"]


@pytest.fixture
def office(empty_sandbox: Sandbox, clock: SimulatedClock) -> Office:
    """A small organization, and the warehouse that the tap loads from it run by run."""
    return Office(empty_sandbox, clock)


@pytest.fixture
def inbox_office(empty_sandbox: Sandbox, clock: SimulatedClock, tmp_path: Path) -> InboxOffice:
    """The same, with an inbox that can be trusted from the first run on."""
    return InboxOffice(empty_sandbox, clock, tmp_path)


@pytest.fixture
def site(sandbox: Sandbox, tmp_path: Path) -> Site:
    """An organization whose admin's token can lose access, and the warehouse that it fills."""
    return Site(sandbox, "token", tmp_path)
