"""A reader that has seen a position never misses what comes with a lower one, or with the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tests.webhooks.deliveries import delivery

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)


def positions(url: str) -> list[int]:
    return [one.position for one in InboxReader(url).after(0)]


def test_a_delivery_waits_for_one_that_is_written_but_not_committed(postgres: str) -> None:
    first, second = Store(postgres), Store(postgres)
    with psycopg.connect(postgres) as slow, ThreadPoolExecutor(1) as other:
        slow.execute("SELECT value FROM calendly_inbox WHERE name = 'identity' FOR UPDATE")
        slow.execute(
            "INSERT INTO calendly_deliveries (id, received_at) VALUES ('slow', '2026-03-04')"
        )
        waiting = other.submit(second.add, delivery(2), NOW)
        with psycopg.connect(postgres, autocommit=True) as watching:
            while not watching.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            ).fetchone():
                assert not waiting.done()
        assert positions(postgres) == []
        slow.commit()
        waiting.result(10)
    first.add(delivery(3), NOW)

    assert positions(postgres) == [1, 2, 3]


def test_a_reader_never_sees_a_position_below_one_it_has_seen(inbox_url: str) -> None:
    stores = [Store(inbox_url) for _ in range(3)]
    ended = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not ended.is_set():
            seen.extend(one.position for one in InboxReader(inbox_url).after(max(seen, default=0)))

    def write(store: Store, first: int) -> None:
        for number in range(first, first + 40):
            store.add(delivery(number), NOW)

    with ThreadPoolExecutor(4) as threads:
        reading = threads.submit(read)
        writing = [threads.submit(write, store, 100 * at) for at, store in enumerate(stores)]
        for one in writing:
            one.result(60)
        ended.set()
        reading.result(60)
    seen.extend(one.position for one in InboxReader(inbox_url).after(max(seen, default=0)))

    assert seen == positions(inbox_url)
    assert len(seen) == 120


def test_the_position_of_a_removed_delivery_is_not_used_again(inbox_url: str) -> None:
    store = Store(inbox_url)
    store.add(delivery(1), NOW)
    store.add(delivery(2), NOW + timedelta(days=1))
    store.prune(NOW + timedelta(days=2))
    Store(inbox_url).add(delivery(3), NOW)

    assert positions(inbox_url) == [3]


def test_an_identical_delivery_is_one_row_at_a_new_position(inbox_url: str) -> None:
    store = Store(inbox_url)
    store.add_all([delivery(1), delivery(2), delivery(1)], NOW)
    store.add(delivery(1), NOW + timedelta(hours=1))

    found = list(InboxReader(inbox_url).after(0))
    assert [one.delivery for one in found] == [delivery(2), delivery(1)]
    assert found[1].position > found[0].position
    assert found[1].received_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(("pause", "gap"), [(60, False), (61, True), (-61, True)])
def test_a_gap_is_marked_after_a_minute_without_a_receiver(
    inbox_url: str, pause: int, *, gap: bool
) -> None:
    Store(inbox_url).beat(NOW)
    last = InboxReader(inbox_url).last
    Store(inbox_url).beat(NOW + timedelta(seconds=pause))

    assert InboxReader(inbox_url).has_gap_after(last) is gap
    assert not InboxReader(inbox_url).has_delivery_after(0)
    assert positions(inbox_url) == []


def test_several_receivers_leave_no_gap_when_one_of_them_stops(inbox_url: str) -> None:
    one, other = Store(inbox_url), Store(inbox_url)
    one.beat(NOW)
    last = InboxReader(inbox_url).last
    for seconds in range(30, 300, 30):
        other.beat(NOW + timedelta(seconds=seconds))
    one.beat(NOW + timedelta(seconds=310))

    assert not InboxReader(inbox_url).has_gap_after(last)
    assert InboxReader(inbox_url).beat == NOW + timedelta(seconds=310)
