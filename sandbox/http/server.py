"""The sandbox's server on loopback, running for the length of a ``with`` block."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import Self, override

from sandbox.http.access import Access
from sandbox.http.api import Api
from sandbox.http.asgi import AsgiApp
from sandbox.http.control import control
from sandbox.http.deliveries import Attempt, Deliveries
from sandbox.http.faults import Faults
from sandbox.http.oauth import OAuth
from sandbox.http.rate_limit import WINDOW, RateLimit
from sandbox.http.recording import RecordedRequest, Recording
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from sandbox.organization.clock import Clock

HOST = "127.0.0.1"
# Longer than any client keeps an idle connection, so that the client closes it.
KEEP_ALIVE_SECONDS = 600


class Sandbox:
    """Calendly's API on loopback.

    Attributes:
        calendly: The organization it serves.
        access: Issues personal access tokens.
        oauth: Registers apps and issues access tokens that expire.
        faults: The faults to come.
        deliveries: Posts to webhook subscriptions on loopback, and what goes wrong with that.
        token: A token of the organization's owner, with full access.
        url: The address, such as ``http://127.0.0.1:8000``, once it is serving.
    """

    def __init__(  # noqa: PLR0913 -- options, by name
        self,
        calendly: Calendly | None = None,
        *,
        clock: Clock | None = None,
        port: int = 0,
        latency: float = 0.0,
        requests_per_minute: int = 500,
        window: timedelta = WINDOW,
        limit_model: str = "countdown",
        seed: int = 0,
        plan: str = "teams",
        certificate: Path | None = None,
    ) -> None:
        """Prepare everything; the ``with`` block starts the server.

        Args:
            calendly: The organization to serve; one with only its owner if left out.
            clock: Gives the time from now on; ``calendly``'s own clock if left out.
            port: Where to listen; 0 for any free port.
            latency: Seconds that each answer takes.
            requests_per_minute: The rate limit of each user.
            window: The length of that minute.
            limit_model: How requests are counted, of ``rate_limit.MODELS``.
            seed: What the identifiers of an organization created here depend on.
            plan: The plan of an organization created here.
            certificate: A file with a private key and its certificate, to serve by https.

        Raises:
            ValueError: If there is no such plan, or the rate limit is below 1.
        """
        if calendly is None:
            calendly = Calendly(clock, seed=seed, plan=plan)
        elif clock is not None:
            calendly.clock = clock
        self.calendly = calendly
        self.access = Access(self.calendly)
        self.oauth = OAuth(self.calendly, self.access)
        self.faults = Faults()
        self.deliveries = Deliveries(self.calendly)
        self.token = self.access.issue(self.calendly.owner)
        self.url = ""
        self._recording = Recording()
        self._port = port
        rate_limit = RateLimit(calendly.clock, requests_per_minute, window, limit_model)
        self._api = Api(self.calendly, self.access, rate_limit)
        self._app = AsgiApp(
            api=self._api,
            oauth=self.oauth,
            control=control(self.calendly, self.faults, self._recording, self.deliveries),
            faults=self.faults,
            recording=self._recording,
            latency=latency,
        )
        self._scheme = "http" if certificate is None else "https"
        self._server = _Server(self._app, certificate)

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            OSError: If the port is taken.
        """
        listener = _listen(self._port)
        self.url = f"{self._scheme}://{HOST}:{listener.getsockname()[1]}"
        self._server.begin(listener)
        if not isinstance(self.calendly.clock, SimulatedClock):
            self.deliveries.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Break off requests in flight, and stop."""
        self.deliveries.end()
        self._server.end()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order they arrived."""
        return self._recording.requests

    @property
    def highest_concurrency(self) -> int:
        """The most requests in flight at once; 1 unless answers are slowed down."""
        return self._recording.highest_concurrency

    def deliver(self) -> list[Attempt]:
        """Post to webhook subscriptions what is due, and return what happened.

        A simulated clock stands still, so that nothing is posted but by this; with any other, all
        is posted as it happens.
        """
        return self.deliveries.deliver()

    def interrupt(self, interlude: Callable[[], None] | None) -> None:
        """Call ``interlude``, in the server's thread, before each request is answered."""
        self._app.interlude = interlude

    def let_page_tokens_live(self, life: timedelta) -> None:
        """Refuse page tokens older than ``life``."""
        self._api.page_token_life = life

    def requests_by_path(self) -> dict[str, int]:
        """Return the number of requests by path template."""
        return self._recording.by_path()

    def forget_requests(self) -> None:
        """Forget the requests so far."""
        self._recording.forget()


def _listen(port: int) -> socket.socket:
    # asyncio sends without delay (40 ms an answer) only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """uvicorn in a thread of its own, which ends at once when told to."""

    def __init__(self, app: AsgiApp, certificate: Path | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                ssl_certfile=certificate,
            )
        )
        self._serving = threading.Event()

    def begin(self, listener: socket.socket) -> None:
        self._thread = threading.Thread(
            target=self.run, args=([listener],), name="sandbox", daemon=True
        )
        self._thread.start()
        self._serving.wait()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._told_to_end.set)
        self._thread.join()

    @override
    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._told_to_end = asyncio.Event()
        self._serving.set()
        await self._told_to_end.wait()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Connections just accepted go first: asyncio forgets them once the listener is closed.
        for server in self.servers:
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
        for _ in range(5):  # more steps than that takes
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # until they are closed
        # Requests in flight notice that their connection is lost.
        await asyncio.gather(*self.server_state.tasks)
        for server in self.servers:
            await server.wait_closed()
