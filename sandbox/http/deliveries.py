"""Posts what the organization announces to its webhook subscriptions, as Calendly does.

Calendly posts each event once it has happened, signed, and again until it is answered with 2xx:
with exponential back-off, for 24 hours, or until 24 hours after the meeting (API docs, webhook
errors). Then it disables the subscription.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import threading
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization.announcements import Announcement
    from sandbox.organization.calendly import Calendly

FIRST_PAUSE = timedelta(minutes=1)
"""Before the first retry; doubled before each that follows."""

GIVES_UP_AFTER = timedelta(hours=24)
TIMEOUT = 15
POLL = 0.05

OK = range(200, 300)


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong with the deliveries to come.

    Attributes:
        event: Which events: a glob, such as ``invitee.*``.
        lose: Post nothing.
        delay: Seconds, by the sandbox's clock, before it is posted.
        again: After how many more seconds it is posted once more; ``None`` for not at all.
        overtaken: Post it after the others that are due with it.
        stale: By how many seconds the signature is older than it should be.
        times: How many deliveries to hit; ``None`` for all that follow.
    """

    event: str = "*"
    lose: bool = False
    delay: float = 0.0
    again: float | None = None
    overtaken: bool = False
    stale: float = 0.0
    times: int | None = 1


class Attempt(NamedTuple):
    """An attempt to deliver something.

    Attributes:
        event: Such as ``invitee.created``.
        webhook: The subscription's URI.
        number: 1 for the first attempt.
        status: The receiver's answer; ``None`` without one.
        outcome: ``dropped`` is given up while the subscription stays.
        body: What was posted.
    """

    event: str
    webhook: str
    number: int
    status: int | None
    outcome: Literal["delivered", "to be retried", "dropped", "disabled"]
    body: bytes


@dataclass
class _Message:
    announcement: Announcement
    mishap: Mishap
    due: datetime
    gives_up: datetime
    attempts: int = 0
    stamp: int | None = None


