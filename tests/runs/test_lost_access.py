"""Access that is lost fails the run, whatever took it away; a refusal in passing does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import StreamsError
from tests.cases import crossed
from tests.runs.site import PAUSE, SCOPES, SELECTED, Site
from tests.singer import sync, truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.http.server import Sandbox

REMEDIES = {
    "token": "create a token with the scopes {}, or deselect the stream.",
    "app": "tick the scopes {} for the app, then get new credentials with `tap-calendly "
    "--authorize`; or deselect the stream.",
}
UNTIL = "it was loaded until 2026-03-04 09:30 UTC, and now Calendly answered 403 to GET"
BEFORE = "it was loaded before, and now Calendly answered 403 to GET"


@dataclass(frozen=True)
class Way:
    """A way in which access is lost, or seems to be.

    Attributes:
        happens: Takes access away.
        first: What the first run ends with: the beginning of a line for each stream.
        skipped: The streams that the first run skips.
        later: What a later run ends with.
        pauses: How often each run pauses to ask again.
    """

    happens: Callable[[Site], object]
    first: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    pauses: tuple[int, int] = (0, 0)


MIDWAY = (
    "organization_memberships: Calendly answered 403 to GET /organization_memberships",
    "scheduled_events: Calendly answered 403 to GET /scheduled_events",
)

WAYS = {
    "scopes": Way(
        lambda site: site.authorize(SCOPES - {"event_types:read", "groups:read"}),
        skipped=("event_types", "groups"),
        later=(f"event_types: {UNTIL} /event_types", f"groups: {BEFORE} /groups"),
        pauses=(0, 2),
    ),
    "role": Way(
        lambda site: site.admin.update(role="user"),
        first=(
            "scheduled_events: Calendly answered 403 to GET /scheduled_events",
            "Nothing was read: the token gives access to none of activity_log_entries, event_t",
        ),
        skipped=("activity_log_entries", "event_types", "groups", "organization_memberships"),
        later=(
            f"activity_log_entries: {UNTIL} /activity_log_entries",
            f"event_types: {UNTIL} /event_types",
            f"groups: {BEFORE} /groups",
            f"organization_memberships: {BEFORE} /organization_memberships",
            f"scheduled_events: {UNTIL} /scheduled_events",
        ),
        pauses=(1, 5),
    ),
    "plan": Way(
        lambda site: site.sandbox.calendly.organization.update(plan="basic"),
        skipped=("activity_log_entries", "groups"),
        later=(
            f"activity_log_entries: {UNTIL} /activity_log_entries",
            f"groups: {BEFORE} /groups",
        ),
        pauses=(0, 2),
    ),
    "one 403 in passing": Way(
        lambda site: site.refuse("/groups", "/scheduled_events"),
        skipped=("groups",),
        pauses=(1, 2),
    ),
    "one 403 in mid-list": Way(
        lambda site: site.refuse("/organization_memberships", "/scheduled_events", after=1),
        pauses=(2, 2),
    ),
    "403s from mid-list on": Way(
        lambda site: site.refuse(
            "/organization_memberships", "/scheduled_events", after=1, times=None
        ),
        first=MIDWAY,
        later=MIDWAY,
        pauses=(2, 2),
    ),
}


@pytest.mark.parametrize(
    ("way", "credentials"),
    crossed(
        WAYS,
        REMEDIES,
        quick=lambda way, credentials: (credentials == "app") == (way in {"scopes", "plan"}),
    ),
)
@pytest.mark.parametrize("later", [False, True], ids=["first run", "later run"])
def test_lost_access_fails_the_run_and_deletes_nothing(  # noqa: PLR0913 - all of them drawn
    sandbox: Sandbox,
    tmp_path: Path,
    waits: list[float],
    small_pages: int,
    caplog: pytest.LogCaptureFixture,
    *,
    way: str,
    credentials: str,
    later: bool,
) -> None:
    case, site, calendly = WAYS[way], Site(sandbox, credentials, tmp_path), sandbox.calendly
    if later:
        site.run()
        assert site.warehouse.equals_calendly()
        assert not waits
        caplog.clear()
    before, state = site.warehouse.tables, site.warehouse.state
    case.happens(site)

    site.run()

    expected = case.later if later else case.first
    begun = zip(site.lines, expected, strict=True)
    assert [line[: len(begin)] for line, begin in begun] == list(expected)
    skipped = () if later else case.skipped
    lines = [line for line in caplog.messages if line.startswith("Skipped: ")]
    assert sorted(line.split(": ")[1] for line in lines) == sorted(skipped)
    assert waits == [PAUSE] * case.pauses[later]
    asked = [line for line in caplog.messages if line.endswith("; trying again once in 5 s.")]
    assert len(asked) == len(waits)
    lost = {line.split(":")[0] for line in site.lines} & SELECTED
    for stream in lost if later and way != "403s from mid-list on" else ():
        assert site.warehouse.tables[stream] == before[stream] != {}
        assert site.warehouse.state["bookmarks"][stream] == state["bookmarks"][stream]
    if later:
        assert site.warehouse.state["full_tables"] == state["full_tables"]
    expected_tables = truth(sandbox)
    for stream in SELECTED - lost - {*skipped} - {"event_invitees"}:
        assert site.warehouse.tables[stream] == expected_tables[stream], stream
    for line in site.lines[: len(lost)]:
        assert "or deselect the stream" in line
        if way == "scopes":
            scope = f"{line.split(':')[0]}:read"
            assert line.endswith(REMEDIES[credentials].format(scope))

    sandbox.faults.clear()
    calendly.organization.update(plan="enterprise")
    site.admin.update(role="admin")
    site.authorize()
    site.run()
    assert site.lines == []
    assert site.warehouse.equals_calendly()
    assert small_pages


def test_the_log_and_the_summary_call_a_lost_stream_failed(
    site: Site, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    site.run()
    site.authorize(SCOPES - {"groups:read"})
    caplog.clear()
    caplog.set_level("INFO", "tap-calendly")

    site.run()

    assert waits
    (line,) = site.lines
    assert f"{line} The other streams go on." in caplog.messages
    assert "groups: 0 rows, 2 requests; failed (see the end)" in caplog.messages
    assert not [line for line in caplog.messages if "skipped" in line.lower()]


@pytest.mark.parametrize("stream", ["groups", "event_types"])
@pytest.mark.parametrize("why", ["no list", "another scope", "deselected", "not complete"])
def test_a_stream_that_was_not_loaded_before_is_not_lost(
    site: Site, waits: list[float], why: str, stream: str
) -> None:
    if why == "not complete":
        site.sandbox.faults.add(Fault(f"/{stream}", status=500, times=None))
    site.run()
    waits.clear()
    site.sandbox.faults.clear()
    if why == "no list":  # as earlier versions wrote it
        site.warehouse.state.pop("full_tables")
        site.warehouse.state["bookmarks"].pop(stream)
    elif why == "another scope":
        site.warehouse.settings |= {"scope": "user"}
    site.refuse(f"/{stream}", times=None)

    site.run(SELECTED - {stream} if why == "deselected" else SELECTED)

    assert site.lines == []
    assert not waits
    if why == "another scope":
        before, listed = site.warehouse.state["full_tables"].values()
        assert before == ["groups", "organization_memberships"]
        assert listed == sorted({*before} - {stream})


def test_a_full_table_is_listed_only_once_it_was_read_completely(site: Site) -> None:
    run = site.run({"groups", "organization_memberships"})

    states = [(number, one) for number, one in enumerate(run.messages) if one["type"] == "STATE"]
    for stream in ("groups", "organization_memberships"):
        (complete,) = run.of("ACTIVATE_VERSION", stream)
        listed = [
            number for number, one in states if stream in str(one["value"].get("full_tables"))
        ]
        assert min(listed) > run.messages.index(complete)


def test_a_stream_that_the_catalog_makes_a_full_table_is_lost_as_one(
    site: Site, waits: list[float]
) -> None:
    settings = site.warehouse.settings
    state = sync(
        site.sandbox, select={"event_types", "groups"}, forced_method="FULL_TABLE", **settings
    ).state
    site.refuse("/event_types", times=None)

    with pytest.raises(StreamsError, match=f"^event_types: {BEFORE} /event_types"):
        sync(
            site.sandbox,
            select={"event_types", "groups"},
            forced_method="FULL_TABLE",
            state=state,
            **settings,
        )
    assert waits


def test_a_stream_that_the_catalog_makes_a_full_table_is_lost_with_its_bookmark(
    site: Site, waits: list[float]
) -> None:
    site.run({"event_types", "groups"})
    site.refuse("/event_types", times=None)

    with pytest.raises(StreamsError, match=f"^event_types: {UNTIL} /event_types"):
        sync(
            site.sandbox,
            select={"event_types", "groups"},
            forced_method="FULL_TABLE",
            state=site.warehouse.state,
            **site.warehouse.settings,
        )
    assert waits == [PAUSE]


def test_a_full_table_that_was_loaded_but_for_a_member_is_lost_too(
    site: Site, waits: list[float]
) -> None:
    """The member's calendar could not be reached, so nothing was deleted."""
    select = {"groups", "user_busy_times"}
    site.authorize(SCOPES | {"availability:read"})
    site.sandbox.faults.add(Fault("/user_busy_times", status=424))
    assert not site.run(select).of("ACTIVATE_VERSION", "user_busy_times")
    site.authorize()

    site.run(select)

    (line,) = site.lines
    assert line.startswith(f"user_busy_times: {BEFORE} /user_busy_times")
    assert waits


