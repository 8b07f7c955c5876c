"""The records of a new meeting and a new invitee, and how both are found again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from sandbox.organization.identifiers import PAGES, last_segment
from sandbox.organization.locations import location_of
from sandbox.organization.state import Record, State, find
from sandbox.organization.timestamps import in_utc, to_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UTM = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")

CALENDARS = (None, "google", "google", "outlook", "exchange", "icloud", "outlook_desktop")


class InviteeDetails(TypedDict, total=False):
    """The optional properties of a booking.

    Attributes:
        answers: Answers by question.
        tracking: UTM parameters and ``salesforce_uuid``.
        location: The location configuration chosen; the event type's first if left out.
        guests: Addresses of additional guests.
        timezone: The IANA name of the invitee's time zone.
        first_name: Only where the form asks for both names.
        last_name: Only where the form asks for both names.
        text_reminder_number: A telephone number.
        routing_form_submission: The URI of the submission that led here.
        host: The URI of the user to host, where the event type has several.
        scheduling_method: ``instant_book`` or ``api``.
        invitee_scheduled_by: The URI of the user who booked for the invitee.
    """

    answers: Mapping[str, str]
    tracking: Mapping[str, str | None]
    location: Mapping[str, str] | None
    guests: Sequence[str]
    timezone: str | None
    first_name: str | None
    last_name: str | None
    text_reminder_number: str | None
    routing_form_submission: str | None
    host: str
    scheduling_method: str | None
    invitee_scheduled_by: str | None


def check_details(state: State, details: InviteeDetails) -> None:
    """Raise ValueError for an unknown detail or submission."""
    unknown = sorted(details.keys() - InviteeDetails.__annotations__.keys())
    if unknown:
        message = f"a booking has no detail {unknown[0]!r}"
        raise ValueError(message)
    submission = details.get("routing_form_submission")
    if submission is not None:
        find_submission(state, submission)


def new_event(
    state: State, offered: Record, start: datetime, email: str, details: InviteeDetails
) -> Record:
    """Add a meeting of the event type ``offered``, without invitees yet; return its record."""
    begins = in_utc(start)
    ends = begins + timedelta(minutes=offered["duration"])
    buffered_start = to_timestamp(begins - timedelta(minutes=offered["before_buffer"]))
    buffered_end = to_timestamp(ends + timedelta(minutes=offered["after_buffer"]))
    stamp = state.stamp()
    key = (offered["uri"], to_timestamp(begins), email, stamp)
    hosts = _hosts(state, offered, details.get("host"), key)
    uri = state.identifiers.new_uri("scheduled_events", *key)
    kind = CALENDARS[state.identifiers.number("calendar", hosts[0]["uri"], below=len(CALENDARS))]
    event: Record = {
        "uri": uri,
        "name": offered["name"] or "One-off meeting",
        "meeting_notes_plain": None,
        "meeting_notes_html": None,
        "status": "active",
        "start_time": to_timestamp(begins),
        "end_time": to_timestamp(ends),
        "event_type": offered["uri"],
        "location": location_of(_chosen(offered, details)),
        "invitees_counter": {
            "total": 0,
            "active": 0,
            "limit": state.event_type_limits[offered["uri"]],
        },
        "created_at": stamp,
        "updated_at": stamp,
        "event_memberships": [
            {
                "user": host["uri"],
                "user_email": host["email"],
                "user_name": host["name"],
                "buffered_end_time": buffered_end,
                "buffered_start_time": buffered_start,
            }
            for host in hosts
        ],
        "event_guests": [
            {"email": guest, "created_at": stamp, "updated_at": stamp}
            for guest in details.get("guests", ())
        ],
        "calendar_event": kind and {"kind": kind, "external_id": state.identifiers.of(uri)},
    }
    state.events[uri] = event
    state.invitees[uri] = []
    if offered["kind"] == "group":
        state.sessions[offered["uri"], to_timestamp(begins)] = uri
    return event


def new_invitee(
    state: State, event: Record, name: str, email: str, details: InviteeDetails
) -> Record:
    """Add an invitee to a meeting, if there is a seat left; return their record."""
    counter = event["invitees_counter"]
    if counter["active"] >= counter["limit"]:
        message = f"no seat is left in the event {event['uri']}"
        raise ValueError(message)
    stamp = state.stamp()
    within = event["uri"].partition("api.calendly.com/")[2]
    uri = state.identifiers.new_uri(f"{within}/invitees", email, stamp)
    identifier = last_segment(uri)
    submission = details.get("routing_form_submission")
    tracking = details.get("tracking", {})
    invitee: Record = {
        "uri": uri,
        "email": email,
        "first_name": details.get("first_name"),
        "last_name": details.get("last_name"),
        "name": name,
        "status": "active",
        "questions_and_answers": [
            {"question": question, "answer": answer, "position": position}
            for position, (question, answer) in enumerate(details.get("answers", {}).items())
        ],
        "timezone": details.get("timezone", "America/New_York"),
        "event": event["uri"],
        "created_at": stamp,
        "updated_at": stamp,
        "tracking": {key: tracking.get(key) for key in UTM},
        "text_reminder_number": details.get("text_reminder_number"),
        "rescheduled": False,
        "old_invitee": None,
        "new_invitee": None,
        "cancel_url": f"{PAGES}/cancellations/{identifier}",
        "reschedule_url": f"{PAGES}/reschedulings/{identifier}",
        "routing_form_submission": submission,
        "payment": None,
        "no_show": None,
        "reconfirmation": None,
        "scheduling_method": details.get("scheduling_method"),
        "invitee_scheduled_by": details.get("invitee_scheduled_by"),
    }
    state.invitees[event["uri"]].append(invitee)
    counter.update(total=counter["total"] + 1, active=counter["active"] + 1)
    if submission is not None:
        find_submission(state, submission).update(
            submitter=uri, submitter_type="Invitee", updated_at=state.stamp()
        )
    return invitee


def active_event(state: State, uri: str) -> Record:
    """Return a meeting, or raise ValueError if it is unknown or canceled."""
    event = find(state.events, uri, "event")
    if event["status"] != "active":
        message = f"the event {uri} is canceled already"
        raise ValueError(message)
    return event


def active_session(state: State, event_type: str, start: datetime) -> Record | None:
    """Return the active meeting of a group event type at that time, if there is one."""
    uri = state.sessions.get((event_type, to_timestamp(start)))
    session = None if uri is None else state.events.get(uri)
    return session if session is not None and session["status"] == "active" else None


def find_invitee(state: State, uri: str) -> Record:
    """Return an invitee, or raise ValueError if there is none."""
    for invitee in state.invitees.get(uri.partition("/invitees/")[0], ()):
        if invitee["uri"] == uri:
            return invitee
    message = f"there is no invitee {uri}"
    raise ValueError(message)


def active_invitee(state: State, uri: str) -> Record:
    """Return an invitee, or raise ValueError if they are unknown or canceled."""
    invitee = find_invitee(state, uri)
    if invitee["status"] != "active":
        message = f"the invitee {uri} is canceled already"
        raise ValueError(message)
    return invitee


def find_submission(state: State, uri: str) -> Record:
    """Return a routing form submission, or raise ValueError if there is none."""
    for submissions in state.submissions.values():
        for submission in submissions:
            if submission["uri"] == uri:
                return submission
    message = f"there is no routing form submission {uri}"
    raise ValueError(message)


def _hosts(state: State, offered: Record, wanted: str | None, key: tuple[str, ...]) -> list[Record]:
    """Return who hosts a new meeting: all of a collective, else the one wanted or next in turn."""
    able = [user for user in state.event_type_hosts[offered["uri"]] if state.is_member(user)]
    if not able:
        message = f"nobody is left to host the event type {offered['uri']}"
        raise ValueError(message)
    if wanted is not None and wanted not in able:
        message = f"{wanted} does not host the event type {offered['uri']}"
        raise ValueError(message)
    if offered["pooling_type"] == "collective":
        chosen = able
    elif offered["pooling_type"] is None:
        chosen = [wanted or able[0]]
    else:
        turn = state.identifiers.number("turn", *key, below=len(able))
        chosen = [wanted or able[turn]]
    return [state.users[user] for user in chosen]


def _chosen(offered: Record, details: InviteeDetails) -> Mapping[str, str] | None:
    if "location" in details:
        return details["location"]
    return next(iter(offered["locations"] or ()), None)
