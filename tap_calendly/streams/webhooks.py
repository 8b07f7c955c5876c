"""Webhooks: whom Calendly tells what happens, and what it told the inbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_calendly import timestamps
from tap_calendly.api.decoding import decode
from tap_calendly.api.page import Record
from tap_calendly.reading.endpoint import Endpoint, Paged
from tap_calendly.reading.replication import Replication
from tap_calendly.reporting import errors, messages
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    CREATED_AT,
    ORGANIZATION_URI,
    UPDATED_AT,
    URI,
    columns,
    one_of,
    string,
    strings,
    timestamp,
)
from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.state import Bookmark

if TYPE_CHECKING:  # of the extra `webhooks`
    from tap_calendly.inbox.delivery import Received
    from tap_calendly.inbox.reader import InboxReader

STATE_EVERY = 500
"""Deliveries after which the state is written."""


class WebhookSubscriptions(CalendlyStream):
    """Webhook subscriptions of the organization, the user or the group."""

    name = "webhook_subscriptions"
    endpoint = Paged("/webhook_subscriptions", whose="webhooks", sort="created_at:asc")
    requires = Requires("webhooks:read")
    schema = columns(
        URI,
        string("callback_url", "Address that the events are posted to; it may carry a secret."),
        CREATED_AT,
        UPDATED_AT,
        timestamp("retry_started_at", "Since when posting has failed (UTC); null while it works."),
        string("state", "active or disabled."),
        strings(
            "events",
            "What is posted: created or canceled of invitee; created or deleted of "
            "invitee_no_show; created of routing_form_submission; created, updated or deleted of "
            "event_type, meeting_recap and contact; such as invitee.created.",
        ),
        string("scope", "organization, user or group: whose events are posted."),
        ORGANIZATION_URI,
        string("user", "URI of the user, for the scope user."),
        string("group", "URI of the group, for the scope group."),
        string("creator", "URI of the user who created it."),
    )


class WebhookEvents(CalendlyStream):
    """What Calendly posted to the inbox, in that order; read without a request."""

    name = "webhook_events"
    endpoint = Endpoint("")
    replication = Replication("received_at")
    requires = Requires("")
    selected_by_default = False
    from_api = False
    primary_keys = ("id",)
    schema = columns(
        string("id", "SHA-256 of what was posted, as Calendly gives no id.", key=True),
        string("event", "What happened, such as invitee.created."),
        timestamp("created_at", "When Calendly says that it happened (UTC), to the second."),
        timestamp("received_at", "When it came (UTC), by the receiver's clock."),
        string("scheduled_event_uri", "URI of the scheduled event that it is about."),
        string("invitee_uri", "URI of the invitee that it is about."),
        one_of("payload", ["object"], "What it is about, as it then was; its form is the event's."),
    )

    @override
    def get_records(self, context: object) -> Iterator[Record]:
        inbox, position, received_at = self._inbox, self._begin_after(), None
        for number, received in enumerate(self._after(position), start=1):
            yield self._row(received)
            received_at = received.received_at
            if number % STATE_EVERY == 0:
                self._note(received_at, received.position)
                self.write_state()
        if self.entry is not None:
            self._note(received_at or self.entry.reached, inbox.last)

    @override
    def first_row(self, context: object = None) -> Record | None:
        return next(map(self._row, self._after(0)), None)

    @property
    @override
    def _whose_rows(self) -> str:
        return f"inbox {self._inbox.identity}"

    @cached_property
    def _inbox(self) -> InboxReader:
        with self._named():
            inbox = self.run.inbox
        if inbox is None:
            raise errors.CalendlyError(messages.NO_INBOX, stream=self.name)
        return inbox

    def _begin_after(self) -> int:
        """Return the position after which to read; warn if not all since the last run is there."""
        inbox, position = self._inbox, 0 if self.entry is None else self.entry.position
        whose = str(self.stream_state.get("scope", self._whose_rows))
        if position > inbox.last or not whose.startswith(self._whose_rows):
            self.logger.warning(messages.OTHER_INBOX, self.name)
            position = 0
        if inbox.removed > position:
            left = next(self._after(inbox.removed), None)
            until = "now" if left is None else f"{left.received_at:%Y-%m-%d %H:%M} UTC"
            self.logger.warning(messages.DELIVERIES_REMOVED, self.name, until)
        return position

    def _after(self, position: int) -> Iterator[Received]:
        inbox = self._inbox
        with self._named():
            yield from inbox.after(position)

    def _row(self, received: Received) -> Record:
        delivery = received.delivery
        body, cleaned = decode(delivery.body.encode())
        self.run.client.cleaned[self.name] += cleaned
        return {
            "id": delivery.id,
            "event": delivery.event,
            "created_at": delivery.created_at,
            "received_at": timestamps.in_iso(received.received_at),
            "scheduled_event_uri": delivery.scheduled_event_uri,
            "invitee_uri": delivery.invitee_uri,
            "payload": body.get("payload"),
        }

    def _note(self, received_at: datetime | None, position: int) -> None:
        if self.entry is not None and received_at is not None:
            self.entry.write(Bookmark(received_at, None, position))

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the stream in the errors of the inbox."""
        try:
            yield
        except errors.CalendlyError as error:
            raise errors.CalendlyError(messages.INBOX_FAILED, stream=self.name, why=error) from None
