"""What happens to a booked meeting and its invitees, before, during and long after it."""

from __future__ import annotations

from html import escape
from typing import Literal

from sandbox.locations import conference_details, is_conference, without_details
from sandbox.scheduling import Scheduling
from sandbox.state import Record, known, life


class Meetings(Scheduling):
    """The marks that the course of things leaves on meetings and invitees."""

    @life
    def mark_no_show(self, *, invitee: str) -> str:
        """Mark that an invitee did not come; moves no ``updated_at`` at all.

        Args:
            invitee: The URI of the invitee.

        Returns:
            The URI of the no-show.

        Raises:
            ValueError: If the invitee is unknown, canceled, or marked already.
        """
        record = self._active_invitee(invitee)
        if record["no_show"] is not None:
            message = f"the invitee {invitee} is marked as a no-show already"
            raise ValueError(message)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("invitee_no_shows", invitee)
        self.no_shows[uri] = {"uri": uri, "invitee": invitee, "created_at": stamp}
        record["no_show"] = {"uri": uri, "created_at": stamp}
        return uri

    @life
    def unmark_no_show(self, *, invitee: str) -> None:
        """Take the mark back; moves no ``updated_at`` at all.

        Raises:
            ValueError: If the invitee is unknown, or not marked.
        """
        record = self._invitee(invitee)
        if record["no_show"] is None:
            message = f"the invitee {invitee} is not marked as a no-show"
            raise ValueError(message)
        del self.no_shows[record["no_show"]["uri"]]
        record["no_show"] = None

    @life
    def push_conference_link(
        self,
        *,
        event: str,
        status: Literal["processing", "pushed", "failed"] = "pushed",
        moves_updated_at: bool = False,
    ) -> None:
        """Let the conference provider make the meeting's link, or get on with it.

        Args:
            event: The URI of the meeting.
            status: How far it gets: ``processing``, ``pushed`` (with ``join_url`` and ``data``)
                or ``failed``.
            moves_updated_at: Whether the event's ``updated_at`` moves: seen both ways.

        Raises:
            ValueError: If the event is unknown, or takes place at no conference.
        """
        record, location = self._conference(event)
        location["status"] = status
        if status == "pushed":
            number = self.identifiers.number("conference", event, below=10**12)
            location.update(conference_details(location["type"], number))
        if moves_updated_at:
            record["updated_at"] = self.stamp()

    @life
    def drop_conference_details(self, *, event: str) -> None:
        """Drop a conference's details, as Calendly does about 6 months later; moves nothing.

        Raises:
            ValueError: If the event is unknown, or takes place at no conference.
        """
        record, location = self._conference(event)
        record["location"] = without_details(location)

    @life
    def edit_notes(
        self,
        *,
        event: str,
        plain: str | None,
        html: str | None = None,
        moves_updated_at: bool = True,
    ) -> None:
        """Write the meeting's notes anew.

        Args:
            event: The URI of the meeting.
            plain: The text; ``None`` takes the notes away.
            html: The same in HTML; made from the text if left out.
            moves_updated_at: Whether the event's ``updated_at`` moves: probably, Calendly does
                not say.

        Raises:
            ValueError: If the event is unknown.
        """
        record = known(self.events, event, "event")
        if html is None and plain is not None:
            html = "<p>" + escape(plain, quote=False).replace("\n", "<br>") + "</p>"
        record.update(meeting_notes_plain=plain, meeting_notes_html=html)
        if moves_updated_at:
            record["updated_at"] = self.stamp()

    @life
    def reconfirm(self, *, invitee: str, confirmed: bool, moves_updated_at: bool = False) -> None:
        """Ask an invitee to reconfirm, or let him do so.

        Args:
            invitee: The URI of the invitee.
            confirmed: Whether he did; if not, he has only been asked.
            moves_updated_at: Whether his ``updated_at`` moves; Calendly does not say.

        Raises:
            ValueError: If the invitee is unknown or canceled.
        """
        record = self._active_invitee(invitee)
        stamp = self.stamp()
        asked = record["reconfirmation"] or {"created_at": stamp}
        record["reconfirmation"] = {**asked, "confirmed_at": stamp if confirmed else None}
        if moves_updated_at:
            record["updated_at"] = self.stamp()

    @life
    def pay(
        self,
        *,
        invitee: str,
        amount: float | str,
        currency: str,
        moves_updated_at: bool = False,
    ) -> None:
        """Let an invitee pay.

        Args:
            invitee: The URI of the invitee.
            amount: In units of the currency; passed on as the number or string it is, for
                Calendly's API has had both.
            currency: ``AUD``, ``CAD``, ``EUR``, ``GBP`` or ``USD``.
            moves_updated_at: Whether his ``updated_at`` moves; Calendly does not say.

        Raises:
            ValueError: If the invitee is unknown or canceled, or the currency not accepted.
        """
        record = self._active_invitee(invitee)
        if currency not in ("AUD", "CAD", "EUR", "GBP", "USD"):
            message = f"Calendly takes no payments in {currency}"
            raise ValueError(message)
        record["payment"] = {
            "external_id": f"ch_{self.identifiers.digest('payment', invitee).hex()[:24]}",
            "provider": "stripe" if self.identifiers.number(invitee, below=2) else "paypal",
            "amount": amount,
            "currency": currency,
            "terms": None,
            "successful": True,
        }
        if moves_updated_at:
            record["updated_at"] = self.stamp()

    @life
    def delete_event_data(self, *, event: str) -> None:
        """Delete a meeting with its invitees, as a request for data deletion does.

        Calendly does not say what becomes of the meeting: here it vanishes, which is crueller.

        Args:
            event: The URI of the meeting.

        Raises:
            ValueError: If the event is unknown.
        """
        known(self.events, event, "event")
        del self.events[event]
        gone = {invitee["uri"] for invitee in self.invitees.pop(event)}
        for uri in [uri for uri, mark in self.no_shows.items() if mark["invitee"] in gone]:
            del self.no_shows[uri]
        self._log("Compliance.Data_Deletion_Completed", about=event)

    @life
    def scrub_invitee(self, *, email: str) -> None:
        """Erase a person who asked for it from every meeting he was invited to; moves nothing.

        His records stay, with ``<hex>@deleted.calendly.com`` for the address, without name,
        answers and telephone number.

        Args:
            email: The person's address.

        Raises:
            ValueError: If nobody with that address was ever invited.
        """
        found = [one for each in self.invitees.values() for one in each if one["email"] == email]
        if not found:
            message = f"no invitee has the address {email}"
            raise ValueError(message)
        erased = f"{self.identifiers.digest('erased', email).hex()[:14]}@deleted.calendly.com"
        for invitee in found:
            invitee.update(
                email=erased,
                name=None,
                first_name=None,
                last_name=None,
                questions_and_answers=[],
                text_reminder_number=None,
            )
            self._log("Compliance.Data_Deletion_Completed", about=invitee["uri"])

    def _conference(self, event: str) -> tuple[Record, Record]:
        record = known(self.events, event, "event")
        location = record["location"]
        if not is_conference(location):
            message = f"the event {event} takes place at no conference"
            raise ValueError(message)
        return record, location
