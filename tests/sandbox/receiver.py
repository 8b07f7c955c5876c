"""A receiver of webhook deliveries on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import Self, override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


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
