"""How webhooks are posted: signed, again until they are answered, and what can go wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import Clock, SimulatedClock
from sandbox.organization.timestamps import from_timestamp
from tests.sandbox.asking import ask
from tests.sandbox.office import NOW, START, Office
from tests.sandbox.receiver import (
    KEY,
    RECEIVERS_TIME,
    SIGNATURE,
    Receiver,
    guests,
    outcomes,
    stamps,
    subscribe,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.state import Record


@pytest.fixture
def sandbox(office: Office) -> Iterator[Sandbox]:
    with Sandbox(office.calendly) as running:
        running.deliveries.now = lambda: RECEIVERS_TIME
        yield running


@pytest.fixture
def hook(office: Office, receiver: Receiver) -> Record:
    """A subscription to everything in the organization."""
    return subscribe(office.calendly, receiver.url)


# The request


@pytest.mark.usefixtures("hook")
def test_a_delivery_is_signed_over_its_raw_body_in_the_receivers_time(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    office.book("Zoë")

    (attempt,) = sandbox.deliver()
    (delivery,) = receiver.posted

    stamp = int(RECEIVERS_TIME.timestamp())
    signed = hmac.new(KEY.encode(), f"{stamp}.".encode() + delivery.body, hashlib.sha256)
    assert delivery.headers[SIGNATURE] == f"t={stamp},v1={signed.hexdigest()}"
    assert delivery.headers["user-agent"] == "Calendly"
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.target == "/hook?from=calendly"
    assert "Zoë".encode() in delivery.body
    assert (attempt.event, attempt.body) == ("invitee.created", delivery.body)
    assert outcomes([attempt]) == [(1, 200, "delivered")]


def test_each_subscription_has_its_own_key_and_without_one_nothing_is_signed(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    for number, key in enumerate(("one", "two", None)):
        record = subscribe(office.calendly, f"{receiver.url}&{number}")
        office.calendly.webhook_keys[record["uri"]] = key
    office.book("kim")

    sandbox.deliver()

    assert len({one.headers.get(SIGNATURE) for one in receiver.posted}) == 3
    assert SIGNATURE not in receiver.posted[2].headers


@pytest.mark.usefixtures("hook")
def test_what_happened_is_posted_once_and_in_order(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    office.book("a", "b")
    office.later()
    office.book("c")

    assert len(sandbox.deliver()) == 3
    assert sandbox.deliver() == []
    assert guests(receiver) == ["a", "b", "c"]


@pytest.mark.usefixtures("hook")
def test_a_receiver_can_ask_the_api_before_it_answers(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    asked = []
    receiver.meanwhile = lambda: asked.append(ask(sandbox, "/users/me").status_code)
    office.book("kim")

    assert outcomes(sandbox.deliver()) == [(1, 200, "delivered")]
    assert asked == [200]


# Retries


@pytest.mark.parametrize("status", [302, 401, 404, 410, 500, 503])
def test_any_answer_but_2xx_is_a_failure_and_redirects_are_not_followed(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record, status: int
) -> None:
    receiver.answers = [status]
    office.book("kim")

    assert outcomes(sandbox.deliver()) == [(1, status, "to be retried")]
    assert len(receiver.posted) == 1
    assert hook["state"] == "active"
    office.later(minutes=1)
    assert outcomes(sandbox.deliver()) == [(2, 200, "delivered")]


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.usefixtures("hook")
def test_any_2xx_is_a_success(
    office: Office, sandbox: Sandbox, receiver: Receiver, status: int
) -> None:
    receiver.answers = [status]
    office.book("kim")

    assert outcomes(sandbox.deliver()) == [(1, status, "delivered")]


def test_retries_come_at_growing_intervals_while_other_messages_go_on(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    receiver.answers = [500] * 4
    office.book("late")
    tried = []
    for minute in range(20):
        if minute == 2:
            assert receiver.answers == [500] * 2
            receiver.answers = []
            office.book("other")
            sandbox.deliver()
            receiver.answers = [500] * 2
        tried += [minute] * len(sandbox.deliver())
        office.later(minutes=1)

    assert tried == [0, 1, 3, 7, 15]
    assert guests(receiver) == ["late", "late", "other", "late", "late", "late"]
    assert len({one.body for one in receiver.posted}) == 2
    assert hook["state"] == "active"


def test_the_start_of_trouble_is_told_at_the_first_failure_and_never_cleared(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    office.book("fine")
    sandbox.deliver()
    assert hook["retry_started_at"] is None
    receiver.answers = [500]
    office.book("trouble")
    sandbox.deliver()
    began = hook["retry_started_at"]

    assert from_timestamp(str(began)) - office.clock.now() < timedelta(seconds=1)
    office.later()
    sandbox.deliver()
    receiver.answers = [500]
    office.book("again")
    sandbox.deliver()
    assert (hook["retry_started_at"], hook["state"]) == (began, "active")


def test_a_subscription_is_disabled_after_24_hours_and_then_told_nothing_more(
    office: Office, sandbox: Sandbox, hook: Record
) -> None:
    sandbox.deliveries.down = True
    office.book("kim")
    sandbox.deliver()
    for _ in range(24):
        office.later(minutes=59, seconds=59)
        sandbox.deliver()
        assert hook["state"] == "active"
    office.book("last")
    sandbox.deliver()
    office.later(minutes=1)

    *_, end = sandbox.deliver()

    assert (end.outcome, hook["state"]) == ("disabled", "disabled")
    sandbox.deliveries.down = False
    office.book("afterwards")
    office.later(days=2)
    assert sandbox.deliver() == []


def test_retries_that_were_due_since_are_made_one_after_the_other(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    receiver.answers = [500] * 3
    office.book("kim")
    office.later(days=3)

    assert outcomes(sandbox.deliver()) == [
        *[(number, 500, "to be retried") for number in (1, 2, 3)],
        (4, 200, "delivered"),
    ]
    receiver.answers = [500] * 99
    office.book("lee")
    office.later(days=3)
    assert [one.outcome for one in sandbox.deliver()] == [*["to be retried"] * 11, "disabled"]
    assert hook["state"] == "disabled"


@pytest.mark.parametrize(("drops", "state"), [(True, "active"), (False, "disabled")])
def test_a_message_about_a_meeting_can_be_dropped_a_day_after_its_start(
    office: Office, sandbox: Sandbox, hook: Record, *, drops: bool, state: str
) -> None:
    _, invitee = office.booked()
    sandbox.deliver()
    sandbox.deliveries.drop_after_booking = drops
    sandbox.deliveries.down = True
    office.clock.move_to(START + timedelta(hours=20))
    office.calendly.mark_no_show(invitee=invitee)
    office.calendly.edit_event_type(uri=office.course, active=False)
    office.later(hours=5)
    events = {one.event: one.outcome for one in sandbox.deliver()}
    sandbox.deliveries.down = False
    office.later(hours=18)
    events |= {one.event: one.outcome for one in sandbox.deliver()}
    assert hook["state"] == "active"

    assert events == {
        "invitee_no_show.created": "dropped" if drops else "delivered",
        "event_type.updated": "delivered",
    }
    sandbox.deliveries.down = True
    office.calendly.unmark_no_show(invitee=invitee)
    office.later(days=2)
    sandbox.deliver()
    assert hook["state"] == state


def test_a_subscription_that_was_deleted_is_sent_no_retries(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    receiver.answers = [500]
    office.book("kim")
    sandbox.deliver()
    office.calendly.unsubscribe(webhook=hook["uri"])
    office.later()

    assert sandbox.deliver() == []


def test_a_subscription_that_is_deleted_while_it_is_told_is_left_alone(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    receiver.meanwhile = lambda: office.calendly.unsubscribe(webhook=hook["uri"])
    receiver.answers = [500]
    office.book("kim")

    assert outcomes(sandbox.deliver()) == [(1, 500, "dropped")]


@pytest.mark.parametrize(("renews", "age"), [(True, 0), (False, 3600)])
@pytest.mark.usefixtures("hook")
def test_retries_are_signed_anew_or_keep_the_stamp(
    office: Office, sandbox: Sandbox, receiver: Receiver, *, renews: bool, age: int
) -> None:
    sandbox.deliveries.renew_stamps = renews
    receiver.answers = [503]
    office.book("kim")
    sandbox.deliveries.now = lambda: RECEIVERS_TIME - timedelta(hours=1)
    sandbox.deliver()
    sandbox.deliveries.now = lambda: RECEIVERS_TIME
    office.later()
    sandbox.deliver()

    assert stamps(receiver) == [3600, age]


# With a clock that runs


class RunningClock(Clock):
    """A clock that nobody has to tell the sandbox about."""

    def __init__(self) -> None:
        """Stand at ``NOW``."""
        self.time = NOW
        self.asked = threading.Event()

    @override
    def now(self) -> datetime:
        self.asked.set()
        return self.time


def test_with_a_running_clock_everything_is_posted_as_it_happens(receiver: Receiver) -> None:
    clock = RunningClock()
    calendly = Calendly(clock)
    subscribe(calendly, receiver.url)
    receiver.answers = [500]
    with Sandbox(calendly):
        calendly.add_contact(user=calendly.owner, email="kim@guest.example")
        assert receiver.arrivals.get(timeout=10).event == "contact.created"
        calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)
        assert receiver.arrivals.get(timeout=10).event == "event_type.created"
        clock.asked.clear()
        assert clock.asked.wait(timeout=10)  # it has seen that the retry is not due yet
        clock.time += timedelta(minutes=1)
        assert receiver.arrivals.get(timeout=10).event == "contact.created"


def test_with_a_simulated_clock_nothing_is_posted_unasked(receiver: Receiver) -> None:
    calendly = Calendly(SimulatedClock(NOW))
    subscribe(calendly, receiver.url)
    with Sandbox(calendly) as sandbox:
        calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)
        ask(sandbox, "/users/me")
        assert receiver.posted == []
        assert len(sandbox.deliver()) == 1


def test_a_sandbox_that_has_ended_posts_nothing(receiver: Receiver) -> None:
    calendly = Calendly(RunningClock())
    subscribe(calendly, receiver.url)
    with Sandbox(calendly):
        pass
    assert "deliveries" not in {one.name for one in threading.enumerate()}
    calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)

    with Sandbox(calendly):
        told = receiver.arrivals.get(timeout=10)

    assert json.loads(told.body)["event"] == "event_type.created"
    assert len(receiver.posted) == 1
