"""What holds throughout histories in which webhooks fill an inbox that the tap reads."""

from __future__ import annotations

import random
import tempfile
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_calendly.inbox.delivery import HINTS
from tap_calendly.timestamps import parse
from tests.fidelity.history import History
from tests.fidelity.inboxes import Inboxes
from tests.fidelity.ledger import MEETINGS, Ledger, late_until_of
from tests.fidelity.life import LIFE_EVENTS
from tests.sandbox.receiver import Receiver
from tests.singer import truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fidelity.chronicle import Version
    from tests.fidelity.history import Ended, Key, Way
    from tests.fidelity.ledger import Prospect
    from tests.fidelity.life import LifeEvent
    from tests.singer import Run

HEALTH = "/webhook_subscriptions/{webhook_uuid}"
SECOND = timedelta(seconds=1)


class HistoryWithInbox(History):
    """A company's history, its inbox, and the tables that the tap loads by both.

    Attributes:
        has_inbox: Whether the tap's settings name the inbox; `is_reachable` whether it is there.
        is_hidden: Whether the token may not read the inbox's webhook subscription.
        faulty: Whether requests of the run may fail.
    """

    def __init__(self) -> None:
        """Subscribe the receiver, and start it."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        organization = self.calendly.organization["uri"]
        self.inboxes = Inboxes(self.clock, Path(self.folder.name), organization)
        self.receiver = Receiver()
        self.receiver.meanwhile = lambda: self.receiver.answers.append(
            self.inboxes.take(self.receiver.posted[-1].body)
        )
        self.receiver.__enter__()
        self.more_settings = {"organization": organization, "sweep_interval_hours": 24}
        self.has_inbox, self.is_reachable, self.is_hidden = True, True, False
        self.ledger = Ledger(self.inboxes)
        self.subscribe()

    @override
    def teardown(self) -> None:
        """Stop the sandbox and the receiver."""
        super().teardown()
        self.receiver.__exit__(None, None, None)
        self.folder.cleanup()

    @property
    def behind_until(self) -> datetime | None:
        """Until when the API shows meetings as they were, if it does now."""
        until = self.calendly.lags_until if self.calendly.lagging is not None else None
        return None if until is None or until <= self.clock.now() else until

    def subscribe(self) -> None:
        """Create a webhook subscription in place of the inbox's own, and note it there."""
        if self.inboxes.subscription in self.calendly.webhooks:
            self.calendly.unsubscribe(webhook=self.inboxes.subscription)
        self.inboxes.subscribe(self.current_subscription())

    def current_subscription(self) -> str:
        """Return the URI of the webhook subscription, which is created if there is none."""
        if self.calendly.webhooks:
            (uri,) = self.calendly.webhooks
            return uri
        events = [*sorted(HINTS), "routing_form_submission.created", "event_type.updated"]
        return self.calendly.subscribe(callback_url=self.receiver.url, events=events)

    @override
    def advance(self, delta: timedelta) -> None:
        """Let time pass, and deliver what is due by then."""
        super().advance(delta)
        self.sandbox.deliver()

    @override
    def live(self, rng: random.Random, life_events: Sequence[LifeEvent] = LIFE_EVENTS) -> None:
        """Let one life event happen, record it, and deliver what it tells."""
        super().live(rng, life_events)
        self.sandbox.deliver()

    @override
    def observe(self) -> None:
        """Record what has changed, and what webhooks will tell of it."""
        self.chronicle.observe(truth(self.sandbox), self.clock.now(), self.behind_until)
        for announcement in self.calendly.announcements:
            self.inboxes.expect(announcement, self.chronicle)
        if self.behind_until is not None:
            self.ledger.vague |= self.marked_again()

    def marked_again(self) -> set[Key]:
        """Return the invitees whose no-show mark is not the one that the API still shows.

        A delivery says that they are marked, and so does the API: nobody could tell.
        """
        shown = self.calendly.shown_meetings().invitees
        marks = {one["uri"]: one["no_show"] for rows in shown.values() for one in rows}
        rows = (one for rows in self.calendly.invitees.values() for one in rows)
        return {
            ("event_invitees", one["uri"])
            for one in rows
            if one["no_show"] is not None and marks.get(one["uri"]) not in (None, one["no_show"])
        }

    @override
    def without_row(self) -> set[str]:
        """Return the event types without a row that meetings name, as far as a run could know."""
        # A sweep may be later than a booking that it did not see, as the API was behind.
        late = {
            version.row["event_type"]
            for key, (version, *_) in self.chronicle.versions.items()
            if key[0] == "scheduled_events" and version.row is not None
            if version.shown_from > parse(version.row["created_at"]) + SECOND
            if key not in self.ledger.told
        }
        return super().without_row() - late

    @property
    @override
    def settings_of_run(self) -> dict[str, Any]:
        """The settings of the next run."""
        url = self.inboxes.url if self.is_reachable else f"sqlite:///{self.folder.name}/none.db"
        return self.settings | self.more_settings | ({"inbox_url": url} if self.has_inbox else {})

    @override
    def run(
        self,
        selected: tuple[str, ...],
        seed: int,
        busy: float,
        *,
        killed_after: int | None = None,
        may_fail: bool = False,
    ) -> Run:
        """Run the tap, load what it wrote, and keep its last state."""
        self.faulty = may_fail
        return super().run(selected, seed, busy, killed_after=killed_after, may_fail=may_fail)

    @override
    def run_once(self, run: Run, selected: tuple[str, ...], seed: int, busy: float) -> Ended:
        """Run the tap, return how it ended, and check how it made use of the inbox."""
        self.advance(SECOND)  # so that no two sweeps begin in the same
        self.inboxes.beat()
        self.sandbox.forget_requests()
        lagged = self.behind_until is not None
        prospect = self.ledger.prospect(
            self.state,
            [one for one in MEETINGS if one in selected],
            self.settings_of_run,
            self.awaited(),
            self.subscription,
        )

        ended = super().run_once(run, selected, seed, busy)

        if lagged:
            self.note_run_without_types()
        ended_well = ended == "well" and not self.faulty
        self.ledger.note(self.state, prospect, ended_well=ended_well, lagged=lagged)
        if ended_well and prospect.entries and self.has_inbox:
            self.check_trust(prospect)
        return ended

    def awaited(self) -> list[str]:
        """Return why deliveries cannot be relied on now, whatever was before."""
        if not self.is_reachable:
            return ["out of reach"]
        if self.is_hidden:
            return ["hidden"]
        found, record = [], self.subscription
        if record is None or record["state"] != "active":
            found.append("disabled or deleted")
        elif not set(record["events"]) >= HINTS:
            found.append("narrowed")
        late_until = late_until_of(record)
        if late_until is not None and self.clock.now() < late_until:
            found.append("failing")
        if not self.inboxes.has_delivered:
            found.append("nothing delivered yet")
        return found

    @property
    def subscription(self) -> dict[str, Any] | None:
        """What the API says of the inbox's webhook subscription now."""
        return deepcopy(self.calendly.webhooks.get(self.inboxes.subscription))

    def check_trust(self, prospect: Prospect) -> None:
        """Check that a run swept if it had to, and asked for no more than its news if not."""
        now = self.ledger.entries(self.state, list(prospect.entries), self.start_date).values()
        swept = all(parse(one["replication_key_value"]) >= prospect.began for one in now)
        if prospect.doubts:
            self.figures[f"runs in doubt: {prospect.doubts[0]}"] += 1
            assert swept, prospect.doubts
            return
        self.figures[f"runs that trust the inbox and {'' if swept else 'do not '}sweep"] += 1
        assert swept or not self.is_due(prospect, prospect.began)
        is_due = self.is_due(prospect, self.clock.now())
        if is_due or prospect.interrupted or prospect.subscription != self.subscription:
            return
        named = prospect.named
        if named <= self.calendly.events.keys():  # else a sweep finds out that they are gone
            paths = self.sandbox.requests_by_path()
            asked = {path: count for path, count in paths.items() if "scheduled_events" in path}
            assert not swept
            assert paths[HEALTH] == 1
            assert "/scheduled_events" not in asked
            assert named or not asked
            assert asked.get("/scheduled_events/{uuid}", 0) <= 2 * len(named)

    def is_due(self, prospect: Prospect, now: datetime) -> bool:
        """Whether a sweep is due at a time although the inbox can be trusted."""
        entries = prospect.entries.values()
        if any(one["start_date"] and self.start_date is None for one in entries):
            return True
        began = min(parse(one["replication_key_value"]) for one in entries)
        scanned = min(parse(one["full_scan"]) for one in entries)
        interval = timedelta(days=self.settings["full_scan_interval_days"])
        hours = timedelta(hours=self.more_settings["sweep_interval_hours"])
        return now - began >= hours * 0.9 or bool(interval and now - scanned >= interval)

    @override
    def way(
        self, stream: str, began: datetime, full_scan: datetime, observed: dict[Key, int]
    ) -> Way:
        """Return what says in which way a version was due in the run, if it was."""
        if stream not in MEETINGS:
            return super().way(stream, began, full_scan, observed)
        swept, told = self.ledger.swept(self.state, stream), self.ledger.told

        def way(key: Key, index: int, version: Version) -> str | None:
            if index < told.get(key, 0):
                return "told"
            if version.shown_from >= swept:
                return None
            rechecks = self.ledger.rechecks_since(stream, version.shown_from, swept)
            if not version.is_due(swept, full_scan, rechecks):
                return None
            is_late = index < self.inboxes.announced[key]
            return f"{rechecks}, {'lost or late' if is_late else 'not told'}"

        return way
