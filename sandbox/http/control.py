"""The sandbox's own endpoints, below ``/sandbox``: life events, clock, requests and faults.

They need no token, and are not recorded, limited or hit by faults.
"""

from __future__ import annotations

import inspect
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.http.deliveries import Mishap
from sandbox.http.faults import Fault
from sandbox.organization.calendly import LIFE_EVENTS
from sandbox.organization.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sandbox.http.deliveries import Deliveries
    from sandbox.http.faults import Faults
    from sandbox.http.recording import Recording
    from sandbox.organization.calendly import Calendly

PREFIX = "/sandbox/"

SWITCHES = ("down", "renew_stamps", "drop_after_booking")


def control(
    calendly: Calendly, faults: Faults, recording: Recording, deliveries: Deliveries
) -> Starlette:
    """Return the application that serves the sandbox's own endpoints.

    * ``POST /sandbox/life/{method}`` calls a life event of
      :class:`~sandbox.organization.calendly.Calendly`. Send its keyword arguments as a JSON object,
      times in ISO 8601; the answer is ``{"result": ...}``.
    * ``GET /sandbox/truth`` returns the rows that a complete sync must find, by stream.
    * ``POST /sandbox/clock`` with ``{"advance_seconds": n}`` moves a simulated clock.
    * ``GET /sandbox/requests`` returns ``by_path``, ``highest_concurrency`` and ``total``;
      ``DELETE`` forgets them.
    * ``POST /sandbox/faults`` with the attributes of :class:`~sandbox.http.faults.Fault` adds one;
      ``DELETE`` removes all.
    * ``POST /sandbox/webhooks`` sets ``down``, ``renew_stamps`` or ``drop_after_booking`` of
      :class:`~sandbox.http.deliveries.Deliveries`, or the organization's ``bare_no_shows``.
    * ``POST /sandbox/webhooks/mishaps`` with the attributes of
      :class:`~sandbox.http.deliveries.Mishap` adds one; ``DELETE`` removes all.
    * ``POST /sandbox/webhooks/deliver`` posts what is due by a simulated clock, and returns
      ``{"result": ...}``: the event, number, status and outcome of each attempt.

    What cannot be done is answered with 400 and ``{"message": ...}``.
    """

    async def life(request: Request) -> Response:
        name = request.path_params["method"]
        if name not in LIFE_EVENTS:
            return _refusal(f"there is no event of life called {name!r}", 404)
        method = getattr(calendly, name)
        arguments = _with_times(method, await _sent(request))
        return JSONResponse({"result": method(**arguments)})

    async def truth(_: Request) -> Response:
        return JSONResponse(calendly.truth())

    async def clock(request: Request) -> Response:
        sent = await _sent(request)
        with calendly.lock:
            if not isinstance(calendly.clock, SimulatedClock):
                return _refusal("only a simulated clock can be moved; this is the computer's")
            calendly.clock.advance(timedelta(seconds=sent["advance_seconds"]))
            return JSONResponse({"result": calendly.clock.now().isoformat()})

    async def requests(_: Request) -> Response:
        by_path = recording.by_path()
        return JSONResponse(
            {
                "by_path": by_path,
                "highest_concurrency": recording.highest_concurrency,
                "total": sum(by_path.values()),
            }
        )

    async def forget_requests(_: Request) -> Response:
        recording.forget()
        return Response(status_code=204)

    async def add_fault(request: Request) -> Response:
        faults.add(Fault(**await _sent(request)))
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/sandbox/life/{method}", life, methods=["POST"]),
            Route("/sandbox/truth", truth),
            Route("/sandbox/clock", clock, methods=["POST"]),
            Route("/sandbox/requests", requests),
            Route("/sandbox/requests", forget_requests, methods=["DELETE"]),
            Route("/sandbox/faults", add_fault, methods=["POST"]),
            Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
            *_webhooks(calendly, deliveries),
        ],
        exception_handlers={
            KeyError: _impossible,
            TypeError: _impossible,
            ValueError: _impossible,
        },
    )


def _webhooks(calendly: Calendly, deliveries: Deliveries) -> list[Route]:
    """Return the endpoints about deliveries to webhook subscriptions."""

    async def switch(request: Request) -> Response:
        for name, value in (await _sent(request)).items():
            if not isinstance(value, bool):
                return _refusal(f"{name} is true or false, not {value!r}")
            if name == "bare_no_shows":
                calendly.bare_no_shows = value
            elif name in SWITCHES:
                setattr(deliveries, name, value)
            else:
                return _refusal(f"webhooks have no switch called {name!r}")
        return Response(status_code=204)

    async def add_mishap(request: Request) -> Response:
        deliveries.add(Mishap(**await _sent(request)))
        return Response(status_code=204)

    async def clear_mishaps(_: Request) -> Response:
        deliveries.clear()
        return Response(status_code=204)

    async def deliver(_: Request) -> Response:
        attempts = await run_in_threadpool(deliveries.deliver)
        told = ("event", "number", "status", "outcome")
        return JSONResponse(
            {"result": [{name: getattr(one, name) for name in told} for one in attempts]}
        )

    return [
        Route("/sandbox/webhooks", switch, methods=["POST"]),
        Route("/sandbox/webhooks/mishaps", add_mishap, methods=["POST"]),
        Route("/sandbox/webhooks/mishaps", clear_mishaps, methods=["DELETE"]),
        Route("/sandbox/webhooks/deliver", deliver, methods=["POST"]),
    ]


async def _sent(request: Request) -> dict[str, Any]:
    sent = json.loads(await request.body() or b"{}")
    if not isinstance(sent, dict):
        message = "a JSON object must be sent"
        raise TypeError(message)
    return sent


def _with_times(method: Callable[..., object], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return ``arguments``, with those annotated as ``datetime`` parsed."""
    times = {
        name
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.annotation == "datetime"
    }
    return {
        name: datetime.fromisoformat(value.replace("Z", "+00:00")) if name in times else value
        for name, value in arguments.items()
    }


async def _impossible(_: Request, error: Exception) -> Response:
    return _refusal(str(error))


def _refusal(message: str, status: int = 400) -> Response:
    return JSONResponse({"message": message}, status)
