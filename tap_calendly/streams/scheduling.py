"""Scheduled events (meetings) and their invitees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from typing_extensions import override

from tap_calendly.reading.endpoint import Paged
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.reader import Reader
from tap_calendly.reading.replication import BySweep
from tap_calendly.reading.source import Lookup, Row
from tap_calendly.reporting import errors
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    BUFFERED_TIMES,
    CANCELLATION,
    CREATED_AT,
    EMAIL,
    LOCATION,
    MEETING_TIMES,
    TRACKING,
    UPDATED_AT,
    URI,
    boolean,
    columns,
    integer,
    nested,
    nested_list,
    one_of,
    parent_uri,
    string,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.state import known_inbox, known_positions, note_inbox
from tap_calendly.streams.event_types import EventTypes
from tap_calendly.sweep.checkpoints import Swept
from tap_calendly.sweep.event_types import NamedEventTypes
from tap_calendly.sweep.inbox import InboxHints, Known
from tap_calendly.sweep.runner import SweepRunner
from tap_calendly.sweep.trust import OTHER_SCOPE, SUBSCRIBE, Doubt


class ScheduledEvents(CalendlyStream):
    """Meetings, in the order of their start."""

    name = "scheduled_events"
    endpoint = Paged("/scheduled_events", whose="meetings", sort="start_time:asc")
    replication = BySweep("updated_at", from_start_date=True)
    requires = Requires("scheduled_events:read")
    essential = True
    schema = columns(
        URI,
        string("name", "Name of the event type at the time of booking."),
        string("meeting_notes_plain", "Internal meeting notes as plain text."),
        string("meeting_notes_html", "Internal meeting notes as HTML."),
        string("status", "active or canceled."),
        *MEETING_TIMES,
        string("event_type", "URI of the event type."),
        LOCATION,
        nested(
            "invitees_counter",
            "How many people booked.",
            integer("total", "All invitees, canceled ones too."),
            integer("active", "Invitees who have not canceled."),
            integer("limit", "The most that can book."),
        ),
        CREATED_AT,
        UPDATED_AT,
        nested_list(
            "event_memberships",
            "The hosts.",
            string("user", "URI of the user."),
            string(
                "user_email", "E-mail address; <id>@deleted.calendly.com once the user is deleted."
            ),
            string("user_name", "Name; deleted once the user is deleted."),
            *BUFFERED_TIMES,
        ),
        nested_list(
            "event_guests",
            "Guests whom invitees added.",
            EMAIL,
            timestamp("created_at", "When the guest was added (UTC)."),
            timestamp("updated_at", "When the guest was last changed (UTC)."),
        ),
        CANCELLATION,
        nested(
            "calendar_event",
            "The entry in the host's calendar; deprecated by Calendly.",
            string("kind", "exchange, google, icloud, outlook or outlook_desktop."),
            string("external_id", "The calendar's own id."),
        ),
    )

    @override
    def sources(self) -> Iterator[Iterator[Batch[Row | Lookup]]]:
        streams = [Swept(s.name, s.entry, s.outcome) for s in self.family if s.selected]
        invitees = [child.reader for child in self.children]
        types, inbox = self._named_event_types(), self._inbox(invitees)
        runner = SweepRunner(self.reader, invitees, streams, types, self.write_state)
        yield runner.interrupted()
        if isinstance(inbox, InboxHints):
            yield runner.hinted(inbox)
        yield runner.fresh(inbox)

    def _inbox(self, invitees: Sequence[Reader]) -> InboxHints | Doubt | None:
        """Return what names the meetings that changed; a doubt if the inbox is of no use.

        From here on, the state's positions are of this inbox.
        """
        try:
            inbox = self.run.inbox
        except errors.CalendlyError as error:
            return Doubt(str(error).rstrip("."), lasts=True)
        if inbox is None:
            return None
        if (subscription := inbox.subscription) is None:
            return Doubt(f"the inbox has no webhook subscription: {SUBSCRIBE}", lasts=True)
        if subscription.about != self.run.scope.parameters("webhooks"):
            return Doubt(OTHER_SCOPE, lasts=True)
        state = cast("dict[str, Any]", self.tap_state)
        # Not only the selected streams: the others come back with their own doubt.
        names = [self.name, *(stream.name for stream in self.child_streams)]
        known = Known(known_inbox(state), known_positions(state, names))
        hints = InboxHints(inbox, subscription, self.reader, invitees, known)
        if known.inbox != hints.current or hints.has_gone_back:
            note_inbox(state, hints.current, names)
        return hints

    def _named_event_types(self) -> NamedEventTypes | None:
        """Return what loads the event types that meetings name; None if they are not loaded."""
        (stream,) = self.siblings(EventTypes)
        if not stream.selected or stream.outcome.unavailable is not None:
            return None
        reader = Reader(stream.reader.stream, self.run, stream.outcome)
        reader.stopped = self.reader.stopped
        return NamedEventTypes(reader, stream.written, stream.write_rows)


class EventInvitees(CalendlyStream):
    """People who booked a meeting; the API gives them by one request for each meeting."""

    name = "event_invitees"
    endpoint = Paged("/scheduled_events/{uuid}/invitees", sort="created_at:asc", append_only=True)
    parent = Parent(ScheduledEvents, columns={"event_uri": "uri"})
    replication = BySweep("updated_at")
    requires = Requires("scheduled_events:read")
    essential = True
    schema = columns(
        URI,
        parent_uri("event_uri", "scheduled_events"),
        string("email", "E-mail address; <id>@deleted.calendly.com once the person was erased."),
        string("first_name", "First name, where the form asks for it apart."),
        string("last_name", "Last name, where the form asks for it apart."),
        string("name", "Full name."),
        string("status", "active or canceled."),
        nested_list(
            "questions_and_answers",
            "What the booking form asked.",
            string("question", "The question."),
            string("answer", "The answer; several choices stand on a line each."),
            integer("position", "The question's place on the form."),
        ),
        string("timezone", "Time zone of the invitee."),
        string("event", "URI of the scheduled event, as Calendly names it."),
        CREATED_AT,
        UPDATED_AT,
        TRACKING,
        string("text_reminder_number", "Telephone number for reminders."),
        boolean("rescheduled", "Whether this booking was replaced by another."),
        string("old_invitee", "URI of the invitee that this booking replaces."),
        string("new_invitee", "URI of the invitee that replaces this booking."),
        string("cancel_url", "Link that lets anyone who has it cancel: treat it as a secret."),
        string(
            "reschedule_url", "Link that lets anyone who has it reschedule: treat it as a secret."
        ),
        string("routing_form_submission", "URI of the routing form submission that led here."),
        CANCELLATION,
        nested(
            "payment",
            "The payment.",
            string("external_id", "The provider's id."),
            string("provider", "stripe or paypal."),
            one_of("amount", ["number", "string"], "Amount in the currency's main unit."),
            string("currency", "AUD, CAD, EUR, GBP or USD."),
            string("terms", "Terms of the payment."),
            boolean("successful", "Whether it went through."),
        ),
        nested(
            "no_show",
            "The mark that the invitee did not come; null unless marked.",
            string("uri", "Canonical reference of the mark."),
            timestamp("created_at", "When it was marked (UTC)."),
        ),
        nested(
            "reconfirmation",
            "The request to confirm; null unless asked.",
            timestamp("created_at", "When it was asked for (UTC)."),
            timestamp("confirmed_at", "When it was confirmed (UTC)."),
        ),
        string("scheduling_method", "instant_book or api; null for a booking page."),
        string("invitee_scheduled_by", "URI of the user who booked for the invitee."),
    )
