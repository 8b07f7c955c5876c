"""What the inbox tells a run: which meetings changed, and whether that can be relied on.

`batches` and `doubt` run in reader threads; what is left in `on_emitted` runs in the one that
writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from tap_calendly.api.client import Request
from tap_calendly.api.page import Record, page_of
from tap_calendly.inbox.delivery import HINTS, INVITEE_CANCELED, INVITEE_CREATED
from tap_calendly.reading.prefetch import Batch
from tap_calendly.reading.reader import Reader, id_in
from tap_calendly.reading.source import Lookup, Row
from tap_calendly.reporting import errors
from tap_calendly.state import Captured, Inbox
from tap_calendly.sweep import trust
from tap_calendly.sweep.hinted import HintedMeetings
from tap_calendly.sweep.hints import expected, gather
from tap_calendly.sweep.trust import Doubt, Evidence

if TYPE_CHECKING:
    from tap_calendly.inbox.reader import InboxReader, Subscription

AT_ONCE = 20
"""After how many meetings the state says up to which position all is loaded."""

REQUIRES = errors.Requires("webhooks:read")


class Known(NamedTuple):
    """What the state says: which inbox its positions are of, and these (see `known_positions`)."""

    inbox: Inbox | None
    positions: list[int | None]


class InboxHints:
    """The inbox of a run, as it was when the run began."""

    def __init__(
        self,
        inbox: InboxReader,
        subscription: Subscription,
        reader: Reader,
        invitees: Sequence[Reader],
        known: Known,
    ) -> None:
        """Take the readers of the meetings and of their invitees, and what the state says."""
        self.current = Inbox(inbox.identity, subscription.uri, _start(inbox, known))
        self._inbox = inbox
        self._subscription = subscription
        self._reader = reader
        self._invitees = invitees
        self._known = known
        self._hinted: HintedMeetings | None = None
        self._failure: errors.CalendlyError | None = None

    def batches(
        self,
        captured: Mapping[str, Captured | None],
        note: Callable[[Sequence[Record], int], None],
    ) -> Iterator[Batch[Row | Lookup]]:
        """Read the meetings that are named since the last run; none if nothing was loaded before.

        `note` is called with the meetings that are out, and the position up to which all is loaded.
        """
        if all(one is None for one in captured.values()):
            return
        try:
            loaded = [one.position for one in captured.values() if one is not None]
            start = min(self.current.start if one is None else one for one in loaded)
            events = HINTS if self._invitees else {INVITEE_CREATED, INVITEE_CANCELED}
            hints = gather(self._inbox.after(start, events))
            invitees = {uri for hint in hints for uri in hint.invitees}
            hinted = HintedMeetings(
                self._reader, self._invitees, expected(self._inbox.about(invitees))
            )
        except errors.CalendlyError as error:
            self._failure = error
            return
        self._hinted = hinted
        # Without hints there is one batch, too, which only notes the position.
        for first in range(0, len(hints) or 1, AT_ONCE):
            following = hints[first + AT_ONCE : first + AT_ONCE + 1]
            position = following[0].position - 1 if following else self._inbox.last
            found: list[Record] = []
            lookups = [
                hinted.lookup(hint, found, may_be_behind=self._inbox.is_recent(hint.latest))
                for hint in hints[first : first + AT_ONCE]
            ]
            yield Batch([*lookups], partial(_note, note, hinted, found, position))

    @property
    def has_gone_back(self) -> bool:
        """Whether the inbox lacks positions that it had, as after a backup was restored."""
        return _has_gone_back(self._inbox, self._known)

    @property
    def needs_sweep(self) -> bool:
        """Whether only a sweep tells why a meeting that is named cannot be read."""
        return self._hinted is not None and self._hinted.needs_sweep

    @property
    def reached(self) -> int | None:
        """The position up to which all will be loaded after a sweep; None if it is not known."""
        if self._failure is not None:
            return None
        if self._hinted is None:
            return self._inbox.settled
        return self._hinted.reached(self._inbox.last, swept=True)

    def doubt(self, captured: Mapping[str, Captured | None]) -> Doubt | None:
        """Return why the inbox cannot be trusted; None if it can. That takes one request.

        Raises:
            FatalError: Nothing can be read at all, as with an invalid token.
        """
        evidence = None
        try:
            if self._failure is not None:
                raise self._failure
            evidence = self._evidence(captured)
            subscription = self._read_subscription()
        except errors.FatalError:
            raise
        except errors.CalendlyError as error:
            # What was missed, the next run does not see any more.
            lasts = evidence is None or not trust.missed(evidence)
            return Doubt(_why_unread(error), lasts=lasts)
        about = self._reader.run.scope.parameters("webhooks")
        now = self._reader.run.client.now
        return trust.doubt(evidence, subscription, about, [*captured.values()], now)

    def _evidence(self, captured: Mapping[str, Captured | None]) -> Evidence:
        positions = [None if one is None else one.position for one in captured.values()]
        known = [position for position in positions if position is not None]
        first = min(known) if len(known) == len(positions) else None
        inbox = self._inbox
        return Evidence(
            known=self._known.inbox,
            current=self.current,
            first=first,
            has_removed=inbox.has_removed_after(first or 0),
            has_gone_back=self.has_gone_back,
            has_gap=inbox.has_gap_after(first or 0),
            is_unclear=inbox.has_unclear_hint_after(first or 0),
            has_delivered=inbox.has_delivery_after(self._subscription.since),
        )

    def _read_subscription(self) -> Record:
        client, stream = self._reader.run.client, self._reader.stream.name
        url = f"{client.url}/webhook_subscriptions/{id_in(self._subscription.uri)}"
        request = Request(stream, stream, REQUIRES, url)
        read = partial(page_of, "resource", paged=False)
        (row,) = client.send(request, read, self._reader.stopped).rows
        return row


def _has_gone_back(inbox: InboxReader, known: Known) -> bool:
    return any(position is not None and position > inbox.last for position in known.positions)


def _start(inbox: InboxReader, known: Known) -> int:
    """Return the position after which the inbox has news for a stream that has none in it."""
    if (
        known.inbox is None
        or known.inbox.identity != inbox.identity
        or _has_gone_back(inbox, known)
    ):
        return inbox.settled
    if inbox.subscription is not None and known.inbox.subscription == inbox.subscription.uri:
        return known.inbox.start
    # The streams lose their positions with the old subscription, but no news.
    start = known.inbox.start
    return min((start if one is None else one for one in known.positions), default=start)


def _note(
    note: Callable[[Sequence[Record], int], None],
    hinted: HintedMeetings,
    found: list[Record],
    position: int,
) -> None:
    # What is reached is known only once the lookups of the batch are done.
    note(found, hinted.reached(position, swept=False))


def _why_unread(error: errors.CalendlyError) -> str:
    """Say why the inbox, or its subscription, could not be read."""
    if error.status == HTTPStatus.NOT_FOUND:
        return f"the inbox's webhook subscription is gone: {trust.SUBSCRIBE}"
    if errors.is_forbidden(error):
        return "the token may not read the inbox's webhook subscription (scope webhooks:read)"
    return str(error).rstrip(".")
