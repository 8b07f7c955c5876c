"""A receiver of webhook deliveries on loopback."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import Self, override

from sandbox.organization.webhooks import EVENTS

KEY = "the-signing-key"
SIGNATURE = "calendly-webhook-signature"
RECEIVERS_TIME = datetime(2031, 1, 1, tzinfo=timezone.utc)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from sandbox.http.deliveries import Attempt
    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record


class Posted(NamedTuple):
    """A request that was received.

    Attributes:
        target: The path, with the query.
        headers: The headers by lower-case name.
        body: The body as it was sent.
    """

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body, decoded."""
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def event(self) -> str:
        """Which event it tells."""
        return str(self.told["event"])

    @property
    def payload(self) -> Any:  # noqa: ANN401 -- a record
        """What it tells of it."""
        return self.told["payload"]


class Receiver(ThreadingHTTPServer):
    """Answers each delivery with ``status``, 200 at first.

    Attributes:
        posted: The requests so far.
        answers: The statuses of the next answers.
        arrivals: Has each request once it is answered, for a test that waits.
        meanwhile: Called before each answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?from=calendly"
        self.posted: list[Posted] = []
        self.answers: list[int] = []
        self.arrivals: SimpleQueue[Posted] = SimpleQueue()
        self.meanwhile: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self.serve_forever, args=[0.01])

    @override
    def __enter__(self) -> Self:
        self._thread.start()
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def events(self) -> list[str]:
        """Which events were told, in the order of their arrival."""
        return [one.event for one in self.posted]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        posted = Posted(self.path, headers, body)
        self.server.posted.append(posted)
        self.server.meanwhile()
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.server.arrivals.put(posted)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def subscribe(calendly: Calendly, url: str, **options: Any) -> Record:  # noqa: ANN401 -- its own
    """Subscribe a URL to every event of a scope, and return the subscription."""
    events = EVENTS[options.get("scope", "organization")]
    arguments = {"callback_url": url, "events": events, **options}
    hook = calendly.subscribe(**arguments)
    calendly.webhook_keys[hook] = KEY
    return calendly.webhooks[hook]


def told(sandbox: Sandbox, receiver: Receiver, deed: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the events and payloads that something leads to."""
    sandbox.deliver()
    receiver.posted.clear()
    deed()
    assert all(one.outcome == "delivered" for one in sandbox.deliver())
    return [(one.event, one.payload) for one in receiver.posted]


def outcomes(attempts: list[Attempt]) -> list[tuple[int, int | None, str]]:
    """Return the number, the status and the outcome of each."""
    return [(one.number, one.status, one.outcome) for one in attempts]


def guests(receiver: Receiver) -> list[str]:
    """Whom deliveries were about, in the order of their arrival."""
    return [one.payload["email"].partition("@")[0] for one in receiver.posted]


def stamps(receiver: Receiver) -> list[int]:
    """By how many seconds signatures are older than the receiver's time."""
    times = [one.headers[SIGNATURE].partition(",")[0].removeprefix("t=") for one in receiver.posted]
    return [int(RECEIVERS_TIME.timestamp()) - int(one) for one in times]
