"""Scheduled events and event invitees."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    CANCELLATION,
    CREATED_AT,
    TRACKING,
    UPDATED_AT,
    URI,
    either,
    flag,
    group,
    listing,
    text,
    time,
    whole,
)

SCHEDULED_EVENT = th.PropertiesList(
    URI,
    text("name", "Name of the event type at the time of booking."),
    text("meeting_notes_plain", "Internal meeting notes as plain text."),
    text("meeting_notes_html", "Internal meeting notes as HTML."),
    text("status", "active or canceled."),
    time("start_time", "When the meeting starts (UTC)."),
    time("end_time", "When the meeting ends (UTC)."),
    text("event_type", "URI of the event type."),
    group(
        "location",
        "Where the meeting is; which fields there are depends on `type`. Conference details come "
        "shortly after the booking and go about six months after the meeting.",
        text(
            "type",
            "physical, outbound_call, inbound_call, google_conference, zoom, gotomeeting, "
            "microsoft_teams_conference, webex_conference, custom or ask_invitee.",
        ),
        text("location", "Address, telephone number or text."),
        text("additional_info", "What the host added."),
        text("status", "Conference: initiated, processing, pushed or failed."),
        text("join_url", "Conference: address to join at."),
        either("data", ["object"], "Conference: what its provider gives, in its own form."),
    ),
    group(
        "invitees_counter",
        "How many people booked.",
        whole("total", "All invitees, canceled ones too."),
        whole("active", "Invitees who have not canceled."),
        whole("limit", "The most that can book."),
    ),
    CREATED_AT,
    UPDATED_AT,
    listing(
        "event_memberships",
        "The hosts.",
        text("user", "URI of the user."),
        text("user_email", "E-mail address; <id>@deleted.calendly.com once the user is deleted."),
        text("user_name", "Name; deleted once the user is deleted."),
        time("buffered_start_time", "Start with the buffer before it (UTC)."),
        time("buffered_end_time", "End with the buffer after it (UTC)."),
    ),
    listing(
        "event_guests",
        "Guests whom invitees added.",
        text("email", "E-mail address."),
        time("created_at", "When the guest was added (UTC)."),
        time("updated_at", "When the guest was last changed (UTC)."),
    ),
    CANCELLATION,
    group(
        "calendar_event",
        "The entry in the host's calendar; deprecated by Calendly.",
        text("kind", "exchange, google, icloud, outlook or outlook_desktop."),
        text("external_id", "The calendar's own id."),
    ),
)

EVENT_INVITEE = th.PropertiesList(
    URI,
    text("event_uri", "URI of the scheduled event; the key of scheduled_events to join on."),
    text("email", "E-mail address; <id>@deleted.calendly.com once the person was erased."),
    text("first_name", "First name, where the form asks for it apart."),
    text("last_name", "Last name, where the form asks for it apart."),
    text("name", "Full name."),
    text("status", "active or canceled."),
    listing(
        "questions_and_answers",
        "What the booking form asked.",
        text("question", "The question."),
        text("answer", "The answer; several choices stand on a line each."),
        whole("position", "The question's place on the form."),
    ),
    text("timezone", "Time zone of the invitee."),
    text("event", "URI of the scheduled event, as Calendly names it."),
    CREATED_AT,
    UPDATED_AT,
    TRACKING,
    text("text_reminder_number", "Telephone number for reminders."),
    flag("rescheduled", "Whether this booking was replaced by another."),
    text("old_invitee", "URI of the invitee that this booking replaces."),
    text("new_invitee", "URI of the invitee that replaces this booking."),
    text("cancel_url", "Link that lets anyone who has it cancel: treat it as a secret."),
    text("reschedule_url", "Link that lets anyone who has it reschedule: treat it as a secret."),
    text("routing_form_submission", "URI of the routing form submission that led here."),
    CANCELLATION,
    group(
        "payment",
        "The payment.",
        text("external_id", "The provider's id."),
        text("provider", "stripe or paypal."),
        either("amount", ["number", "string"], "Amount in the currency's main unit."),
        text("currency", "AUD, CAD, EUR, GBP or USD."),
        text("terms", "Terms of the payment."),
        flag("successful", "Whether it went through."),
    ),
    group(
        "no_show",
        "The mark that the invitee did not come; null unless marked.",
        text("uri", "Canonical reference of the mark."),
        time("created_at", "When it was marked (UTC)."),
    ),
    group(
        "reconfirmation",
        "The request to confirm; null unless asked.",
        time("created_at", "When it was asked for (UTC)."),
        time("confirmed_at", "When it was confirmed (UTC)."),
    ),
    text("scheduling_method", "instant_book or api; null for a booking page."),
    text("invitee_scheduled_by", "URI of the user who booked for the invitee."),
)
