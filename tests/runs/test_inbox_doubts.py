"""Where the inbox cannot be trusted, a run sweeps as without one, and one line says why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from sandbox.organization.timestamps import to_timestamp
from tap_calendly.inbox.delivery import INVITEE_CREATED, NO_SHOW_CREATED
from tests.cases import cases
from tests.runs.office import MEETINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runs.inbox import InboxOffice

LISTS = "/scheduled_events"
SAID = "scheduled_events: this run sweeps as without an inbox, as "
CREATE = "create it with `calendly-webhooks subscribe`."
CHECK = "check that its database is up, and `inbox_url`."
TO_SUBSCRIBE = "run `calendly-webhooks subscribe`"


def _disable(office: InboxOffice) -> None:
    office.calendly.fail_webhook(webhook=office.subscription, for_good=True)


def _delete(office: InboxOffice) -> None:
    office.calendly.unsubscribe(webhook=office.subscription)


def _recreate(office: InboxOffice) -> None:
    _delete(office)
    office.subscribe()


def _narrow(office: InboxOffice) -> None:
    office.calendly.webhooks[office.subscription]["events"].remove(NO_SHOW_CREATED)


def _fail_deliveries(office: InboxOffice) -> None:
    office.calendly.fail_webhook(webhook=office.subscription)


def _have_failed_until_now(office: InboxOffice) -> None:
    record = office.calendly.webhooks[office.subscription]
    record["retry_started_at"] = to_timestamp(office.clock.now() - timedelta(hours=24))


def _wipe(office: InboxOffice) -> None:
    office.replace_inbox()
    office.note(office.subscription)


def _remove_deliveries(office: InboxOffice) -> None:
    office.deliver_body({"event": "contact.created", "payload": {}})
    office.store.prune(office.clock.now() + timedelta(days=1))


def _restore_a_backup(office: InboxOffice) -> None:
    for entry in office.warehouse.state["bookmarks"].values():
        entry["position"] += 1_000


def _pause(office: InboxOffice) -> None:
    office.clock.advance(timedelta(minutes=2))
    office.receive(after_a_pause=True)


def _lose_the_file(office: InboxOffice) -> None:
    office.receives = False
    office.file.unlink()


def _damage_the_file(office: InboxOffice) -> None:
    office.receives = False
    damaged = office.folder / "damaged.db"
    damaged.write_bytes(b"no database")
    office.warehouse.settings["inbox_url"] = f"sqlite:///{damaged}"


def _never_subscribe(office: InboxOffice) -> None:
    office.replace_inbox()


def _take_another_scope(office: InboxOffice) -> None:
    office.store.note_subscription(office.subscription, {"scope": "user", "user": "A"})


def _name_no_meeting(office: InboxOffice) -> None:
    office.deliver_body({"event": INVITEE_CREATED, "payload": {"uri": "of a new kind"}})


def _hide_the_subscription(office: InboxOffice) -> None:
    office.warehouse.sandbox.faults.add(Fault("/webhook_subscriptions/*", status=403, times=None))


DOUBTS: dict[str, tuple[Callable[[InboxOffice], None], str, bool]] = {
    "disabled": (_disable, f"the inbox's webhook subscription is disabled: {TO_SUBSCRIBE}.", True),
    "deleted": (_delete, f"the inbox's webhook subscription is gone: {TO_SUBSCRIBE}.", True),
    "recreated": (
        _recreate,
        "the inbox's webhook subscription was replaced since the last run.",
        False,
    ),
    "narrowed": (
        _narrow,
        f"the inbox's webhook subscription lacks the events {NO_SHOW_CREATED}: {TO_SUBSCRIBE}.",
        True,
    ),
    "failing": (_fail_deliveries, "late deliveries may come until 2026-03-05 09:50 UTC.", True),
    "failed": (_have_failed_until_now, "Calendly has had trouble delivering.", False),
    "wiped": (_wipe, "the inbox was replaced since the last run.", True),
    "pruned": (
        _remove_deliveries,
        "deliveries were removed from the inbox before they were read.",
        False,
    ),
    "gone back": (
        _restore_a_backup,
        "the inbox has lost deliveries since the last run.",
        False,
    ),
    "paused": (_pause, "no receiver ran for a while.", False),
    "absent": (
        _lose_the_file,
        f"the inbox that `inbox_url` names does not exist: {CREATE}",
        True,
    ),
    "damaged": (
        _damage_the_file,
        f"the inbox that `inbox_url` names cannot be reached (file is not a database): {CHECK}",
        True,
    ),
    "without a subscription": (
        _never_subscribe,
        f"the inbox has no webhook subscription: {TO_SUBSCRIBE}.",
        True,
    ),
    "of another scope": (
        _take_another_scope,
        "the inbox's webhook subscription has another scope than this run.",
        True,
    ),
    "unclear": (_name_no_meeting, "a delivery does not say which meeting it is about.", False),
    "hidden": (
        _hide_the_subscription,
        "the token may not read the inbox's webhook subscription (scope webhooks:read).",
        True,
    ),
}


@pytest.fixture
def trusted(inbox_office: InboxOffice) -> InboxOffice:
    """An office whose last run has earned the inbox's trust, with a booking that was not told."""
    inbox_office.run()
    inbox_office.run()
    inbox_office.book(3)
    return inbox_office


