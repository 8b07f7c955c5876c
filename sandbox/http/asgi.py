"""The way of a request through the sandbox, from the connection and back to it."""

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


class Site:
    """The sandbox as an ASGI application: what is behind its address.

    Attributes:
        interlude: What happens before each request is answered, such as a booking.
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
        """Put the parts together.

        Args:
            api: Answers as Calendly does.
            oauth: Answers below ``/oauth`` as Calendly does.
            control: Serves what is below ``/sandbox``.
            faults: What shall go wrong.
            recording: Where requests are recorded.
            latency: Seconds that every answer of the API takes.
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
        with self._recording.under_way(recorded):
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
                response = self._api.answer(request, fault)
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
    """Send the headers, which promise the whole body, and ``length`` bytes of it."""
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
    """Send an answer byte by byte; ASGI has no message for a piece of the headers."""
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    head = f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\r\n"
    for byte in head.encode() + headers + b"\r\n" + bytes(response.body):
        if await _gone(receive, within=pause):
            return
        _transport(send).write(bytes([byte]))
    _transport(send).close()
    await _gone(receive)


async def _break_off(fault: Fault, receive: Receive, send: Send) -> None:
    """End a connection before its answer has ended."""
    if fault.reset:
        _transport(send).get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT_AT_ALL
        )
        _transport(send).abort()
    elif not fault.stall:
        _transport(send).close()
    await _gone(receive)


async def _gone(receive: Receive, within: float | None = None) -> bool:
    """Wait until the connection is lost, for ``within`` seconds at most; tell whether it was."""

    async def lost() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(lost(), within)
    except asyncio.TimeoutError:
        return False
    return True


def _transport(send: Send) -> Any:  # noqa: ANN401 -- uvicorn does not name its type
    """Return the connection behind ``send``; ASGI has no message that breaks it off."""
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
