"""`make live` shows how changes in Calendly run into DuckDB, and after what delay."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from sandbox.demo import life
from sandbox.demo.company import simulate
from sandbox.demo.programs import meetings_of
from sandbox.demo.screen import Spent, View, figures, screen
from sandbox.demo.watch import (
    Change,
    Invitee,
    Meeting,
    Meetings,
    Watch,
    counts,
    meeting_in,
    meetings_in,
)
from sandbox.organization.clock import FastClock, SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.state import Record
    from tests.sandbox.office import Office

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
HERE = Path(__file__).parents[2]


def test_a_fast_clock_runs_many_times_as_fast_as_the_computers() -> None:
    seconds = 50.0
    clock = FastClock(NOW, 1000, lambda: seconds)
    begun = clock.now()
    seconds += 86.4

    assert (begun, clock.now()) == (NOW, NOW + timedelta(days=1))


def meeting(version: int = 0, *, no_show: str | None = None) -> Meeting:
    return Meeting("active", f"{version}", (Invitee("invitee", "active", f"{version}", no_show),))


def changed(watch: Watch, now: float, **meetings: Meeting) -> None:
    """Let something happen at a time that leaves meetings as they are given."""
    watch.add(Change(NOW, f"{', '.join(meetings)} changed", meetings), now)


def delays(watch: Watch) -> list[float | None]:
    return [one.delay for one in watch.changes]


def test_a_change_shows_once_all_its_meetings_are_in_the_tables_as_it_left_them() -> None:
    watch = Watch()
    changed(watch, 10, old=meeting(1), new=meeting(1))

    steps: list[Meetings] = [
        {},
        {"old": meeting(1)},
        {"old": meeting(0), "new": meeting(1)},
        {"old": meeting(1), "new": meeting(1), "other": meeting(0)},
        {},
    ]
    seen = [
        (len(watch.look(tables, 12 + step)), *delays(watch)) for step, tables in enumerate(steps)
    ]

    assert seen == [(0, None), (0, None), (0, None), (1, 5), (0, 5)]


def test_a_change_that_another_has_overtaken_shows_with_that_one() -> None:
    watch = Watch()
    changed(watch, 10, one=meeting(1))
    changed(watch, 11, one=meeting(2))

    watch.look({"one": meeting(2)}, 13)

    assert delays(watch) == [3, 2]


def test_a_change_does_not_show_by_what_was_there_before_the_last_change() -> None:
    watch = Watch()
    changed(watch, 10, one=meeting(1))
    changed(watch, 11, one=meeting(1, no_show="mark"))
    changed(watch, 12, one=meeting(1))

    watch.look({"one": meeting(1, no_show="mark")}, 15)

    assert delays(watch) == [5, 4, None]


def test_delays_are_summed_up_by_the_one_that_half_and_most_did_not_exceed() -> None:
    watch = Watch()
    nothing_yet = watch.delay(0.5)
    for second in range(19):
        changed(watch, -second, **{f"meeting {second}": meeting()})
        watch.look({f"meeting {second}": meeting()}, 1)
    changed(watch, 0, not_yet=meeting())

    assert nothing_yet is None
    assert (watch.delay(0.5), watch.delay(0.95), watch.delay(1)) == (10, 19, 19)


def mark_of(invitee: Record) -> str | None:
    return None if invitee["no_show"] is None else str(invitee["no_show"]["uri"])


def test_rows_of_the_tables_read_as_calendlys_own_meetings(office: Office) -> None:
    event, invitee = office.booked(office.course)
    other = office.calendly.join(event=event, name="Lu", email="lu@guest.example")
    office.later(days=30)
    office.calendly.mark_no_show(invitee=invitee)
    office.calendly.leave(invitee=other)
    record = office.calendly.events[event]
    whole = (event, record["status"], record["updated_at"])
    rows = [
        (*whole, *(one[name] for name in ("uri", "status", "updated_at")), mark_of(one))
        for one in sorted(office.calendly.invitees[event], key=lambda one: str(one["uri"]))
    ]

    assert meetings_of(rows) == meetings_in(office.calendly)
    assert counts(meetings_of(rows)) == {
        "meetings booked": 1,
        "meetings canceled": 0,
        "seats taken": 1,
        "no-shows": 1,
    }


def test_all_that_can_happen_does_and_each_time_what_changed_is_named() -> None:
    calendly = simulate(1, 60, NOW)
    clock, dice = calendly.clock, Random(1)  # noqa: S311 -- no secret
    assert isinstance(clock, SimulatedClock)
    happened = set()
    for _ in range(150):
        clock.advance(timedelta(minutes=25))
        before = meetings_in(calendly)
        change = life.happen(calendly, dice)
        after = meetings_in(calendly)
        happened |= {word for word in WORDS if word in change.what}

        assert change.at == clock.now()
        assert change.meetings == {
            uri: after[uri] for uri in after if after[uri] != before.get(uri)
        }

    assert happened == set(WORDS)


WORDS = ("booked", "canceled", "moved", "took a seat", "gave up", "is a no-show", "is no longer")


def test_webhooks_tell_whatever_happens() -> None:
    calendly = simulate(1, 60, NOW)
    events = ["invitee.created", "invitee.canceled"]
    marks = ["invitee_no_show.created", "invitee_no_show.deleted"]
    calendly.subscribe(callback_url="http://127.0.0.1/", events=events + marks)
    dice = Random(1)  # noqa: S311 -- no secret
    for _ in range(80):
        calendly.announcements.clear()
        change = life.happen(calendly, dice)
        told = b" ".join(one.body for one in calendly.announcements)

        assert all(uri.encode() in told for uri in change.meetings), change.what


def test_runs_that_list_meetings_count_as_sweeps_but_for_the_first() -> None:
    spent = Spent()
    spent.add({"/scheduled_events": 7, "/scheduled_events/{uuid}/invitees": 600})
    spent.add({"/webhook_subscriptions/{webhook_uuid}": 1, "/scheduled_events/{uuid}": 2})
    spent.add({"/webhook_subscriptions/{webhook_uuid}": 1, "/scheduled_events": 3})
    spent.add({"/webhook_subscriptions/{webhook_uuid}": 1})

    assert spent == Spent(runs=4, first=607, sweeping=4, others=4)


@pytest.fixture
def view(office: Office) -> View:
    """A company with more changes than the screen shows, one not in DuckDB."""
    watch = Watch()
    tables: Meetings = {}
    for number in range(13):
        event, _ = office.booked(email=f"{number}@guest.example")
        booked = {event: meeting_in(office.calendly, event)}
        what = f"Visitor {number} booked a meeting whose name is far too long for a line of 80"
        watch.add(Change(office.clock.now(), what, booked), float(number))
        if number < 12:
            tables |= booked
            watch.look(tables, number + 2.34)
    in_calendly = counts(meetings_in(office.calendly))
    spent = Spent(14, first=1609, others=112, sweeping=46)
    doing = "Run 15 asks what has changed."
    return View(office.clock.now(), doing, watch, in_calendly, counts(tables), 13, spent)


def test_the_screen_fits_a_small_terminal_and_says_what_shows_and_what_it_took(view: View) -> None:
    shown = io.StringIO()
    Console(file=shown, width=80).print(screen(view))
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]

    assert len(lines) <= 24
    assert lines[3].split() == ["What", "happened", "in", "Calendly", "in", "DuckDB"]
    assert [line.split()[2] for line in lines[4:14]] == [str(number) for number in range(3, 13)]
    assert lines[12].endswith("after 2.3 s")
    assert lines[13].endswith("not yet")
    assert lines[16].split() == ["Calendly", "now", "13", "0", "13", "0"]
    assert lines[17].split() == ["DuckDB", "12", "0", "12", "0"]
    assert lines[19:] == [
        "changes: 13, deliveries received: 13, runs: 14",
        "requests: 1767, 1609 at first, 112 between sweeps (8.6 a change), 46 in sweeps",
        "from Calendly to the table: half within 2.3 s, 95 % within 2.3 s",
        "Run 15 asks what has changed. Ctrl-C ends everything.",
    ]


def test_there_are_figures_before_anything_happened(view: View) -> None:
    empty = View(view.now, "", Watch(), view.in_calendly)

    assert list(figures(empty)) == [
        "changes: 0, deliveries received: 0, runs: 0",
        "requests: 0, 0 at first",
        "from Calendly to the table: no change yet",
    ]


@contextmanager
def live(folder: Path, *options: str, code: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """`make live`, piped, with its files in a folder; `code` runs before it."""
    main = f"import sys; from sandbox.demo import live, programs; {code}; sys.exit(live.main())"
    with subprocess.Popen(  # noqa: S603 -- this project's own
        [sys.executable, "-c", main, *options],
        cwd=HERE,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def working_in(folder: Path) -> list[str]:
    """Return the processes that work in a folder, or did before it was removed."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = (process / "cwd").readlink()
        except OSError:  # another user's, or gone
            continue
        if place.is_relative_to(folder):
            found.append(process.name)
    return found


