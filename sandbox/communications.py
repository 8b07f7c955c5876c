"""What workflows send to invitees: reminders by e-mail and by SMS."""

from __future__ import annotations

from typing import Literal

from sandbox.scheduling import Scheduling
from sandbox.state import Record, known, life

SENDER = "notifications@calendly.example"
NUMBER = "+1 555 0199"


class Communications(Scheduling):
    """The messages that were sent; they have no URI, and nothing ever changes or leaves them."""

    @life
    def send_message(
        self,
        *,
        invitee: str,
        body: str,
        kind: Literal["email", "sms"] = "email",
        subject: str | None = None,
        sender: str | None = None,
    ) -> None:
        """Send an invitee a message.

        Args:
            invitee: The invitee's URI.
            body: What it says.
            kind: ``email``, or ``sms`` to the number he left for reminders.
            subject: What it is about; an e-mail's alone.
            sender: The URI of the user it is sent for; Calendly itself if left out.

        Raises:
            ValueError: If there is no such invitee, user or kind, or he left no number.
        """
        record = self._invitee(invitee)
        person = None if sender is None else known(self.users, sender, "user")
        if kind not in ("email", "sms"):
            message = f"a message goes by email or sms, not by {kind!r}"
            raise ValueError(message)
        to = record["email"] if kind == "email" else record["text_reminder_number"]
        if to is None:
            message = f"the invitee {invitee} left no number"
            raise ValueError(message)
        event = self.events[record["event"]]
        stamp = self.stamp()
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
            "scheduling_url": self.event_types[event["event_type"]]["scheduling_url"],
        }
        self.communications.append(sent)
