"""Random histories of a company whose webhooks fill an inbox, which the tap reads some of the time.

Deliveries are lost, late, doubled and overtaken; the receiver refuses them or is killed; webhook
subscriptions end and are replaced; inboxes are wiped, replaced, pruned or out of reach; the API
lags behind; and settings change between runs.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from typing_extensions import override

from sandbox.http.deliveries import Mishap
from sandbox.http.faults import Fault
from tap_calendly.inbox.delivery import HINTS, NO_SHOW_CREATED
from tap_calendly.timestamps import parse
from tests.fidelity.history import MODES, SEEDS, SELECTIONS, History
from tests.fidelity.inboxes import Inboxes
from tests.fidelity.ledger import MEETINGS, Ledger, late_until_of
from tests.sandbox.receiver import Receiver
from tests.singer import truth

if TYPE_CHECKING:
    from tap_calendly.settings import InviteeRechecks
    from tests.fidelity.chronicle import Version
    from tests.fidelity.history import Ended, Key, Way
    from tests.fidelity.ledger import Prospect
    from tests.singer import Run

HEALTH = "/webhook_subscriptions/{webhook_uuid}"
SECOND = timedelta(seconds=1)
MISHAPS = (
    *({"lose": True}, {"overtaken": True}, {"again": 0.0}, {"again": 7200.0}),
    *({"delay": 30.0}, {"delay": 3600.0}, {"delay": 86_000.0}),
)
OUTAGES = st.sampled_from([1, 45, 300, 1300, 1600, 4320])
"""Minutes."""


class InboxHistory(History):
    """A company's history, its inbox, and the tables that the tap loads by both.

    Attributes:
        figures: What all these histories together were made of.
    """

    figures: ClassVar[Counter[str]] = Counter()

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

    @initialize(bare=st.booleans())
    def choose_what_no_shows_tell(self, *, bare: bool) -> None:
        """Choose whether deliveries of no-shows tell only the mark."""
        self.calendly.bare_no_shows = bare

    @rule(
        has_inbox=st.sampled_from([True, True, True, False]),
        hours=st.sampled_from([0, 24, 24, 72]),
        mode=st.sampled_from(MODES),
    )
    def inbox_settings_change(self, hours: int, mode: InviteeRechecks, *, has_inbox: bool) -> None:
        """Change the settings of the inbox for the runs that follow."""
        self.has_inbox = has_inbox
        self.more_settings["sweep_interval_hours"] = hours
        self.settings["invitee_rechecks"] = mode

    @rule(mishap=st.sampled_from(MISHAPS), times=st.integers(1, 3), seed=SEEDS)
    def deliveries_go_wrong(self, mishap: dict[str, Any], times: int, seed: int) -> None:
        """Let something befall the next deliveries, and life go on."""
        self.sandbox.deliveries.add(Mishap(times=times, **mishap))
        self.life_goes_on(seed=seed, times=times)
        self.sandbox.deliveries.clear()

    @rule(
        hours=st.sampled_from([1, 22, 60, 240]),
        times=st.integers(2, 5),
        selected=st.sampled_from((MEETINGS, *SELECTIONS)),
        seed=SEEDS,
        loses=st.booleans(),
    )
    def the_tap_runs_on_a_schedule(
        self, *, hours: int, times: int, selected: tuple[str, ...], seed: int, loses: bool
    ) -> None:
        """Run the tap several times, as a schedule does, while some deliveries may be lost."""
        for number in range(times):
            if loses and number == 0:
                self.deliveries_go_wrong(mishap={"lose": True}, times=2, seed=seed)
            self.advance(timedelta(hours=hours))
            self.life_goes_on(seed=seed + number, times=number % 2)
            self.the_tap_runs(selected=selected, seed=seed + number, busy=0.0)

    @rule(
        killed=st.booleans(),
        minutes=OUTAGES,
        seed=SEEDS,
        times=st.integers(0, 4),
        selected=st.sampled_from((*SELECTIONS, None)),
    )
    def the_receiver_fails(
        self, minutes: int, seed: int, times: int, selected: tuple[str, ...] | None, *, killed: bool
    ) -> None:
        """Kill the receiver, or have it refuse everything, for minutes to days."""
        if killed:
            self.inboxes.stop()
        self.inboxes.refuses = True
        self.life_goes_on(seed=seed, times=times)
        self.advance(timedelta(minutes=minutes))
        self.life_goes_on(seed=seed, times=times // 2)
        if selected is not None:
            self.the_tap_runs(selected=selected, seed=seed, busy=0.1)
        self.inboxes.refuses = False
        if killed:
            self.inboxes.start()

    @rule(
        how=st.sampled_from(["disabled", "deleted", "narrowed", "replaced"]),
        seed=SEEDS,
        times=st.integers(0, 4),
        selected=st.sampled_from((*SELECTIONS, None)),
    )
    def the_subscription_ends(
        self, how: str, seed: int, times: int, selected: tuple[str, ...] | None
    ) -> None:
        """End the webhook subscription, and usually create another one after a while."""
        uri = self.inboxes.subscription
        record = self.calendly.webhooks.get(uri, {})
        if how == "disabled" and record.get("state") == "active":
            self.calendly.fail_webhook(webhook=uri, for_good=True)
        elif how == "deleted" and record:
            self.calendly.unsubscribe(webhook=uri)
        elif how == "narrowed" and NO_SHOW_CREATED in record.get("events", ()):
            record["events"].remove(NO_SHOW_CREATED)
        if how != "replaced":
            self.life_goes_on(seed=seed, times=times)
            if selected is not None:
                self.the_tap_runs(selected=selected, seed=seed, busy=0.1)
        if how == "replaced" or seed % 4:
            self.subscribe()
            self.life_goes_on(seed=seed, times=times // 2)

    @rule(
        how=st.sampled_from(["wiped", "replaced", "away", "hidden"]),
        seed=SEEDS,
        times=st.integers(0, 3),
    )
    def the_inbox_is_lost(self, how: str, seed: int, times: int) -> None:
        """Begin with an empty inbox, or have the tap not reach it, or its health, for a run."""
        if how == "away":
            self.is_reachable = False
            self.the_tap_runs(selected=SELECTIONS[seed % 5], seed=seed, busy=0.1)
            self.is_reachable = True
        elif how == "hidden":
            status = (500, 403, 404)[seed % 3]
            self.sandbox.faults.add(Fault("/webhook_subscriptions/*", status=status, times=None))
            self.is_hidden = True
            self.the_tap_runs(selected=SELECTIONS[seed % 5], seed=seed, busy=0.1)
            self.is_hidden = False
            self.sandbox.faults.clear()
        else:
            at = "first.db" if how == "wiped" else f"{len(self.runs)}.db"
            self.inboxes.replace(at)
            self.inboxes.subscribe(self.current_subscription())
        self.life_goes_on(seed=seed, times=times)

    @rule(hours=st.sampled_from([0, 1, 24, 168, 168]))
    def old_deliveries_are_pruned(self, hours: int) -> None:
        """Remove old deliveries from the inbox."""
        self.inboxes.prune(self.clock.now() - timedelta(hours=hours))

    @rule(
        minutes=st.sampled_from([1, 10, 60]),
        seed=SEEDS,
        times=st.integers(1, 4),
        selected=st.sampled_from((*SELECTIONS, None)),
    )
    def the_api_lags(
        self, minutes: int, seed: int, times: int, selected: tuple[str, ...] | None
    ) -> None:
        """Let the API show meetings as they are now for up to an hour, while life goes on."""
        if self.behind_until is not None:
            return
        self.calendly.fall_behind(seconds=60 * minutes)
        rng = random.Random(seed)  # noqa: S311 - a history, no secret
        for _ in range(times):
            self.live(rng)
            self.advance(timedelta(seconds=rng.uniform(1, 60)))
        if selected is not None:
            self.the_tap_runs(selected=selected, seed=seed, busy=0.1)

    @rule(
        selected=st.sampled_from(SELECTIONS[:3]),
        seed=SEEDS,
        after=st.integers(0, 8),
        times=st.integers(1, 4),
    )
    def deliveries_cannot_be_followed(
        self, selected: tuple[str, ...], seed: int, after: int, times: int
    ) -> None:
        """Run the tap after life went on, while meetings that deliveries name cannot be read."""
        self.life_goes_on(seed=seed, times=times)
        self.sandbox.faults.add(Fault("/scheduled_events/*", status=500, after=after, times=None))
        self.run(selected, seed, busy=0.1, may_fail=True)
        self.sandbox.faults.clear()
        if seed % 4:
            self.the_tap_runs(selected=selected, seed=seed, busy=0.1)

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
    def live(self, rng: random.Random) -> None:
        """Let one life event happen, record it, and deliver what it tells."""
        super().live(rng)
        self.sandbox.deliver()

    @override
    def observe(self) -> None:
        """Record what has changed, and what webhooks will tell of it."""
        self.chronicle.observe(truth(self.sandbox), self.clock.now(), self.behind_until)
        for announcement in self.calendly.announcements:
            self.inboxes.expect(announcement, self.chronicle)

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
            return rechecks if version.is_due(swept, full_scan, rechecks) else None

        return way