@pytest.mark.parametrize("doubt", cases(list(DOUBTS), quick=list(DOUBTS)))
def test_what_speaks_against_the_inbox_makes_the_run_sweep(
    trusted: InboxOffice, doubt: str, caplog: pytest.LogCaptureFixture
) -> None:
    happens, said, lasts = DOUBTS[doubt]
    happens(trusted)
    caplog.clear()

    trusted.run()
    assert [text for text in caplog.messages if text.startswith(SAID)] == [SAID + said]
    assert trusted.warehouse.equals_calendly()

    trusted.run()
    assert (trusted.warehouse.sandbox.requests_by_path().get(LISTS, 0) > 0) is lasts


def test_nothing_is_trusted_before_the_first_delivery(
    inbox_office: InboxOffice, caplog: pytest.LogCaptureFixture
) -> None:
    inbox_office.replace_inbox()
    inbox_office.note(inbox_office.subscription)
    inbox_office.run()
    inbox_office.run()
    assert (
        f"{SAID}nothing has been delivered to the inbox's webhook subscription yet."
        in caplog.messages
    )

    inbox_office.deliver_body({"event": "contact.created", "payload": {}})
    inbox_office.run()
    assert LISTS not in inbox_office.warehouse.sandbox.requests_by_path()


@pytest.mark.parametrize("doubt", ["recreated", "paused", "failed"])
def test_the_sweep_that_ends_a_doubt_reads_all_recent_invitees(
    trusted: InboxOffice, doubt: str
) -> None:
    """With `doubling`, some would not be due, and later they would not come up again."""
    trusted.warehouse.settings["invitee_rechecks"] = "doubling"
    _, invitee = trusted.book(0.1)
    trusted.run(select=MEETINGS)
    trusted.pass_days(3)
    trusted.run()
    trusted.run()
    happens, _, _ = DOUBTS[doubt]
    trusted.calendly.mark_no_show(invitee=invitee)
    happens(trusted)

    trusted.run()
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize("doubt", ["recreated", "wiped"])
def test_a_stream_that_was_left_out_meanwhile_has_the_doubt_still_to_come(
    trusted: InboxOffice, doubt: str
) -> None:
    _, invitee = trusted.book(0.1)
    trusted.run_with(INVITEE_CREATED, invitee)
    trusted.pass_days(0.2)
    trusted.calendly.mark_no_show(invitee=invitee)
    happens, _, _ = DOUBTS[doubt]
    happens(trusted)
    trusted.run(select={"scheduled_events"})
    for number in range(5):  # so that the new inbox has the positions that the old one had
        trusted.deliver_body({"event": "contact.created", "payload": {"number": number}})

    trusted.run()
    assert trusted.warehouse.equals_calendly()


@pytest.mark.parametrize("doubt", ["recreated", "paused"])
def test_a_doubt_ends_with_its_sweep_although_the_subscription_could_not_be_read(
    trusted: InboxOffice, doubt: str
) -> None:
    """That run moves the position past the doubt: the next one cannot see it any more."""
    trusted.warehouse.settings["invitee_rechecks"] = "doubling"
    _, invitee = trusted.book(0.1)
    trusted.run_with(INVITEE_CREATED, invitee)
    trusted.pass_days(3)
    trusted.run()
    trusted.calendly.mark_no_show(invitee=invitee)
    happens, _, _ = DOUBTS[doubt]
    happens(trusted)
    _hide_the_subscription(trusted)
    trusted.run()

    trusted.warehouse.sandbox.faults.clear()
    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_an_interval_of_zero_sweeps_in_every_run(trusted: InboxOffice) -> None:
    trusted.warehouse.settings["sweep_interval_hours"] = 0

    trusted.run()
    assert trusted.warehouse.equals_calendly()


def test_deliveries_count_although_late_ones_may_still_come(trusted: InboxOffice) -> None:
    """A no-show at an older meeting, which no sweep would find."""
    _, invitee = trusted.book(-30)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    _fail_deliveries(trusted)
    trusted.run()
    trusted.calendly.mark_no_show(invitee=invitee)
    trusted.deliver(NO_SHOW_CREATED, invitee)

    trusted.run()
    assert trusted.shows("event_invitees", invitee)


def test_a_full_scan_comes_when_it_is_due(trusted: InboxOffice) -> None:
    trusted.warehouse.settings |= {"full_scan_interval_days": 1, "sweep_interval_hours": 100}
    event, _ = trusted.book(-30)
    trusted.pass_days(1)

    trusted.run()
    assert trusted.shows("scheduled_events", event)


def test_settings_may_change_with_and_without_an_inbox(trusted: InboxOffice) -> None:
    url = trusted.warehouse.settings.pop("inbox_url")
    trusted.book(4)
    trusted.run()
    assert trusted.warehouse.equals_calendly()

    _, invitee = trusted.book(-30)
    trusted.deliver(INVITEE_CREATED, invitee)
    trusted.run()
    trusted.warehouse.settings["inbox_url"] = url
    trusted.run()
    assert trusted.shows("event_invitees", invitee)


def test_a_stream_that_is_new_is_loaded_whole(inbox_office: InboxOffice) -> None:
    inbox_office.run(select={"scheduled_events"})
    inbox_office.book(-100)
    inbox_office.warehouse.state.clear()
    inbox_office.run(select={"scheduled_events"})
    inbox_office.run()
    assert inbox_office.warehouse.equals_calendly()


def test_the_inbox_is_never_created(trusted: InboxOffice) -> None:
    _lose_the_file(trusted)

    trusted.run()
    assert not trusted.file.exists()