class Deliveries:
    """Posts announcements, each time it is called or as they come.

    Attributes:
        now: The receiver's time, which goes into signatures.
        down: Whether the receiver is down: all attempts fail, without a connection.
        renew_stamps: Whether retries are signed anew.
        drop_after_booking: Whether retries end 24 hours after the meeting's start, if that is
            earlier; this disables nothing.
    """

    def __init__(self, calendly: Calendly) -> None:
        """Post what ``calendly`` announces."""
        self.now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
        self.down = False
        self.renew_stamps = True
        self.drop_after_booking = True
        self._calendly = calendly
        self._mishaps: list[Mishap] = []
        self._pending: list[tuple[datetime, int, _Message]] = []
        self._numbers = count()
        self._posting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False

    def add(self, mishap: Mishap) -> None:
        """Add a mishap, behind those there are already; a delivery has at most one."""
        with self._calendly.lock:
            self._mishaps.append(mishap)

    def clear(self) -> None:
        """Remove all mishaps; those that befell a delivery already stay."""
        with self._calendly.lock:
            self._mishaps.clear()

    def deliver(self) -> list[Attempt]:
        """Post everything that is due by the clock, in order, and return what happened.

        Retries that were due since the last call are made, too, one after the other.
        """
        with self._posting:
            attempts = []
            while (message := self._next()) is not None:
                attempt = self._attempt(message)
                if attempt is not None:
                    attempts.append(attempt)
            return attempts

    def begin(self) -> None:
        """Post announcements as they come, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop the thread, if there is one; what is pending stays."""
        if self._thread is None:
            return
        with self._calendly.lock:
            self._ended = True
            self._calendly.announced.notify_all()
        self._thread.join()

    def _run(self) -> None:
        state = self._calendly
        while not self._ended:
            self.deliver()
            with state.lock:
                state.announced.wait_for(
                    lambda: self._ended or state.announcements, POLL if self._pending else None
                )

    def _next(self) -> _Message | None:
        """Return the message that is due next, if any is by now."""
        with self._calendly.lock:
            self._take_in()
            if self._pending and self._pending[0][0] <= self._calendly.clock.now():
                return heapq.heappop(self._pending)[-1]
            return None

    def _take_in(self) -> None:
        """Turn new announcements into messages."""
        overtaken = []
        for announcement in self._calendly.announcements:
            mishap = self._mishap(announcement.event)
            if mishap.lose:
                continue
            due = announcement.at + timedelta(seconds=mishap.delay)
            dues = [due]
            if mishap.again is not None:
                dues.append(due + timedelta(seconds=mishap.again))
            for one in dues:
                message = _Message(announcement, mishap, one, one + GIVES_UP_AFTER)
                if mishap.overtaken:
                    overtaken.append(message)
                else:
                    self._put(message)
        self._calendly.announcements.clear()
        for message in overtaken:
            message.due = max(message.due, self._calendly.clock.now())
            self._put(message)

    def _put(self, message: _Message) -> None:
        heapq.heappush(self._pending, (message.due, next(self._numbers), message))

    def _mishap(self, event: str) -> Mishap:
        """Return what befalls a delivery of this event, and count it."""
        for place, mishap in enumerate(self._mishaps):
            if fnmatchcase(event, mishap.event):
                if mishap.times == 1:
                    del self._mishaps[place]
                elif mishap.times is not None:
                    self._mishaps[place] = replace(mishap, times=mishap.times - 1)
                return mishap
        return Mishap()

    def _attempt(self, message: _Message) -> Attempt | None:
        """Post a message unless nobody listens any more; arrange for a retry if it fails."""
        announcement = message.announcement
        with self._calendly.lock:
            if not self._is_active(announcement.webhook):
                return None
            address = self._calendly.webhooks[announcement.webhook]["callback_url"]
            key = self._calendly.webhook_keys.get(announcement.webhook)
        message.attempts += 1
        if message.stamp is None:
            message.stamp = int(self.now().timestamp() - message.mishap.stale)
        elif self.renew_stamps:
            message.stamp = int(self.now().timestamp())
        number, body = message.attempts, announcement.body
        status = None if self.down else self._post(address, key, message.stamp, body)
        outcome = "delivered" if status in OK else self._fail(message)
        return Attempt(announcement.event, announcement.webhook, number, status, outcome, body)

    def _post(self, address: str, key: str | None, stamp: int, body: bytes) -> int | None:
        """Post, and return the status of the answer, if there is one."""
        headers = {"Content-Type": "application/json", "User-Agent": "Calendly"}
        if key is not None:
            headers["Calendly-Webhook-Signature"] = signature(key, stamp, body)
        url = urlsplit(address)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection = HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT)
            with closing(connection):
                connection.request("POST", target, body, headers)
                answer = connection.getresponse()
                answer.read()
                return answer.status
        except (OSError, ValueError, HTTPException):
            return None

    def _fail(self, message: _Message) -> Literal["to be retried", "dropped", "disabled"]:
        """Say what becomes of a message that was not delivered."""
        announcement = message.announcement
        with self._calendly.lock:
            if not self._is_active(announcement.webhook):
                return "dropped"
            if self._calendly.webhooks[announcement.webhook]["retry_started_at"] is None:
                self._calendly.fail_webhook(webhook=announcement.webhook)
            if message.due >= message.gives_up:
                self._calendly.fail_webhook(webhook=announcement.webhook, for_good=True)
                return "disabled"
            pause = FIRST_PAUSE * 2 ** (message.attempts - 1)
            message.due = min(message.due + pause, message.gives_up)
            if self.drop_after_booking and message.due > announcement.matters_until:
                return "dropped"
            self._put(message)
            return "to be retried"

    def _is_active(self, webhook: str) -> bool:
        record = self._calendly.webhooks.get(webhook)
        return record is not None and record["state"] == "active"


def signature(key: str, stamp: int, body: bytes) -> str:
    """Return the header that signs a body at a time (seconds since 1970)."""
    signed = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return f"t={stamp},v1={signed.hexdigest()}"
