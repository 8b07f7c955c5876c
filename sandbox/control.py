"""The sandbox's own side, below ``/sandbox``: for whoever plays the company's life.

It takes no token, and its requests are neither counted nor limited nor struck by faults.
"""

from __future__ import annotations

import inspect
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import SimulatedClock
from sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sandbox.calendly import Calendly
    from sandbox.faults import Faults
    from sandbox.recording import Recording

PREFIX = "/sandbox/"

LIFE = (
    "accept_invitation",
    "add_contact",
    "add_contact_field",
    "add_event_type",
    "add_group",
    "add_host",
    "add_member",
    "add_routing_form",
    "add_schedule",
    "add_team",
    "block_time",
    "book",
    "book_from_submission",
    "cancel",
    "change_group_role",
    "change_recap",
    "change_team",
    "connect_conference",
    "decline_invitation",
    "delete_contact",
    "delete_contact_field",
    "delete_event_data",
    "delete_event_type",
    "delete_group",
    "delete_recap",
    "delete_schedule",
    "delete_team",
    "delete_user",
    "disconnect_conference",
    "drop_conference_details",
    "edit_contact",
    "edit_event_type",
    "edit_notes",
    "edit_schedule",
    "fail_webhook",
    "find_calendar",
    "finish_recap",
    "invite",
    "join",
    "join_group",
    "leave",
    "leave_group",
    "lose_calendar",
    "make_default",
    "mark_no_show",
    "pay",
    "push_conference_link",
    "reconfirm",
    "remove_host",
    "remove_member",
    "rename_contact_field",
    "rename_group",
    "rename_team",
    "reschedule",
    "resend_invitation",
    "revoke_invitation",
    "scrub_invitee",
    "send_message",
    "set_hours",
    "share_recap",
    "start_recap",
    "submit_form",
    "subscribe",
    "unblock_time",
    "unmark_no_show",
    "unsubscribe",
)


def control(calendly: Calendly, faults: Faults, recording: Recording) -> Starlette:
    """Return the application that serves the sandbox's own side.

    * ``POST /sandbox/life/{method}`` plays an event of the company's life. The JSON object sent
      holds the keyword arguments of :class:`~sandbox.calendly.Calendly`'s method, times in ISO
      8601; the answer is ``{"result": ...}``.
    * ``GET /sandbox/truth`` answers with all that a complete sync would find, by stream.
    * ``POST /sandbox/clock`` with ``{"advance_seconds": n}`` moves a simulated clock.
    * ``GET /sandbox/requests`` tells ``by_path``, ``highest_concurrency`` and ``total``;
      ``DELETE`` forgets them.
    * ``POST /sandbox/faults`` with the attributes of :class:`~sandbox.faults.Fault` orders one;
      ``DELETE`` cancels all.

    What cannot be done is refused with 400 and ``{"message": ...}``.
    """

    async def life(request: Request) -> Response:
        name = request.path_params["method"]
        if name not in LIFE:
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
        ],
        exception_handlers={
            KeyError: _impossible,
            TypeError: _impossible,
            ValueError: _impossible,
        },
    )


async def _sent(request: Request) -> dict[str, Any]:
    sent = json.loads(await request.body() or b"{}")
    if not isinstance(sent, dict):
        message = "a JSON object must be sent"
        raise TypeError(message)
    return sent


def _with_times(method: Callable[..., object], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return ``arguments`` with those that ``method`` wants as ``datetime`` read as such."""
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