def wait_for(text: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any(text in line for line in process.stdout), "it has ended"


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", ["--seconds", "Ctrl-C"])
def test_when_it_is_over_duckdb_equals_calendly_and_nothing_is_left_behind(
    tmp_path: Path, way: str
) -> None:
    options = ["--seconds", "12"] if way == "--seconds" else []
    with live(tmp_path, *options) as process:
        wait_for("Run 2 ", process)
        at_work = working_in(tmp_path)
        if way == "Ctrl-C":
            process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
    lines = said.splitlines()

    assert (process.returncode, errors) == (0, "")
    assert any(" in DuckDB after " in line for line in lines)
    assert any(" is the last, as it is over." in line for line in lines)
    assert lines[-4].startswith("changes: ")
    assert "received: 0," not in lines[-4]
    assert " at first, " in lines[-3]
    assert "in sweeps" not in lines[-3]
    assert lines[-2].startswith("from Calendly to the table: half within ")
    assert lines[-1].endswith("meetings in DuckDB, and their invitees, equal Calendly.")
    assert len(at_work) > 0
    assert working_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_it_ends_at_once_and_wholly_when_it_is_terminated(tmp_path: Path) -> None:
    with live(tmp_path, code="programs.TARGET = '/bin/cat'") as process:
        wait_for("Run 1 loads all.", process)
        process.terminate()
        said, errors = process.communicate(timeout=60)

    assert (process.returncode, said.splitlines()[-1], errors) == (0, "Ended.", "")
    assert working_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_a_program_that_fails_is_named_in_one_line(tmp_path: Path) -> None:
    with live(tmp_path, code="programs.TARGET = '/bin/false'") as process:
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (1, "live: target failed: it said nothing\n")
    assert working_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
