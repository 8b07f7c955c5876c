"""A company at which every rule of the models matters, and databases that it is loaded into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.inbox.delivery import parse
from tap_calendly.inbox.store import Store
from tests.singer import KEYS, NOT_BY_DEFAULT, sync
from tests.transform import dbt, life
from tests.transform.meaning import Meaning, Rows, records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.transform.warehouse import Database

STREAMS = [stream for stream in KEYS if stream not in NOT_BY_DEFAULT] + ["webhook_events"]
WEBHOOK_EVENTS = (
    *("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"),
)


class Company:
    """The demo with 120 meetings, with everything that makes a difference to an answer.

    Attributes:
        sandbox: Stands in for Calendly.
        clock: Its clock.
    """

    def __init__(self, folder: Path) -> None:
        """Play its life up to `life.NOW`."""
        self.clock = SimulatedClock(life.NOW)
        self.calendly = Calendly(self.clock, seed=1, plan="enterprise")
        company.populate(self.calendly, seed=1, size=120, until=life.NOW)
        self.calendly.subscribe(callback_url="http://127.0.0.1:9/", events=WEBHOOK_EVENTS)
        life.play(self.calendly)
        self.calendly.clock = self.clock
        self.sandbox = Sandbox(self.calendly, clock=self.clock, requests_per_minute=100_000)
        self._inbox = f"sqlite:///{folder / 'inbox.db'}"
        self._store = Store(self._inbox)
        self._state: dict[str, Any] = {}
        self._kept: Rows = {}

    def load(self, database: Database, *others: Database) -> None:
        """Load databases, from where the last run has stopped; `meaning` is that of the first."""
        delivered = [parse(one.body) for one in self.calendly.announcements]
        self._store.add_all(delivered, self.clock.now())
        run = sync(self.sandbox, select=STREAMS, state=self._state, inbox_url=self._inbox)
        for one in (database, *others):
            one.load(run)
        self._state = run.state
        before = {
            name: rows
            for name, rows in self._kept.items()
            if database.keeps is None or name in database.keeps
        }
        self._kept = records(self.calendly, before)

    def build(
        self, database: Database, zone: str, session: str | None = None
    ) -> dict[str, dbt.Node]:
        """Build the models as of now.

        Args:
            database: Where.
            zone: The time zone of days and weeks.
            session: The time zone of dbt's sessions; the same if left out.

        Returns:
            What became of models and tests.
        """
        session = session or zone
        return dbt.build(
            database.adapter,
            {**database.environment, "TZ": session, "PGTZ": session},
            database.folder,
            calendly_now=self.clock.now().isoformat(),
            calendly_timezone=zone,
        )

    def meaning(self, zone: str) -> Meaning:
        """Return what was loaded means now."""
        return Meaning(self._kept, self.clock.now(), zone)


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company for all tests in a file."""
    company = Company(tmp_path_factory.mktemp("inbox"))
    with company.sandbox:
        yield company
