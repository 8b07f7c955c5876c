"""Random histories of a company whose webhooks fill an inbox, which the tap reads some of the time.

Deliveries are lost, late, doubled and overtaken; the receiver refuses them or is killed; webhook
subscriptions end and are replaced; inboxes are wiped, replaced, pruned or out of reach; the API
lags behind; and settings change between runs.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from sandbox.http.deliveries import Mishap
from sandbox.http.faults import Fault
from tap_calendly.inbox.delivery import NO_SHOW_CREATED
from tests.fidelity.history import MODES, SEEDS, SELECTIONS
from tests.fidelity.inbox_oracle import HistoryWithInbox
from tests.fidelity.ledger import MEETINGS
from tests.fidelity.life import OF_INVITEES_ALONE

if TYPE_CHECKING:
    from tap_calendly.settings import InviteeRechecks

MISHAPS = (
    *({"lose": True}, {"overtaken": True}, {"again": 0.0}, {"again": 7200.0}),
    *({"delay": 30.0}, {"delay": 3600.0}, {"delay": 86_000.0}),
)
SUCCESSIONS = ((), (MEETINGS,), (MEETINGS[:1], MEETINGS), (MEETINGS[1:], MEETINGS))
"""What is selected in the runs after a subscription was created."""

OUTAGES = st.sampled_from([1, 45, 300, 1300, 1600, 4320])
"""Minutes."""


class InboxHistory(HistoryWithInbox):
    """What happens in such a history.

    Attributes:
        figures: What all these histories together were made of.
    """

    figures: ClassVar[Counter[str]] = Counter()

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
        """Run the tap several times, as a schedule does; what happened before may be lost."""
        rng = random.Random(seed)  # noqa: S311 - a history, no secret
        if loses:
            self.sandbox.deliveries.add(Mishap(lose=True, times=None))
            for _ in range(4):
                self.live(rng, OF_INVITEES_ALONE)
                self.advance(timedelta(minutes=rng.uniform(0, 30)))
            self.sandbox.deliveries.clear()
        for number in range(times):
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
            for one in SUCCESSIONS[seed % len(SUCCESSIONS)]:
                self.the_tap_runs(selected=one, seed=seed, busy=0.1)

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
