"""The sandbox as an ASGI application: routes requests, and carries out faults."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from sandbox.http.api import endpoint_of
from sandbox.http.control import PREFIX as OWN
from sandbox.http.oauth import PREFIX as OAUTH
from sandbox.http.recording import RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.http.api import Api
    from sandbox.http.faults import Fault, Faults
    from sandbox.http.oauth import OAuth
    from sandbox.http.recording import Recording

LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class AsgiApp:
    """Serves everything at the sandbox's address.

    Attributes:
        interlude: Called before each request is answered.
    """

    def __init__(  # noqa: PLR0913 -- the parts, by name
        self,
        *,
        api: Api,
        oauth: OAuth,
        control: ASGIApp,
        faults: Faults,
        recording: Recording,
        latency: float,
    ) -> None:
        """Serve ``oauth`` below ``/oauth``, ``control`` below ``/sandbox`` and ``api`` elsewhere.

        ``latency`` is the time (seconds) that each answer takes, except those of ``control``.
        """
        self._api = api
        self._oauth = oauth
        self._control = control
        self._faults = faults
        self._recording = recording
        self._latency = latency
        self.interlude: Callable[[], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["path"].startswith(OWN):
            await self._control(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body() if request.method == "POST" else b""
        recorded = _recorded(request)
        with self._recording.in_flight(recorded):
            if self.interlude is not None:
                self.interlude()
            fault = self._faults.next_for(scope["path"], recorded.query)
            wait = self._latency + (fault.delay if fault else 0)
            if wait and await _gone(receive, within=wait):
                return
            if fault and (fault.reset or fault.stall) and fault.truncate is None:
                await _break_off(fault, receive, send)
                return
            if scope["path"].startswith(OAUTH):
                response = self._oauth.answer(request, body, fault)
            else:
                response = self._api.answer(request, body, fault)
            recorded.status = response.status_code
            if fault and fault.truncate is not None:
                await _send_truncated(response, fault.truncate, send)
                await _break_off(fault, receive, send)
                return
            if fault and fault.drip:
                await _send_dripping(response, fault.drip, receive, send)
                return
            await response(scope, receive, send)


async def _send_truncated(response: Response, length: int, send: Send) -> None:
    """Send the headers for the whole body, but only ``length`` bytes of it."""
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    body = bytes(response.body)[:length]
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_dripping(response: Response, pause: float, receive: Receive, send: Send) -> None:
    """Send an answer byte by byte, headers included, which ASGI cannot."""
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    head = f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\r\n"
    for byte in head.encode() + headers + b"\r\n" + bytes(response.body):
        if await _gone(receive, within=pause):
            return
        _transport(send).write(bytes([byte]))
    _transport(send).close()
    await _gone(receive)


async def _break_off(fault: Fault, receive: Receive, send: Send) -> None:
    """Break a connection in the middle of an answer, as the fault says."""
    if fault.reset:
        _transport(send).get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT_AT_ALL
        )
        _transport(send).abort()
    elif not fault.stall:
        _transport(send).close()
    await _gone(receive)


async def _gone(receive: Receive, within: float | None = None) -> bool:
    """Wait for the connection to be lost, at most ``within`` seconds; tell whether it was."""

    async def lost() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(lost(), within)
    except asyncio.TimeoutError:
        return False
    return True


def _transport(send: Send) -> Any:  # noqa: ANN401 -- uvicorn does not name its type
    """Return the connection behind ``send``, as ASGI has no way to break it."""
    return send.__self__.transport  # type: ignore[attr-defined]


def _recorded(request: Request) -> RecordedRequest:
    path = request.scope["path"]
    routed = endpoint_of(path)
    return RecordedRequest(
        method=request.method,
        template=path if routed is None else routed[0].template,
        path=path,
        query=request.scope["query_string"].decode("latin-1"),
        headers={name: value for name, value in request.headers.items() if name != "authorization"},
        connection=request.scope["client"][1],
    )
