"""The receiver answers 200 for what is committed, 503 for what is not, and says how it is doing."""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_calendly.inbox.figures import figures
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.webhooks import receiver, writer
from tap_calendly.webhooks.receiver import ReceiverOptions
from tests.webhooks.deliveries import body, delivery, digest
from tests.webhooks.served import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.types import Message

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
LOGGER = logging.getLogger("receiver")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Stand still at a time."""
        self.time = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time


class Receiver:
    """The receiver's application, asked in this process."""

    def __init__(self, url: str, keep_days: int = 90) -> None:
        """Open the inbox."""
        self.clock = Clock()
        options = ReceiverOptions("/", 180, keep_days)
        self.app = receiver.receiver(settings(url), options, LOGGER, self.clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Begin and end as an ASGI server would have it."""
        async with self.app.router.lifespan_context(self.app):
            yield

    async def post(self, content: bytes, *, sign: bool = True) -> int:
        """Post a delivery, and return the status."""
        stamp = int(self.clock.time.timestamp())
        header = f"t={stamp},v1={digest(content, stamp)}" if sign else ""
        return (await self.ask("POST", "/", content, header))[0]

    async def ask(
        self, method: str, path: str, content: bytes = b"", header: str = ""
    ) -> tuple[int, str]:
        """Return the status and the body of an answer."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"calendly-webhook-signature", header.encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:]).decode()


def test_a_delivery_of_an_event_that_nobody_knows_is_kept(sqlite: str) -> None:
    async def steps(here: Receiver) -> None:
        async with here.running():
            assert await here.post(body(1, "invitee.cloned")) == 200

    asyncio.run(steps(Receiver(sqlite)))

    (found,) = InboxReader(sqlite).after(0)
    assert found.delivery == delivery(1, "invitee.cloned")
    assert found.received_at == NOW


def test_deliveries_that_wait_are_committed_together(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, sizes = threading.Event(), threading.Event(), []
    add_all = Store.add_all

    def slow(store: Store, deliveries: list[object], now: datetime) -> None:
        sizes.append(len(deliveries))
        began.set()
        assert go_on.wait(10)
        add_all(store, deliveries, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "add_all", slow)

    async def steps(here: Receiver) -> list[int]:
        async with here.running():
            first = asyncio.create_task(here.post(body(0)))
            await asyncio.to_thread(began.wait, 10)
            others = [asyncio.create_task(here.post(body(n))) for n in range(1, 30)]
            for _ in range(20):  # more steps than they take until they wait
                await asyncio.sleep(0)
            go_on.set()
            return await asyncio.gather(first, *others)

    assert asyncio.run(steps(Receiver(sqlite))) == [200] * 30
    assert sizes == [1, 29]
    assert len(list(InboxReader(sqlite).after(0))) == 30


def test_an_inbox_that_does_not_answer_in_time_is_503_and_no_later_200(
    sqlite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "SECONDS", 0.05)

    async def steps(here: Receiver) -> None:
        async with here.running():
            with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as other:
                other.execute("BEGIN IMMEDIATE")
                assert await asyncio.gather(*(here.post(body(n)) for n in range(5))) == [503] * 5
                assert (await here.ask("GET", "/healthz"))[0] == 503
            while (await here.ask("GET", "/healthz"))[0] != 200:
                pass
            assert await here.post(body(9)) == 200

    asyncio.run(steps(Receiver(sqlite)))

    lines = [one.getMessage() for one in caplog.records if one.levelno > logging.INFO]
    assert len(lines) == 1
    assert "the inbox that `inbox_url` names cannot be reached (no answer in 0 s)" in lines[0]


def test_the_reasons_of_a_flood_are_logged_once_a_minute_and_all_counted(
    sqlite: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def steps(here: Receiver) -> str:
        async with here.running():
            for _ in range(50):
                assert await here.post(body(1), sign=False) == 401
            assert await here.post(b"[]") == 400
            assert await here.ask("GET", "/healthz") == (200, "")  # which writes them down
            here.clock.time += timedelta(seconds=59)
            await here.post(body(1), sign=False)
            here.clock.time += timedelta(seconds=1)
            await here.post(body(1), sign=False)
            await here.post(body(1), sign=False)
            return (await here.ask("GET", "/metrics"))[1]

    metrics = asyncio.run(steps(Receiver(sqlite)))

    lines = [one.getMessage() for one in caplog.records if "Refused" in one.getMessage()]
    assert [line.split(":")[0] for line in lines] == [
        "Refused 1 (no signature)",
        "Refused 1 (unreadable)",
        "Refused 51 (no signature)",
    ]
    assert 'calendly_webhooks_refused_total{reason="no signature"} 53.0' in metrics
    found = figures(sqlite, NOW + timedelta(minutes=1)).refused
    assert found == {"no signature": 53, "unreadable": 1}


def test_what_is_refused_during_a_beat_is_written_by_the_next(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Receiver(sqlite)
    began, go_on, beat = threading.Event(), threading.Event(), Store.beat

    def slow(store: Store, now: datetime, refused: Mapping[str, int]) -> None:
        beat(store, now, refused)
        began.set()
        assert go_on.wait(10)

    monkeypatch.setattr(Store, "beat", slow)

    async def steps() -> None:
        async with here.running():
            await asyncio.to_thread(began.wait, 10)
            assert await here.post(body(1), sign=False) == 401
            asyncio.get_running_loop().call_later(0, go_on.set)

    asyncio.run(steps())

    assert figures(sqlite, NOW).refused == {"no signature": 1}


def test_metrics_count_deliveries_by_the_events_that_are_known(sqlite: str) -> None:
    async def steps(here: Receiver) -> str:
        async with here.running():
            for number, event in enumerate(("invitee.created", "contact.deleted", "x", "y", "x")):
                assert await here.post(body(number, event)) == 200
            return (await here.ask("GET", "/metrics"))[1]

    metrics = asyncio.run(steps(Receiver(sqlite)))

    deliveries = re.findall(r"^calendly_webhooks_deliveries_total(.*)$", metrics, re.MULTILINE)
    assert deliveries == [
        '{event="invitee.created"} 1.0',
        '{event="contact.deleted"} 1.0',
        '{event="other"} 3.0',
    ]
    assert "calendly_webhooks_delivery_seconds_count 5.0" in metrics
    assert "calendly_webhooks_store_failures_total 0.0" in metrics


def test_a_receiver_beats_and_prunes_once_a_day(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "BEAT_SECONDS", 0.001)
    pruned: list[datetime] = []
    prune = Store.prune

    def noted(store: Store, before: datetime) -> int:
        pruned.append(before)
        return prune(store, before)

    monkeypatch.setattr(Store, "prune", noted)
    store = Store(sqlite)
    store.add(delivery(1), NOW - timedelta(days=91))
    store.add(delivery(2), NOW - timedelta(days=88))

    async def until(here: Receiver, time: datetime) -> None:
        here.clock.time = time
        while InboxReader(sqlite).beat != time:  # noqa: ASYNC110 - nobody tells of a beat
            await asyncio.sleep(0.001)

    async def steps(here: Receiver) -> None:
        async with here.running():
            for hours in (0, 1, 23, 25, 26):
                await until(here, NOW + timedelta(hours=hours, seconds=1))
                # A prune follows its beat, so it is over by the beat after that.
                await until(here, NOW + timedelta(hours=hours, seconds=2))

    asyncio.run(steps(Receiver(sqlite, keep_days=90)))

    assert [(before - pruned[0]).days for before in pruned] == [0, 1]
    assert timedelta(0) <= pruned[0] + timedelta(days=90) - NOW <= timedelta(seconds=2)
    (found,) = InboxReader(sqlite).after(0)
    assert found.delivery == delivery(2)


def test_nothing_is_pruned_if_all_is_to_be_kept(sqlite: str) -> None:
    Store(sqlite).add(delivery(1), NOW - timedelta(days=9000))

    async def steps(here: Receiver) -> None:
        async with here.running():
            assert await here.post(body(2)) == 200

    asyncio.run(steps(Receiver(sqlite, keep_days=0)))

    assert len(list(InboxReader(sqlite).after(0))) == 2


def test_a_gap_lies_before_what_is_received_after_a_pause(sqlite: str) -> None:
    Store(sqlite).beat(NOW - timedelta(minutes=2))
    before = InboxReader(sqlite).last

    async def steps(here: Receiver) -> None:
        async with here.running():
            assert await here.post(body(1)) == 200

    asyncio.run(steps(Receiver(sqlite)))

    (found,) = InboxReader(sqlite).after(0)
    assert InboxReader(sqlite).has_gap_after(before)
    assert not InboxReader(sqlite).has_gap_after(found.position - 1)