def test_an_earlier_start_date_does_not_hide_until_when_a_stream_was_loaded(
    site: Site, waits: list[float]
) -> None:
    site.warehouse.settings |= {"start_date": "2026-02-01"}
    site.run()
    site.warehouse.settings.pop("start_date")
    site.refuse("/activity_log_entries", times=None)

    site.run()

    (line,) = site.lines
    assert line.startswith(f"activity_log_entries: {UNTIL} /activity_log_entries")
    assert waits == [PAUSE]


def test_a_refused_parent_that_is_deselected_fails_its_children_by_name(
    site: Site, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    children = {"event_type_memberships", "event_invitees"}
    site.run(children)
    site.refuse("/event_types", "/scheduled_events", times=None)

    site.run(children)

    assert [line.split(" (")[0] for line in site.lines] == [
        f"event_invitees: {UNTIL} /scheduled_events",
        f"event_type_memberships: {BEFORE} /event_types",
    ]
    assert waits == [PAUSE] * 2
    assert len([line for line in caplog.messages if line.startswith("Skipped: ")]) == 2


def test_a_refused_parent_that_fails_is_the_only_line(site: Site, waits: list[float]) -> None:
    site.warehouse.settings |= {"on_unavailable": "fail"}
    site.run()
    site.refuse("/scheduled_events", times=None)

    site.run({"event_invitees", "scheduled_events"})

    (line,) = site.lines
    assert line.startswith(f"scheduled_events: {UNTIL} /scheduled_events")
    assert waits == [PAUSE]


def test_the_invitees_of_a_deselected_parent_fail_the_first_run_in_their_own_name(
    site: Site, waits: list[float]
) -> None:
    site.refuse("/scheduled_events", times=None)

    site.run({"event_invitees", "groups"})

    (line,) = site.lines
    assert line.startswith("event_invitees: Calendly answered 403 to GET /scheduled_events")
    assert waits == [PAUSE]


def test_what_the_tokens_user_alone_can_read_is_lost_though_the_token_hides_the_user(
    site: Site, waits: list[float]
) -> None:
    site.authorize({"contacts:read", "meeting_recaps:read", "users:read"})
    site.run({"contact_lists", "meeting_recaps"})
    site.authorize({"meeting_recaps:read"})

    site.run({"contact_lists", "meeting_recaps"})

    (line,) = site.lines
    assert line.startswith(f"contact_lists: {BEFORE} /contact_lists")
    assert waits


def test_what_another_user_could_read_is_not_lost(sandbox: Sandbox, waits: list[float]) -> None:
    select = {"contact_lists", "groups"}
    state = sync(sandbox, select=select).state
    admin = next(m for m in sandbox.calendly.memberships.values() if m["role"] == "admin")
    token = sandbox.access.issue(admin["user"]["uri"], {"groups:read", "users:read"})

    sync(sandbox, select=select, state=state, personal_access_token=token)

    assert not waits


def test_a_run_with_another_scope_does_not_forget_what_was_loaded(
    site: Site, waits: list[float]
) -> None:
    site.run({"groups", "teams"})
    site.authorize({"contacts:read"})
    site.run({"contact_lists"})
    site.authorize(SCOPES - {"groups:read"})

    site.run({"groups", "teams"})

    (line,) = site.lines
    assert line.startswith(f"groups: {BEFORE} /groups")
    assert waits


def test_invitees_that_are_refused_for_every_meeting_are_not_asked_for_one_by_one(
    site: Site, waits: list[float]
) -> None:
    site.warehouse.settings |= {"max_concurrent_requests": 1}
    site.refuse("/scheduled_events/*/invitees", times=None)

    site.run({"event_invitees", "scheduled_events"})

    (line,) = site.lines
    assert line.startswith("event_invitees: Calendly answered 403 to GET /scheduled_events/")
    requests = site.sandbox.requests_by_path()["/scheduled_events/{uuid}/invitees"]
    assert requests <= 5 < len(site.sandbox.calendly.events)
    assert waits == [PAUSE]
