"""A refusal that would fail the run is asked again once after a pause, as it may pass."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import FatalError
from tests.runs.site import PAUSE, Site
from tests.singer import sync, truth

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox


@pytest.mark.parametrize("settings", [{"on_unavailable": "fail"}, {}])
@pytest.mark.parametrize("lasts", [False, True])
def test_a_refusal_that_would_fail_the_run_for_another_reason_is_asked_again_too(
    site: Site, waits: list[float], settings: dict[str, Any], *, lasts: bool
) -> None:
    """One of all streams with `fail`; the only stream with `skip`."""
    site.warehouse.settings |= settings
    site.refuse("/groups", times=None if lasts else 1)

    site.run({"groups", "organization_memberships"} if settings else {"groups"})

    assert waits == [PAUSE]
    assert bool(site.lines) == lasts
    assert lasts or site.warehouse.equals_calendly()


@pytest.mark.parametrize("workers", [1, 8])
def test_the_first_rows_of_a_child_refused_in_passing_do_not_fail_the_run(
    sandbox: Sandbox, waits: list[float], workers: int
) -> None:
    """Until another row is answered, the whole stream may be closed, which costs no pause."""
    select = {"event_types", "event_type_memberships"}
    sandbox.faults.add(Fault("/event_type_memberships", status=403, times=3))

    tables = sync(sandbox, select=select, max_concurrent_requests=workers).tables()

    assert tables == {name: truth(sandbox)[name] for name in select}
    assert not waits or workers > 1  # one may be refused just after another was answered


@pytest.mark.parametrize("lasts", [False, True])
def test_a_refusal_of_the_owner_is_asked_again_too(
    site: Site, waits: list[float], *, lasts: bool
) -> None:
    """Nobody else says whose data it is with the scopes that meetings take."""
    site.authorize({"scheduled_events:read", "users:read"})
    site.refuse("/users/me", times=None if lasts else 1)

    with pytest.raises(FatalError) if lasts else nullcontext():
        site.run({"event_invitees", "scheduled_events"})

    assert waits == [PAUSE]
    assert lasts or site.warehouse.equals_calendly()


def test_a_stream_that_needs_no_owner_does_not_pause_for_one(
    site: Site, waits: list[float]
) -> None:
    site.authorize({"contacts:read"})

    site.run({"contact_lists", "contacts"})

    assert site.warehouse.tables.keys() == {"contact_lists", "contacts"}
    assert not waits
