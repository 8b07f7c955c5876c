"""What happens to a booked meeting and its invitees, before, during and after it.

Where Calendly does not say whether a change moves ``updated_at``, ``moves_updated_at`` decides.
"""

from __future__ import annotations

from html import escape
from typing import Literal

from sandbox.organization.activity_log import log
from sandbox.organization.announcements import announce_no_show
from sandbox.organization.locations import conference_details, is_conference, without_details
from sandbox.organization.meeting_records import active_invitee, find_invitee
from sandbox.organization.state import Record, State, find, life_event


@life_event
def mark_no_show(state: State, *, invitee: str) -> str:
    """Mark an invitee as a no-show, moving no ``updated_at`` at all; return the no-show's URI."""
    record = active_invitee(state, invitee)
    if record["no_show"] is not None:
        message = f"the invitee {invitee} is marked as a no-show already"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("invitee_no_shows", invitee)
    state.no_shows[uri] = {"uri": uri, "invitee": invitee, "created_at": stamp}
    record["no_show"] = {"uri": uri, "created_at": stamp}
    announce_no_show(state, "invitee_no_show.created", record, state.no_shows[uri])
    return uri


@life_event
def unmark_no_show(state: State, *, invitee: str) -> None:
    """Delete a no-show mark; moves no ``updated_at`` at all."""
    record = find_invitee(state, invitee)
    if record["no_show"] is None:
        message = f"the invitee {invitee} is not marked as a no-show"
        raise ValueError(message)
    mark = state.no_shows.pop(record["no_show"]["uri"])
    record["no_show"] = None
    announce_no_show(state, "invitee_no_show.deleted", record, mark)


@life_event
def push_conference_link(
    state: State,
    *,
    event: str,
    status: Literal["processing", "pushed", "failed"] = "pushed",
    moves_updated_at: bool = False,
) -> None:
    """Let the conference provider create the meeting's link, or get as far as ``status``.

    ``moves_updated_at``: Calendly's API has been seen to do both.
    """
    record, location = _conference(state, event)
    location["status"] = status
    if status == "pushed":
        number = state.identifiers.number("conference", event, below=10**12)
        location.update(conference_details(location["type"], number))
    if moves_updated_at:
        record["updated_at"] = state.stamp()


@life_event
def drop_conference_details(state: State, *, event: str) -> None:
    """Delete a conference's details, as Calendly does after about 6 months; moves nothing."""
    record, location = _conference(state, event)
    record["location"] = without_details(location)


@life_event
def edit_notes(
    state: State,
    *,
    event: str,
    plain: str | None,
    html: str | None = None,
    moves_updated_at: bool = True,
) -> None:
    """Replace the meeting's notes, or delete them; ``html`` follows from the text if left out."""
    record = find(state.events, event, "event")
    if html is None and plain is not None:
        html = "<p>" + escape(plain, quote=False).replace("\n", "<br>") + "</p>"
    record.update(meeting_notes_plain=plain, meeting_notes_html=html)
    if moves_updated_at:
        record["updated_at"] = state.stamp()


@life_event
def reconfirm(
    state: State, *, invitee: str, confirmed: bool, moves_updated_at: bool = False
) -> None:
    """Ask an invitee to reconfirm, or let them do so."""
    record = active_invitee(state, invitee)
    stamp = state.stamp()
    asked = record["reconfirmation"] or {"created_at": stamp}
    record["reconfirmation"] = {**asked, "confirmed_at": stamp if confirmed else None}
    if moves_updated_at:
        record["updated_at"] = state.stamp()


@life_event
def pay(
    state: State,
    *,
    invitee: str,
    amount: float | str,
    currency: str,
    moves_updated_at: bool = False,
) -> None:
    """Let an invitee pay; Calendly's API has returned the amount as a number and as a string."""
    record = active_invitee(state, invitee)
    if currency not in ("AUD", "CAD", "EUR", "GBP", "USD"):
        message = f"Calendly takes no payments in {currency}"
        raise ValueError(message)
    record["payment"] = {
        "external_id": f"ch_{state.identifiers.digest('payment', invitee).hex()[:24]}",
        "provider": "stripe" if state.identifiers.number(invitee, below=2) else "paypal",
        "amount": amount,
        "currency": currency,
        "terms": None,
        "successful": True,
    }
    if moves_updated_at:
        record["updated_at"] = state.stamp()


@life_event
def delete_event_data(state: State, *, event: str) -> None:
    """Delete a meeting with its invitees, as a data deletion request does.

    Calendly does not say what happens to the meeting: here it is gone, the harder case.
    """
    find(state.events, event, "event")
    del state.events[event]
    gone = {invitee["uri"] for invitee in state.invitees.pop(event)}
    for uri in [uri for uri, mark in state.no_shows.items() if mark["invitee"] in gone]:
        del state.no_shows[uri]
    log(state, "Compliance.Data_Deletion_Completed", about=event)


@life_event
def scrub_invitee(state: State, *, email: str) -> None:
    """Erase a person from every meeting they were invited to; moves nothing.

    Their records stay, with ``<hex>@deleted.calendly.com`` for the address, and without name,
    answers and telephone number.
    """
    found = [one for each in state.invitees.values() for one in each if one["email"] == email]
    if not found:
        message = f"no invitee has the address {email}"
        raise ValueError(message)
    erased = f"{state.identifiers.digest('erased', email).hex()[:14]}@deleted.calendly.com"
    for invitee in found:
        invitee.update(
            email=erased,
            name=None,
            first_name=None,
            last_name=None,
            questions_and_answers=[],
            text_reminder_number=None,
        )
        log(state, "Compliance.Data_Deletion_Completed", about=invitee["uri"])


def _conference(state: State, event: str) -> tuple[Record, Record]:
    record = find(state.events, event, "event")
    location = record["location"]
    if not is_conference(location):
        message = f"the event {event} takes place at no conference"
        raise ValueError(message)
    return record, location
