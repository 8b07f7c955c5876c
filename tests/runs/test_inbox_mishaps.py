"""Whatever goes wrong while a run reads the inbox, no delivery is passed over."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.inbox.delivery import INVITEE_CANCELED, INVITEE_CREATED, NO_SHOW_CREATED
from tap_calendly.inbox.reader import InboxReader, unreadable
from tap_calendly.reporting.errors import StreamsError
from tests.cases import cases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runs.inbox import InboxOffice

LISTS = "/scheduled_events"
SINGLE = "/scheduled_events/*"
SAID = "scheduled_events: this run sweeps as without an inbox, as "


@pytest.fixture
def trusted(inbox_office: InboxOffice) -> InboxOffice:
    """An office whose last run has earned the inbox's trust, with meetings that no sweep finds."""
    for days in range(-130, -100):
        inbox_office.book(days)
    inbox_office.run()
    inbox_office.pass_days(0.1)
    inbox_office.run()
    return inbox_office


def _mark_all(office: InboxOffice) -> None:
    """Mark everybody as a no-show, which is told, and let two hours pass."""
    for (invitee,) in list(office.calendly.invitees.values()):
        office.calendly.mark_no_show(invitee=invitee["uri"])
        office.deliver(NO_SHOW_CREATED, invitee["uri"])
    office.pass_days(0.1)


def _run_that_fails(office: InboxOffice, path: str) -> None:
    office.warehouse.sandbox.faults.add(Fault(path, status=400, times=None))
    with pytest.raises(StreamsError):
        office.run()
    office.warehouse.sandbox.faults.clear()


@pytest.mark.parametrize("killed_after", cases([4, 7, 28, 58], quick=[7]))
def test_a_killed_run_with_a_new_subscription_is_repeated_from_where_the_old_one_ended(
    trusted: InboxOffice, killed_after: int
) -> None:
    _mark_all(trusted)
    trusted.calendly.unsubscribe(webhook=trusted.subscription)
    trusted.subscribe()
    trusted.warehouse.run(select={"scheduled_events", "event_invitees"}, killed_after=killed_after)

    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_a_failed_run_with_a_new_subscription_is_repeated_from_where_the_old_one_ended(
    trusted: InboxOffice,
) -> None:
    _mark_all(trusted)
    trusted.calendly.unsubscribe(webhook=trusted.subscription)
    trusted.subscribe()
    _run_that_fails(trusted, "/scheduled_events/*/invitees")

    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_what_came_after_a_failed_first_run_with_an_inbox_is_loaded(trusted: InboxOffice) -> None:
    trusted.warehouse.state.pop("inbox")
    for entry in trusted.warehouse.state["bookmarks"].values():
        del entry["position"]
    _run_that_fails(trusted, LISTS)
    _mark_all(trusted)

    trusted.run()
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize("event", [INVITEE_CREATED, INVITEE_CANCELED])
def test_what_was_told_of_meetings_before_the_start_date_is_loaded_once_it_is_removed(
    trusted: InboxOffice, event: str
) -> None:
    _, invitee = trusted.book(-30)
    if event == INVITEE_CANCELED:
        trusted.run_with(INVITEE_CREATED, invitee)
    trusted.warehouse.settings["start_date"] = trusted.clock.now().isoformat()
    trusted.run()
    if event == INVITEE_CANCELED:
        trusted.calendly.cancel(invitee=invitee, by="invitee")
    trusted.run_with(event, invitee)

    del trusted.warehouse.settings["start_date"]
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def _back_up(office: InboxOffice, into: Path) -> None:
    with closing(sqlite3.connect(office.file)) as own, closing(sqlite3.connect(into)) as copy:
        own.backup(copy)


def test_a_backup_that_was_restored_is_noticed_however_much_came_since(
    trusted: InboxOffice, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    _back_up(trusted, backup)
    for number in range(5):
        trusted.deliver_body({"event": "contact.created", "payload": {"number": number}})
    trusted.run()
    trusted.file.with_name(f"{trusted.file.name}-wal").unlink()
    shutil.move(backup, trusted.file)
    trusted.clock.advance(timedelta(minutes=5))
    trusted.receive(after_a_pause=True)
    _mark_all(trusted)

    trusted.run()
    assert f"{SAID}no receiver ran for a while." in caplog.messages
    assert trusted.warehouse.equals_calendly()


def test_deliveries_that_are_removed_while_a_run_reads_make_it_sweep(
    trusted: InboxOffice, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    read = InboxReader.after

    def prune(reader: InboxReader, *span: object) -> object:
        trusted.store.prune(trusted.clock.now() + timedelta(days=1))
        return read(reader, *span)  # type: ignore[arg-type]

    monkeypatch.setattr(InboxReader, "after", prune)

    trusted.run()
    assert f"{SAID}deliveries were removed from the inbox before they were read." in caplog.messages
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize("part", ["after", "has_gap_after", "has_delivery_after"])
@pytest.mark.parametrize("run", ["first", "later"])
def test_an_inbox_that_vanishes_while_a_run_reads_makes_it_sweep(
    inbox_office: InboxOffice, monkeypatch: pytest.MonkeyPatch, part: str, run: str
) -> None:
    if run == "later":
        inbox_office.run()
        inbox_office.run()
    inbox_office.book(3)

    def vanish(*_: object) -> None:
        raise unreadable(OSError())

    monkeypatch.setattr(InboxReader, part, vanish)

    inbox_office.run()
    assert inbox_office.warehouse.equals_calendly()


def test_a_meeting_that_cannot_be_read_makes_the_run_sweep_and_is_passed(
    trusted: InboxOffice,
) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.pass_days(0.1)
    trusted.warehouse.sandbox.faults.add(Fault(SINGLE, status=400, times=1))

    trusted.run()
    assert trusted.warehouse.equals_calendly()
    trusted.run()
    assert LISTS not in trusted.warehouse.sandbox.requests_by_path()


@pytest.mark.usefixtures("waits")
def test_lost_access_fails_the_run_although_the_api_may_be_behind(trusted: InboxOffice) -> None:
    _, invitee = trusted.book(3)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.warehouse.sandbox.faults.add(Fault("/scheduled_events*", status=403, times=None))

    with pytest.raises(StreamsError, match="it was loaded until"):
        trusted.run()


def test_a_gap_that_was_removed_is_no_delivery(
    inbox_office: InboxOffice, caplog: pytest.LogCaptureFixture
) -> None:
    inbox_office.replace_inbox()
    inbox_office.note(inbox_office.subscription)
    inbox_office.clock.advance(timedelta(minutes=5))
    inbox_office.receive(after_a_pause=True)
    inbox_office.run()
    inbox_office.store.prune(inbox_office.clock.now() + timedelta(days=1))
    inbox_office.run()
    caplog.clear()

    inbox_office.run()
    assert f"{SAID}nothing has been delivered to the inbox's webhook subscription yet." in (
        caplog.messages
    )
