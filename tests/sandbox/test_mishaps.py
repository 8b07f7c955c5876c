"""What can go wrong with deliveries, as a test tells the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.http.deliveries import Mishap
from sandbox.http.server import Sandbox
from tests.sandbox.asking import ask
from tests.sandbox.receiver import RECEIVERS_TIME, Receiver, guests, outcomes, stamps, subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.state import Record
    from tests.sandbox.office import Office


@pytest.fixture
def sandbox(office: Office) -> Iterator[Sandbox]:
    with Sandbox(office.calendly) as running:
        running.deliveries.now = lambda: RECEIVERS_TIME
        yield running


@pytest.fixture
def hook(office: Office, receiver: Receiver) -> Record:
    """A subscription to everything in the organization."""
    return subscribe(office.calendly, receiver.url)


@pytest.mark.usefixtures("hook")
def test_the_next_deliveries_of_an_event_can_be_lost(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.deliveries.add(Mishap("invitee.created", lose=True, times=2))
    office.calendly.edit_event_type(uri=office.intro)
    office.book("a", "b", "c")

    sandbox.deliver()

    assert receiver.events == ["event_type.updated", "invitee.created"]
    assert receiver.posted[1].payload["name"] == "c"


@pytest.mark.usefixtures("hook")
def test_mishaps_befall_all_deliveries_until_they_are_removed(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.deliveries.add(Mishap(lose=True, times=None))
    office.book("a", "b")
    sandbox.deliver()
    sandbox.deliveries.clear()
    office.book("c")
    sandbox.deliver()

    assert guests(receiver) == ["c"]


@pytest.mark.usefixtures("hook")
def test_a_delivery_can_be_delayed_by_the_sandboxs_clock(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.deliveries.add(Mishap(delay=3600))
    office.book("late", "other")
    sandbox.deliver()
    office.later(minutes=59)
    assert sandbox.deliver() == []
    office.later(minutes=1)
    sandbox.deliver()

    assert guests(receiver) == ["other", "late"]


@pytest.mark.parametrize(("delay", "after"), [(0, 0), (0, 600), (60, 600)])
@pytest.mark.usefixtures("hook")
def test_a_delivery_can_be_posted_twice_at_once_or_later(
    office: Office, sandbox: Sandbox, receiver: Receiver, delay: int, after: int
) -> None:
    sandbox.deliveries.add(Mishap(delay=delay, again=after))
    office.book("twice", "once")
    arrived = []
    for second in range(0, 900, 60):
        arrived += [(second, one.body) for one in sandbox.deliver()]
        office.later(minutes=1)

    assert sorted(guests(receiver)) == ["once", "twice", "twice"]
    twice = [(second, body) for second, body in arrived if b"twice@" in body]
    assert [second for second, _ in twice] == [delay, delay + after]
    assert twice[0][1] == twice[1][1]


@pytest.mark.usefixtures("hook")
def test_a_delivery_that_is_posted_twice_is_retried_as_one(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.deliveries.add(Mishap(again=7200))
    receiver.answers = [500, 500]
    office.book("kim")
    office.later(hours=3)

    assert outcomes(sandbox.deliver()) == [
        *((1, 500, "to be retried"), (2, 500, "to be retried"), (3, 200, "delivered")),
        (1, 200, "delivered"),
    ]


@pytest.mark.usefixtures("hook")
def test_deliveries_can_be_overtaken_by_those_that_are_due_with_them(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    for overtaken in (True, False, True):
        sandbox.deliveries.add(Mishap(overtaken=overtaken))
    for name in "abcd":
        office.book(name)
        office.later()

    sandbox.deliver()

    assert guests(receiver) == ["b", "d", "a", "c"]


@pytest.mark.usefixtures("hook")
def test_a_signature_can_be_stale_and_its_retry_is_not(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.deliveries.add(Mishap(stale=600))
    receiver.answers = [401]
    office.book("kim")
    sandbox.deliver()
    office.later()
    sandbox.deliver()

    assert stamps(receiver) == [600, 0]


def test_a_receiver_that_is_down_is_not_connected_to(
    office: Office, sandbox: Sandbox, receiver: Receiver, hook: Record
) -> None:
    sandbox.deliveries.down = True
    office.book("kim")
    assert outcomes(sandbox.deliver()) == [(1, None, "to be retried")]
    assert receiver.posted == []
    assert hook["retry_started_at"] is not None

    sandbox.deliveries.down = False
    office.later()
    assert outcomes(sandbox.deliver()) == [(2, 200, "delivered")]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://127.0.0.1:99999/"])
def test_a_receiver_that_cannot_be_connected_to_is_tried_again(
    office: Office, sandbox: Sandbox, url: str
) -> None:
    with Receiver() as gone:
        hook = subscribe(office.calendly, url.format(port=gone.server_port))
    office.book("kim")

    assert outcomes(sandbox.deliver()) == [(1, None, "to be retried")]
    assert hook["state"] == "active"


# Over HTTP


@pytest.mark.usefixtures("hook")
def test_deliveries_are_controlled_over_http(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    def control(path: str = "", json: object = None, method: str = "POST") -> requests.Response:
        address = f"{sandbox.url}/sandbox/webhooks{path}"
        return requests.request(method, address, json=json, timeout=10)

    def delivered() -> Any:  # noqa: ANN401 -- JSON
        return control("/deliver").json()["result"]

    receiver.meanwhile = lambda: ask(sandbox, "/users/me")
    assert control(json={"down": True, "bare_no_shows": True}).status_code == 204
    _, invitee = office.booked()
    attempt = {"event": "invitee.created", "number": 1, "status": None}
    assert delivered()[0] == {**attempt, "outcome": "to be retried"}
    assert control(json={"down": False}).status_code == 204
    assert delivered() == []
    office.calendly.mark_no_show(invitee=invitee)
    assert [one["outcome"] for one in delivered()] == ["delivered"]
    assert receiver.posted[0].payload.keys() == {"uri", "invitee", "created_at"}

    assert control("/mishaps", {"lose": True, "times": None}).status_code == 204
    office.book("lost")
    assert delivered() == []
    assert control("/mishaps", method="DELETE").status_code == 204
    office.book("kept")
    assert [one["outcome"] for one in delivered()] == ["delivered"]
    for path, nonsense in (
        ("", {"up": True}),
        ("", {"down": "yes"}),
        ("", {"_ended": True}),
        ("/mishaps", {"nonsense": 1}),
    ):
        assert control(path, nonsense).status_code == 400
