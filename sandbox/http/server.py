"""The sandbox as a server on loopback, for as long as a ``with`` block lasts."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import Self, override

from sandbox.http.access import Access
from sandbox.http.api import Api
from sandbox.http.asgi import Site
from sandbox.http.control import control
from sandbox.http.faults import Faults
from sandbox.http.oauth import OAuth
from sandbox.http.rate_limit import WINDOW, RateLimit
from sandbox.http.recording import RecordedRequest, Recording
from sandbox.organization.calendly import Calendly

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from sandbox.organization.clock import Clock

HOST = "127.0.0.1"
# Longer than a client would keep an idle connection: it is the client who closes it.
KEEP_ALIVE_SECONDS = 600


class Sandbox:
    """Calendly's API on loopback.

    Attributes:
        calendly: What it answers from; its methods are the events of the company's life.
        access: Issues tokens.
        oauth: Registers apps, and hands out access tokens that end.
        faults: Takes orders for faults.
        token: A token of the organisation's owner, with full access.
        url: Its address, such as ``http://127.0.0.1:8000``; known once it serves.
    """

    def __init__(  # noqa: PLR0913 -- all of them are the user's to choose, by name
        self,
        calendly: Calendly | None = None,
        *,
        clock: Clock | None = None,
        port: int = 0,
        latency: float = 0.0,
        requests_per_minute: int = 500,
        window: timedelta = WINDOW,
        seed: int = 0,
        plan: str = "teams",
        certificate: Path | None = None,
    ) -> None:
        """Prepare everything; the server starts with the ``with`` block.

        Args:
            calendly: What to answer from; an organisation of nobody but its owner if left out.
            clock: What tells the time from now on; ``calendly``'s own if left out, or the
                computer's if there is none.
            port: Where to listen; 0 for any port that is free.
            latency: Seconds that every answer takes.
            requests_per_minute: What a user may ask.
            window: How long that minute is.
            seed: What the identifiers of such an organisation follow from.
            plan: What such an organisation pays for.
            certificate: A file with a private key and its certificate, to serve by https.

        Raises:
            ValueError: If there is no such plan, or not even one request a minute.
        """
        if calendly is None:
            calendly = Calendly(clock, seed=seed, plan=plan)
        elif clock is not None:
            calendly.clock = clock
        self.calendly = calendly
        self.access = Access(self.calendly)
        self.oauth = OAuth(self.calendly, self.access)
        self.faults = Faults()
        self.token = self.access.issue(self.calendly.owner)
        self.url = ""
        self._recording = Recording()
        self._port = port
        self._api = Api(
            self.calendly, self.access, RateLimit(calendly.clock, requests_per_minute, window)
        )
        self._site = Site(
            api=self._api,
            oauth=self.oauth,
            control=control(self.calendly, self.faults, self._recording),
            faults=self.faults,
            recording=self._recording,
            latency=latency,
        )
        self._scheme = "http" if certificate is None else "https"
        self._server = _Server(self._site, certificate)

    def __enter__(self) -> Self:
        """Serve.

        Raises:
            OSError: If the port is taken.
        """
        listener = _listen(self._port)
        self.url = f"{self._scheme}://{HOST}:{listener.getsockname()[1]}"
        self._server.begin(listener)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Break off whatever is under way, and stop."""
        self._server.end()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order they came in."""
        return self._recording.requests

    @property
    def highest_concurrency(self) -> int:
        """How many requests at most were under way at once; see :class:`Recording`."""
        return self._recording.highest_concurrency

    def interrupt(self, interlude: Callable[[], None] | None) -> None:
        """Let something happen before each request is answered, or nothing any more.

        Args:
            interlude: What happens; it is called in the server's thread.
        """
        self._site.interlude = interlude

    def let_page_tokens_live(self, life: timedelta) -> None:
        """Refuse page tokens from an age on.

        Args:
            life: How long they are good for.
        """
        self._api.page_token_life = life

    def requests_by_path(self) -> dict[str, int]:
        """Return how many requests there were, by path template."""
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
    """uvicorn in a thread of its own, which ends at once when it is told to."""

    def __init__(self, site: Site, certificate: Path | None) -> None:
        super().__init__(
            uvicorn.Config(
                site,
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
        # Whoever has just come in is let in first: asyncio forgets him where the door is closed.
        for server in self.servers:
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
        for _ in range(5):  # as many steps as that takes, and more
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # until they are closed
        # Whoever is being answered notices that his connection is lost.
        await asyncio.gather(*self.server_state.tasks)
        for server in self.servers:
            await server.wait_closed()
