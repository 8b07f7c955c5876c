"""What is no delivery of Calendly's is refused, by a status that says why, and leaves no trace."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime, timezone
from http.client import HTTPResponse
from typing import NamedTuple

import pytest

from tap_calendly.inbox.delivery import Received, parse
from tap_calendly.inbox.figures import figures
from tap_calendly.inbox.reader import InboxReader
from tests import secrecy
from tests.webhooks.deliveries import KEY, body, digest, signature
from tests.webhooks.served import Served

SECOND_KEY = "the-key-that-comes-next"
GOOD = body(7)
CHUNKED = "Transfer-Encoding: chunked"
TOO_LONG = "Content-Length: 10000000"


class Bad(NamedTuple):
    """A request that is refused; of its content, some bytes may be missing."""

    status: int
    content: bytes = GOOD
    header: str | None = None
    request: str = "POST /hooks"
    headers: tuple[str, ...] = ()
    missing: int = 0


def _signed(content: bytes, status: int = 400) -> Bad:
    return Bad(status, content, signature(content))


def requests() -> dict[str, Bad]:
    """Return them, signed now."""
    now = int(time.time())
    return {
        "no signature": Bad(401),
        "empty signature": Bad(401, header=""),
        "wrong signature": Bad(401, header=f"t={now},v1={'0' * 64}"),
        "old signature": Bad(401, header=signature(GOOD, age=200)),
        "old by years": Bad(401, header=signature(GOOD, age=10**8)),
        "future signature": Bad(401, header=signature(GOOD, age=-200)),
        "another key": Bad(401, header=signature(GOOD, key="key of somebody else")),
        "no key": Bad(401, header=signature(GOOD, key="")),
        "both keys as one": Bad(401, header=signature(GOOD, key=f"{KEY},{SECOND_KEY}")),
        "changed body": Bad(401, GOOD.replace(b"guest7", b"guest8"), signature(GOOD)),
        "body with a line break more": Bad(401, GOOD + b"\n", signature(GOOD)),
        "another body's signature": Bad(401, body(8), signature(GOOD)),
        "digest alone": Bad(401, header=digest(GOOD, now)),
        "time alone": Bad(401, header=f"t={now}"),
        "digest of the body alone": Bad(401, header=f"t={now},v1={digest(GOOD, '')}"),
        "another scheme": Bad(401, header=f"t={now},v0={digest(GOOD, now)}"),
        "two times": Bad(401, header=f"t={now},t={now},v1={digest(GOOD, now)}"),
        "time in words": Bad(401, header=f"t=now,v1={digest(GOOD, 'now')}"),
        "two headers": Bad(
            401, header=signature(GOOD), headers=(f"Calendly-Webhook-Signature: {signature(GOOD)}",)
        ),
        "letters beyond ASCII": Bad(401, header="t=²,v1=é"),
        "10 MB": _signed(b" " * 10_000_000 + GOOD, status=413),
        "10 MB told but not sent": Bad(413, b"", headers=(TOO_LONG,)),
        "2 MB in chunks": Bad(
            413, (b"ffff\r\n" + b" " * 0xFFFF + b"\r\n") * 32 + b"0\r\n\r\n", headers=(CHUNKED,)
        ),
        "a body that does not come": Bad(408, GOOD, signature(GOOD), missing=1),
        "empty": _signed(b""),
        "no JSON": _signed(b"<html></html>"),
        "half a body": _signed(GOOD[:-1]),
        "no object": _signed(b"[1]"),
        "no event": _signed(b'{"payload": {}}'),
        "event that is no text": _signed(b'{"event": 7}'),
        "no UTF-8": _signed(b'{"event": "\xff"}'),
        "NUL": _signed(b'{"event": "a\\u0000b"}'),
        "nested too deeply": _signed(b'{"event": ' + b"[" * 100_000),
        "GET": Bad(405, b"", request="GET /hooks"),
        "PUT": Bad(405, header=signature(GOOD), request="PUT /hooks"),
        "another path": Bad(404, header=signature(GOOD), request="POST /"),
        "a slash more": Bad(404, header=signature(GOOD), request="POST /hooks/"),
        "no HTTP": Bad(400, request="what is this"),
    }


BAD = requests()


class Answer(NamedTuple):
    """How a request was answered."""

    status: int
    content: str
    headers: str


class Outcome(NamedTuple):
    """What became of all of them, and of two good deliveries after them."""

    answers: dict[str, Answer]
    good: list[int]
    kept: list[Received]
    refused: dict[str, int]
    log: list[str]


pytestmark = pytest.mark.xdist_group("bad deliveries")  # one receiver for all of them


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    url = f"sqlite:///{tmp_path_factory.mktemp('inbox') / 'inbox.db'}"
    keys = f"{KEY},{SECOND_KEY}"
    quickly = {"receiver.BODY_SECONDS": 1}
    with Served(url, keys=keys, path="/hooks", constants=quickly) as served:
        answers = {name: _send(served, bad) for name, bad in requests().items()}
        good = [
            served.post(GOOD, signature(GOOD, age=170)),
            served.post(body(8), signature(body(8), key=SECOND_KEY, age=-170)),
        ]
        assert served.stop() == 0
    refused = figures(url, datetime.now(timezone.utc)).refused
    return Outcome(answers, good, list(InboxReader(url).after(0)), refused, served.log)


def _send(served: Served, bad: Bad) -> Answer:
    """Send a request as it is."""
    lines = [f"{bad.request} HTTP/1.1", "Host: localhost", *bad.headers]
    if bad.header is not None:
        lines.append(f"Calendly-Webhook-Signature: {bad.header}")
    if not any(line in (CHUNKED, TOO_LONG) for line in lines):
        lines.append(f"Content-Length: {len(bad.content) + bad.missing}")
    connection = served.connection()
    connection.connect()
    with closing(connection.sock) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + bad.content)
        answer = HTTPResponse(sock, method=bad.request.split()[0])
        answer.begin()
        return Answer(answer.status, answer.read().decode(), str(answer.headers))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_delivery_is_answered_by_a_status_alone(outcome: Outcome, name: str) -> None:
    status, content, headers = outcome.answers[name]

    assert status == BAD[name].status
    assert content in {"", "Method Not Allowed", "Not Found", "Invalid HTTP request received."}
    assert "server:" not in headers.lower()


def test_only_good_deliveries_are_kept_and_bad_ones_do_no_harm(outcome: Outcome) -> None:
    assert outcome.good == [200, 200]
    assert [one.delivery for one in outcome.kept] == [parse(GOOD), parse(body(8))]


def test_refused_deliveries_are_counted_by_reason(outcome: Outcome) -> None:
    assert outcome.refused == {
        "future signature": 1,
        "no signature": 9,
        "old signature": 2,
        "too large": 3,
        "too slow": 1,
        "unreadable": 9,
        "wrong signature": 8,
    }


def test_each_reason_is_logged_once_and_nothing_of_any_delivery(outcome: Outcome) -> None:
    log = "\n".join(outcome.log)

    assert len([line for line in outcome.log if "Refused" in line]) == len(outcome.refused)
    assert all(line.startswith(("INFO ", "WARNING ")) for line in outcome.log)
    contents = [bad.content[:300].decode("latin-1") for bad in BAD.values()]
    headers = [bad.header for bad in BAD.values() if bad.header and "v1=" in bad.header]
    assert secrecy.shown(log, [KEY, SECOND_KEY, "guest7@example.com", *headers]) == []
    assert [line for line in contents if line and line in log] == []
