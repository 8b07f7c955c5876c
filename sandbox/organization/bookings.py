"""Bookings: meetings are booked, joined, left, canceled and rescheduled."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Literal

from sandbox.organization.announcements import announce_invitee
from sandbox.organization.locations import location_again
from sandbox.organization.meeting_records import (
    InviteeDetails,
    active_event,
    active_invitee,
    active_session,
    check_details,
    new_event,
    new_invitee,
)
from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Unpack

KEPT = (
    "first_name",
    "last_name",
    "questions_and_answers",
    "timezone",
    "tracking",
    "text_reminder_number",
    "routing_form_submission",
    "scheduling_method",
    "invitee_scheduled_by",
)
"""What a new invitee takes over from the one they replace."""


@life_event
def book(
    state: State,
    *,
    event_type: str,
    start: datetime,
    name: str,
    email: str,
    **details: Unpack[InviteeDetails],
) -> tuple[str, str]:
    """Book a meeting, or a seat in one that a group event type already has at that time.

    ``start`` must be aware, and may be in the past. Joining a meeting changes only its
    ``invitees_counter``. Returned are the URIs of the event and of the invitee.
    """
    offered = find(state.event_types, event_type, "event type")
    if not offered["active"]:
        message = f"the event type {event_type} is not offered"
        raise ValueError(message)
    check_details(state, details)
    event = active_session(state, event_type, start) or new_event(
        state, offered, start, email, details
    )
    invitee = new_invitee(state, event, name, email, details)
    announce_invitee(state, "invitee.created", invitee)
    return event["uri"], invitee["uri"]


@life_event
def join(
    state: State, *, event: str, name: str, email: str, **details: Unpack[InviteeDetails]
) -> str:
    """Take a seat in a group meeting, changing only its counter; return the invitee's URI."""
    check_details(state, details)
    record = active_event(state, event)
    invitee = new_invitee(state, record, name, email, details)
    announce_invitee(state, "invitee.created", invitee)
    uri: str = invitee["uri"]
    return uri


@life_event
def leave(
    state: State, *, invitee: str, reason: str | None = None, moves_updated_at: bool = False
) -> None:
    """Cancel for one invitee; when the last one leaves, the meeting is canceled.

    While others stay, the meeting stays active and its counter changes. Calendly does not say
    whether that moves the meeting's ``updated_at``: ``moves_updated_at`` decides.
    """
    record = active_invitee(state, invitee)
    _withdraw(state, record, "invitee", reason, moves=moves_updated_at)
    announce_invitee(state, "invitee.canceled", record)


@life_event
def cancel(
    state: State,
    *,
    event: str | None = None,
    invitee: str | None = None,
    by: Literal["host", "invitee"] = "host",
    reason: str | None = None,
) -> None:
    """Cancel a whole meeting, or one invitee's part in it as :func:`leave` does.

    Gives the event and every active invitee a ``cancellation`` and moves their ``updated_at``.
    """
    if (event is None) == (invitee is None):
        message = "either an event or an invitee can be canceled"
        raise ValueError(message)
    if invitee is not None:
        guests = [active_invitee(state, invitee)]
        _withdraw(state, guests[0], by, reason)
    else:
        record = active_event(state, str(event))
        guests = [one for one in state.invitees[record["uri"]] if one["status"] == "active"]
        _cancel(state, record, guests, by, reason)
    for guest in guests:
        announce_invitee(state, "invitee.canceled", guest)


@life_event
def reschedule(
    state: State,
    *,
    invitee: str,
    start: datetime,
    event_type: str | None = None,
    by: Literal["host", "invitee"] = "invitee",
    reason: str | None = None,
) -> tuple[str, str]:
    """Move an invitee to another time, or event type: cancel the old booking, make a new one.

    The old invitee gets ``rescheduled`` and ``new_invitee``, the new one ``old_invitee``; the old
    event is canceled unless others stay. Returned are the URIs of the new event and invitee.
    """
    old = active_invitee(state, invitee)
    left = state.events[old["event"]]
    offered = find(state.event_types, event_type or left["event_type"], "event type")
    event = active_session(state, offered["uri"], start)
    if event is left:
        message = f"the invitee {invitee} already has a meeting at that time"
        raise ValueError(message)
    if event is None:
        event = new_event(state, offered, start, old["email"], _as_before(left, offered))
        if offered["uri"] == left["event_type"]:
            event["location"] = location_again(left["location"])
    new = new_invitee(state, event, old["name"], old["email"], {})
    new.update({key: deepcopy(old[key]) for key in KEPT}, old_invitee=old["uri"])
    _withdraw(state, old, by, reason)
    old.update(rescheduled=True, new_invitee=new["uri"])
    announce_invitee(state, "invitee.canceled", old)
    announce_invitee(state, "invitee.created", new)
    return event["uri"], new["uri"]


def _as_before(event: Record, offered: Record) -> InviteeDetails:
    """Return what a meeting takes over from the one it replaces: guests and, if it can, host."""
    guests = [guest["email"] for guest in event["event_guests"]]
    if offered["uri"] != event["event_type"]:
        return {"guests": guests}
    return {"host": event["event_memberships"][0]["user"], "guests": guests, "location": None}


def _withdraw(
    state: State, invitee: Record, by: str, reason: str | None, *, moves: bool = False
) -> None:
    event = state.events[invitee["event"]]
    if event["invitees_counter"]["active"] == 1:
        _cancel(state, event, [invitee], by, reason)
        return
    cancellation = _cancellation(state, event, invitee, by, reason)
    if moves:
        event["updated_at"] = state.stamp()
    _cancel_invitee(state, event, invitee, cancellation)


def _cancel(
    state: State, event: Record, invitees: list[Record], by: str, reason: str | None
) -> None:
    cancellation = _cancellation(state, event, invitees[0], by, reason)
    event.update(status="canceled", cancellation=cancellation, updated_at=state.stamp())
    for invitee in invitees:
        _cancel_invitee(state, event, invitee, cancellation)


def _cancel_invitee(state: State, event: Record, invitee: Record, cancellation: Record) -> None:
    event["invitees_counter"]["active"] -= 1
    invitee.update(status="canceled", cancellation=dict(cancellation), updated_at=state.stamp())


def _cancellation(
    state: State, event: Record, invitee: Record, by: str, reason: str | None
) -> Record:
    if by not in ("host", "invitee"):
        message = f"a host or an invitee can cancel, not {by!r}"
        raise ValueError(message)
    host = event["event_memberships"][0]["user_name"]
    return {
        "canceled_by": host if by == "host" else invitee["name"],
        "reason": reason,
        "canceler_type": by,
        "created_at": state.stamp(),
    }
