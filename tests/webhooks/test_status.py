"""`status` shows how everything is, and fails if something needs a person."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.inbox.store import Store
from tests.webhooks.command import HOOK, ONE, TRUSTED, Command
from tests.webhooks.deliveries import delivery

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.http.server import Sandbox


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def store(command: Command) -> Store:
    """An inbox whose subscription, receiver and deliveries are as they should be."""
    command.subscribed()
    return filled(command.inbox_url)


def filled(inbox_url: str) -> Store:
    store = Store(inbox_url)
    store.beat(now())
    store.add(delivery(1), now())
    store.add(delivery(2), now())
    store.add(delivery(3, "invitee.canceled"), now())
    return store


def problems(command: Command) -> list[str]:
    """Return what needs a person, both as text and as JSON; the exit status says so, too."""
    result = command.run("status")
    shown = [line for line in result.stdout.splitlines() if line.startswith("Problem: ")]
    assert result.returncode == (1 if shown else 0)
    assert result.stderr == ""
    told = command.run("status", "--json")
    assert told.returncode == result.returncode
    found: list[str] = json.loads(told.stdout)["problems"]
    assert shown == [f"Problem: {one}" for one in found]
    return found


def test_an_inbox_that_needs_nobody_is_shown(
    empty_sandbox: Sandbox, tmp_path: Path, inbox_url: str
) -> None:
    command = Command(empty_sandbox, tmp_path, inbox_url)
    uri = command.subscribed("--events", TRUSTED)
    filled(inbox_url)

    lines = command.says("status").splitlines()

    assert lines[:2] == [
        f"Subscription: {uri}, active",
        "Posts to hooks.windmill.example, scope organization: " + TRUSTED.replace(",", ", "),
    ]
    assert lines[2].startswith("Inbox: 3 deliveries, 0.")
    assert lines[3].startswith(f"Last delivery: {now():%Y-%m-%dT}")
    assert lines[4].startswith(f"Last beat of a receiver: {now():%Y-%m-%dT}")
    assert lines[5:] == [
        "Delivered in 24 hours: invitee.canceled 1, invitee.created 2",
        "Refused in 24 hours: none",
    ]
    assert command.requests == [f"GET {ONE}"]


@pytest.mark.usefixtures("store")
def test_json_is_one_object(command: Command) -> None:
    told = json.loads(command.says("status", "--json"))

    hook = command.sandbox.calendly.webhooks[command.noted]
    assert told["subscription"] == {
        "uri": command.noted,
        "state": "active",
        "scope": "organization",
        "callback_host": "hooks.windmill.example",
        "events": hook["events"],
        "retry_started_at": None,
    }
    assert told["inbox"]["deliveries"] == 3
    assert told["inbox"]["by_event"] == {"invitee.canceled": 1, "invitee.created": 2}
    assert told["inbox"]["refused"] == {}
    assert told["inbox"]["size_bytes"] > 0
    assert told["problems"] == []


def test_failing_deliveries_are_shown_while_calendly_retries_them(
    command: Command, store: Store
) -> None:
    command.sandbox.calendly.fail_webhook(webhook=command.noted)
    since = command.sandbox.calendly.webhooks[command.noted]["retry_started_at"]
    store.beat(now())

    assert f"Deliveries failed, and were retried, from {since} on\n" in command.says("status")


PROBLEMS: dict[str, tuple[Callable[[Command, Store], object], str]] = {
    "disabled": (
        lambda command, _: command.sandbox.calendly.fail_webhook(
            webhook=command.noted, for_good=True
        ),
        "The subscription is disabled, as deliveries failed for too long: ",
    ),
    "failing": (
        lambda command, _: command.sandbox.calendly.webhooks[command.noted].update(
            retry_started_at=now().isoformat()
        ),
        "deliveries have failed since ",
    ),
    "gone": (
        lambda command, _: command.sandbox.calendly.unsubscribe(webhook=command.noted),
        "The subscription is gone: run `calendly-webhooks subscribe`.",
    ),
    "without an event": (
        lambda command, _: command.sandbox.calendly.webhooks[command.noted].update(
            events=["invitee.created", "invitee.canceled", "invitee_no_show.created"]
        ),
        "The subscription lacks the events invitee_no_show.deleted, so that the tap cannot trust",
    ),
    "of another scope": (
        lambda command, _: command.settings.update(scope="user"),
        "The subscription is not for what the settings `scope`, ",
    ),
    "a wrong key": (
        lambda _, store: store.beat(now(), {"wrong signature": 3}),
        "Refused 3 in 24 hours (wrong signature): check that `webhook_signing_key`",
    ),
    "a clock that is fast": (
        lambda _, store: store.beat(now(), {"old signature": 1}),
        "Refused 1 in 24 hours (old signature): the signature is right, but older",
    ),
    "a clock that is slow": (
        lambda _, store: store.beat(now(), {"future signature": 2}),
        "Refused 2 in 24 hours (future signature): the signature is right, but later",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_needs_a_person_is_said_in_one_line(command: Command, store: Store, name: str) -> None:
    spoil, expected = PROBLEMS[name]
    assert problems(command) == []

    spoil(command, store)

    (problem,) = problems(command)
    assert problem.startswith(expected)


def test_strangers_need_nobody(command: Command, store: Store) -> None:
    store.beat(now(), {"no signature": 7, "too large": 1})

    assert "Refused in 24 hours: no signature 7, too large 1\n" in command.says("status")


def test_a_receiver_that_has_stopped_is_named_with_its_last_beat(command: Command) -> None:
    command.subscribed()
    store, last = Store(command.inbox_url), now() - timedelta(minutes=5)
    store.beat(last)
    store.add(delivery(1), last)

    (problem,) = problems(command)

    assert problem.startswith(f"No receiver has run since {last:%Y-%m-%dT%H:%M:%S}Z: start")


def test_after_subscribe_receiver_and_first_delivery_are_waited_for(command: Command) -> None:
    command.subscribed()

    no_delivery, no_receiver = problems(command)

    assert no_delivery.startswith("Nothing has been delivered since the subscription was created")
    assert no_receiver.startswith("No receiver has run since the inbox was created")


def test_deliveries_of_the_subscription_before_do_not_count(command: Command, store: Store) -> None:
    command.subscribed("--replace")
    store.beat(now())

    (problem,) = problems(command)

    assert problem.startswith("Nothing has been delivered")


def test_an_inbox_without_a_subscription_says_so(command: Command) -> None:
    Store(command.inbox_url).beat(now())

    assert problems(command) == [
        "The inbox has no subscription: run `calendly-webhooks subscribe`."
    ]
    assert "Subscription: none\n" in command.run("status").stdout
    assert command.requests == []


def test_an_inbox_that_is_absent_is_not_created(command: Command, tmp_path: Path) -> None:
    assert "does not exist: create it with `calendly-webhooks subscribe`" in command.fails("status")
    assert list(tmp_path.glob("inbox.db*")) == []


@pytest.mark.usefixtures("store", "waits")
def test_calendly_being_down_is_one_line(command: Command) -> None:
    command.settings["retry_timeout"] = 1
    command.sandbox.faults.add(Fault("/webhook_subscriptions/*", status=503, times=None))

    assert "Calendly answered 503 to GET /webhook_subscriptions/" in command.fails("status")


@pytest.mark.usefixtures("store")
def test_what_others_subscribe_to_is_no_matter(command: Command) -> None:
    calendly = command.sandbox.calendly
    crm = calendly.subscribe(callback_url=f"{HOOK}/crm", events=["contact.created"])
    calendly.fail_webhook(webhook=crm, for_good=True)

    assert problems(command) == []
