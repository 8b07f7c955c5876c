"""The tap reads an inbox whatever its receiver does, and neither creates nor changes a file."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.reporting.errors import CalendlyError
from tests.webhooks.deliveries import body, delivery
from tests.webhooks.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
NOBODY = 65534


@contextmanager
def somebody_else() -> Iterator[None]:
    """Have no more rights than anybody: root may do everything."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others can enter, which those of pytest are not."""
    folder = Path(mkdtemp(prefix="tap-calendly-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    rmtree(folder)


def numbers(file: Path) -> list[str | None]:
    return [one.delivery.invitee_uri for one in InboxReader(f"sqlite:///{file}").after(0)]


@pytest.mark.exhaustive
def test_an_inbox_is_read_while_its_receiver_runs_and_after_it(tmp_path: Path) -> None:
    file = tmp_path / "inbox.db"
    expected = []
    for number, end in enumerate(("killed", "stopped")):
        with Served(f"sqlite:///{file}") as served:
            assert served.post(body(number)) == 200
            expected.append(delivery(number).invitee_uri)
            assert numbers(file) == expected
            if end == "killed":
                served.process.kill()
                served.end()
                assert {one.name for one in tmp_path.iterdir()} > {"inbox.db", "inbox.db-wal"}
            else:
                assert served.stop() == 0
                assert [one.name for one in tmp_path.iterdir()] == ["inbox.db"]
        assert numbers(file) == expected


def hold(url: str, held: Event, released: Event) -> None:
    """Be a process that writes an inbox."""
    store = Store(url)
    store.add(delivery(1), NOW)
    held.set()
    released.wait()


@pytest.mark.parametrize("end", ["running", "killed", "stopped"])
@pytest.mark.parametrize(("mode", "folder_mode"), [(0o444, 0o555), (0o444, 0o777), (0o666, 0o555)])
def test_an_inbox_is_read_by_who_may_only_read(
    folder: Path, end: str, mode: int, folder_mode: int
) -> None:
    file = folder / "inbox.db"
    context = multiprocessing.get_context("fork")
    held, released = context.Event(), context.Event()
    receiver = context.Process(target=hold, args=(f"sqlite:///{file}", held, released))
    receiver.start()
    assert held.wait(10)
    if end == "stopped":
        released.set()
        receiver.join(10)
    elif end == "killed":
        receiver.kill()
        receiver.join(10)
    before = {one.name for one in folder.iterdir()}
    for name in before:
        (folder / name).chmod(mode)
    folder.chmod(folder_mode)
    with somebody_else():
        assert numbers(file) == [delivery(1).invitee_uri]

    assert {one.name for one in folder.iterdir()} == before
    assert len(before) == (1 if end == "stopped" else 3)
    receiver.kill()
    receiver.join(10)


def test_an_inbox_that_may_not_be_read_is_said_to_be(folder: Path) -> None:
    Store(f"sqlite:///{folder / 'inbox.db'}")
    (folder / "inbox.db").chmod(0o000)

    with somebody_else(), pytest.raises(CalendlyError, match="unable to open database file"):
        numbers(folder / "inbox.db")


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_inbox_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "inbox.db"
    file.write_bytes(content)

    with pytest.raises(CalendlyError, match="cannot be reached"):
        InboxReader(f"sqlite:///{file}")
    assert file.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["inbox.db"]


def test_an_inbox_in_postgresql_is_only_read(postgres: str) -> None:
    Store(postgres).add(delivery(1), NOW)

    with (
        pytest.raises(CalendlyError, match="ReadOnlySqlTransaction"),
        InboxReader(postgres).connection() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM calendly_deliveries")
