"""The sandbox's own side, below ``/sandbox``: for whoever plays the company's life.

It takes no token, and its requests are neither counted nor limited nor struck by faults.
"""

from __future__ import annotations

import inspect
import json
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import SimulatedClock
from sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from sandbox.calendly import Calendly
    from sandbox.faults import Faults
    from sandbox.recording import Recording

PREFIX = "/sandbox/"

LIFE = (
    "add_event_type",
    "add_group",
    "add_member",
    "add_routing_form",
    "book",
    "book_from_submission",
    "cancel",
    "delete_event_type",
    "delete_user",
    "drop_conference_details",
    "edit_event_type",
    "edit_notes",
    "join",
    "leave",
    "mark_no_show",
    "pay",
    "push_conference_link",
    "reconfirm",
    "remove_member",
    "reschedule",
    "scrub_invitee",
    "submit_form",
    "unmark_no_show",
)
