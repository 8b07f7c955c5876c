"""Messages that workflows send to invitees; they have no URI, and never change."""

from __future__ import annotations

from typing import Literal

from sandbox.organization.meeting_records import find_invitee
from sandbox.organization.state import Record, State, find, life_event

SENDER = "notifications@calendly.example"
NUMBER = "+1 555 0199"


@life_event
def send_message(
    state: State,
    *,
    invitee: str,
    body: str,
    kind: Literal["email", "sms"] = "email",
    subject: str | None = None,
    sender: str | None = None,
) -> None:
    """Send an invitee an e-mail, or an SMS to the number they left.

    ``subject`` is for an e-mail only; ``sender`` is a user's URI, Calendly itself if left out.
    """
    record = find_invitee(state, invitee)
    person = None if sender is None else find(state.users, sender, "user")
    if kind not in ("email", "sms"):
        message = f"a message goes by email or sms, not by {kind!r}"
        raise ValueError(message)
    to = record["email"] if kind == "email" else record["text_reminder_number"]
    if to is None:
        message = f"the invitee {invitee} left no number"
        raise ValueError(message)
    event = state.events[record["event"]]
    stamp = state.stamp()
    sent: Record = {
        "type": kind,
        "to": to,
        "from": (person["email"] if person else SENDER) if kind == "email" else NUMBER,
        "subject": subject if kind == "email" else None,
        "body": body,
        "sender_uri": sender,
        "sender_email": person and person["email"],
        "event_type_uri": event["event_type"],
        "event_uri": event["uri"],
        "sent_at": stamp,
        "created_at": stamp,
        "scheduling_url": state.event_types[event["event_type"]]["scheduling_url"],
    }
    state.communications.append(sent)
