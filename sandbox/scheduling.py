"""Meetings as they are booked, joined, left, canceled and moved to another time."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypedDict

from sandbox.activity import ActivityLog
from sandbox.clock import in_utc
from sandbox.identifiers import PAGES, last_segment, rendered
from sandbox.locations import location_again, location_of
from sandbox.state import Record, known, life

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

UTM = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")

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
"""What a new invitee takes over from the one he replaces."""

CALENDARS = (None, "google", "google", "outlook", "exchange", "icloud", "outlook_desktop")


class InviteeDetails(TypedDict, total=False):
    """What an invitee may tell beyond his name and address, or who speaks for him.

    Attributes:
        answers: His answers, by question.
        tracking: UTM parameters and ``salesforce_uuid``, those there are.
        location: The location configuration chosen; the event type's first if left out.
        guests: Addresses of further people to bring along.
        timezone: The IANA name of his time zone.
        first_name: Only where the form asks for both names.
        last_name: Only where the form asks for both names.
        text_reminder_number: A telephone number.
        routing_form_submission: The URI of the submission that led here.
        host: The URI of the user who shall host, where the event type has several.
        scheduling_method: ``instant_book`` or ``api``.
        invitee_scheduled_by: The URI of the user who booked in his place.
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


class Scheduling(ActivityLog):
    """The meetings of the organisation and their invitees."""

    @life
    def book(
        self,
        *,
        event_type: str,
        start: datetime,
        name: str,
        email: str,
        **details: Unpack[InviteeDetails],
    ) -> tuple[str, str]:
        """Book a meeting, or a seat in one that a group event type already has at that time.

        Joining a meeting moves nothing of the event but its ``invitees_counter``.

        Args:
            event_type: The URI of what is booked.
            start: When it begins; aware. It may lie in the past.
            name: The invitee's name.
            email: His address.
            details: See :class:`InviteeDetails`.

        Returns:
            The URIs of the event and of the invitee.

        Raises:
            ValueError: If the event type is unknown or not offered, nobody can host it, no seat is
                left, ``start`` is naive, or a detail is unknown.
        """
        offered = known(self.event_types, event_type, "event type")
        if not offered["active"]:
            message = f"the event type {event_type} is not offered"
            raise ValueError(message)
        self._check(details)
        event = self._session(event_type, start) or self._new_event(offered, start, email, details)
        return event["uri"], self._new_invitee(event, name, email, details)["uri"]

    @life
    def join(self, *, event: str, name: str, email: str, **details: Unpack[InviteeDetails]) -> str:
        """Take a seat in a group meeting; moves nothing of the event but its counter.

        Args:
            event: The URI of the meeting.
            name: The invitee's name.
            email: His address.
            details: See :class:`InviteeDetails`.

        Returns:
            The invitee's URI.

        Raises:
            ValueError: If the event is unknown or canceled, no seat is left, or a detail is
                unknown.
        """
        self._check(details)
        record = self._active_event(event)
        invitee = self._new_invitee(record, name, email, details)
        uri: str = invitee["uri"]
        return uri

    @life
    def leave(
        self, *, invitee: str, reason: str | None = None, moves_updated_at: bool = False
    ) -> None:
        """Let an invitee cancel for himself alone.

        While others stay, the event stays active and its counter changes; whether that moves the
        event's ``updated_at`` Calendly does not say. When the last one leaves, the meeting is
        canceled.

        Args:
            invitee: The invitee's URI.
            reason: What he says about it.
            moves_updated_at: Whether the event's ``updated_at`` moves while others stay.

        Raises:
            ValueError: If the invitee is unknown or canceled already.
        """
        self._withdraw(self._active_invitee(invitee), "invitee", reason, moves=moves_updated_at)

    @life
    def cancel(
        self,
        *,
        event: str | None = None,
        invitee: str | None = None,
        by: Literal["host", "invitee"] = "host",
        reason: str | None = None,
    ) -> None:
        """Cancel a whole meeting, or one invitee's part in it.

        Moves ``updated_at`` of the event and of every invitee that was still active, and gives
        both their ``cancellation``; an invitee among others leaves as by :meth:`leave`.

        Args:
            event: The URI of the meeting, or
            invitee: the URI of the invitee: one of the two.
            by: Who cancels.
            reason: What he says about it.

        Raises:
            ValueError: If the event or invitee is unknown or canceled already, or not exactly one
                of them is given.
        """
        if (event is None) == (invitee is None):
            message = "either an event or an invitee can be canceled"
            raise ValueError(message)
        if invitee is not None:
            self._withdraw(self._active_invitee(invitee), by, reason)
            return
        record = self._active_event(str(event))
        guests = [one for one in self.invitees[record["uri"]] if one["status"] == "active"]
        self._cancel(record, guests, by, reason)

    @life
    def reschedule(
        self,
        *,
        invitee: str,
        start: datetime,
        by: Literal["host", "invitee"] = "invitee",
        reason: str | None = None,
    ) -> tuple[str, str]:
        """Move an invitee to another time: his old booking is canceled, a new one is made.

        The old invitee is canceled with ``rescheduled`` and ``new_invitee``, the new one has
        ``old_invitee``; the old event is canceled unless others are still in it.

        Args:
            invitee: The URI of the invitee.
            start: When his new meeting begins; aware.
            by: Who moves it.
            reason: What he says about it.

        Returns:
            The URIs of the new event and of the new invitee.

        Raises:
            ValueError: If the invitee is unknown or canceled already, nobody can host, no
                seat is left at the new time, or ``start`` is naive.
        """
        old = self._active_invitee(invitee)
        left = self.events[old["event"]]
        offered = known(self.event_types, left["event_type"], "event type")
        event = self._session(offered["uri"], start)
        if event is left:
            message = f"the invitee {invitee} has his meeting at that time already"
            raise ValueError(message)
        if event is None:
            event = self._new_event(offered, start, old["email"], _as_before(left))
            event["location"] = location_again(left["location"])
        new = self._new_invitee(event, old["name"], old["email"], {})
        new.update({key: deepcopy(old[key]) for key in KEPT}, old_invitee=old["uri"])
        self._withdraw(old, by, reason)
        old.update(rescheduled=True, new_invitee=new["uri"])
        return event["uri"], new["uri"]

    def _active_event(self, uri: str) -> Record:
        event = known(self.events, uri, "event")
        if event["status"] != "active":
            message = f"the event {uri} is canceled already"
            raise ValueError(message)
        return event

    def _invitee(self, uri: str) -> Record:
        for invitee in self.invitees.get(uri.partition("/invitees/")[0], ()):
            if invitee["uri"] == uri:
                return invitee
        message = f"there is no invitee {uri}"
        raise ValueError(message)

    def _active_invitee(self, uri: str) -> Record:
        invitee = self._invitee(uri)
        if invitee["status"] != "active":
            message = f"the invitee {uri} is canceled already"
            raise ValueError(message)
        return invitee

    def _check(self, details: InviteeDetails) -> None:
        unknown = sorted(details.keys() - InviteeDetails.__annotations__.keys())
        if unknown:
            message = f"a booking has no detail {unknown[0]!r}"
            raise ValueError(message)
        submission = details.get("routing_form_submission")
        if submission is not None:
            self._submission(submission)

    def _session(self, event_type: str, start: datetime) -> Record | None:
        """Return the active meeting of a group event type at that time, if there is one."""
        uri = self._sessions.get((event_type, rendered(start)))
        session = None if uri is None else self.events.get(uri)
        return session if session is not None and session["status"] == "active" else None

    def _hosts(self, offered: Record, wanted: str | None, key: tuple[str, ...]) -> list[Record]:
        """Return who hosts a new meeting: all of a collective, else the one asked for or due."""
        able = [user for user in self.event_type_hosts[offered["uri"]] if self.is_member(user)]
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
            turn = self.identifiers.number("turn", *key, below=len(able))
            chosen = [wanted or able[turn]]
        return [self.users[user] for user in chosen]

    def _new_event(
        self, offered: Record, start: datetime, email: str, details: InviteeDetails
    ) -> Record:
        begins = in_utc(start)
        ends = begins + timedelta(minutes=offered["duration"])
        buffered_start = rendered(begins - timedelta(minutes=offered["before_buffer"]))
        buffered_end = rendered(ends + timedelta(minutes=offered["after_buffer"]))
        stamp = self.stamp()
        key = (offered["uri"], rendered(begins), email, stamp)
        hosts = self._hosts(offered, details.get("host"), key)
        uri = self.identifiers.new_uri("scheduled_events", *key)
        kind = CALENDARS[self.identifiers.number("calendar", hosts[0]["uri"], below=len(CALENDARS))]
        event: Record = {
            "uri": uri,
            "name": offered["name"],
            "meeting_notes_plain": None,
            "meeting_notes_html": None,
            "status": "active",
            "start_time": rendered(begins),
            "end_time": rendered(ends),
            "event_type": offered["uri"],
            "location": location_of(_chosen(offered, details)),
            "invitees_counter": {
                "total": 0,
                "active": 0,
                "limit": self.event_type_limits[offered["uri"]],
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
            "calendar_event": kind and {"kind": kind, "external_id": self.identifiers.of(uri)},
        }
        self.events[uri] = event
        self.invitees[uri] = []
        if offered["kind"] == "group":
            self._sessions[offered["uri"], rendered(begins)] = uri
        return event

    def _new_invitee(self, event: Record, name: str, email: str, details: InviteeDetails) -> Record:
        counter = event["invitees_counter"]
        if counter["active"] >= counter["limit"]:
            message = f"no seat is left in the event {event['uri']}"
            raise ValueError(message)
        stamp = self.stamp()
        within = event["uri"].partition("api.calendly.com/")[2]
        uri = self.identifiers.new_uri(f"{within}/invitees", email, stamp)
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
        self.invitees[event["uri"]].append(invitee)
        counter.update(total=counter["total"] + 1, active=counter["active"] + 1)
        if submission is not None:
            self._submission(submission).update(
                submitter=uri, submitter_type="Invitee", updated_at=self.stamp()
            )
        return invitee

    def _submission(self, uri: str) -> Record:
        for submissions in self.submissions.values():
            for submission in submissions:
                if submission["uri"] == uri:
                    return submission
        message = f"there is no routing form submission {uri}"
        raise ValueError(message)

    def _withdraw(
        self, invitee: Record, by: str, reason: str | None, *, moves: bool = False
    ) -> None:
        event = self.events[invitee["event"]]
        if event["invitees_counter"]["active"] == 1:
            self._cancel(event, [invitee], by, reason)
            return
        cancellation = self._cancellation(event, invitee, by, reason)
        if moves:
            event["updated_at"] = self.stamp()
        self._cancel_invitee(event, invitee, cancellation)

    def _cancel(self, event: Record, invitees: list[Record], by: str, reason: str | None) -> None:
        cancellation = self._cancellation(event, invitees[0], by, reason)
        event.update(status="canceled", cancellation=cancellation, updated_at=self.stamp())
        for invitee in invitees:
            self._cancel_invitee(event, invitee, cancellation)

    def _cancel_invitee(self, event: Record, invitee: Record, cancellation: Record) -> None:
        event["invitees_counter"]["active"] -= 1
        invitee.update(status="canceled", cancellation=dict(cancellation), updated_at=self.stamp())

    def _cancellation(self, event: Record, invitee: Record, by: str, reason: str | None) -> Record:
        if by not in ("host", "invitee"):
            message = f"a host or an invitee can cancel, not {by!r}"
            raise ValueError(message)
        host = event["event_memberships"][0]["user_name"]
        return {
            "canceled_by": host if by == "host" else invitee["name"],
            "reason": reason,
            "canceler_type": by,
            "created_at": self.stamp(),
        }


def _chosen(offered: Record, details: InviteeDetails) -> Mapping[str, str] | None:
    if "location" in details:
        return details["location"]
    return next(iter(offered["locations"] or ()), None)


def _as_before(event: Record) -> InviteeDetails:
    """Return what a meeting takes over from the one it replaces: its host and its guests."""
    guests = [guest["email"] for guest in event["event_guests"]]
    return {"host": event["event_memberships"][0]["user"], "guests": guests, "location": None}
