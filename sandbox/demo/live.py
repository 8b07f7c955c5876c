"""The command behind `make live`: the demo company lives, and its changes run into DuckDB.

The company's days take 86 seconds. All else is as in production, and in real time: a receiver, a
subscription, an inbox, and a run of the pipeline every few seconds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from sandbox.demo import company, life
from sandbox.demo.programs import FailedError, Programs
from sandbox.demo.screen import View, figures, screen, shown
from sandbox.demo.watch import Watch, counts, meetings_in
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import FastClock

if TYPE_CHECKING:
    from collections.abc import Sequence

PACE = 1000
SEED = 1
MEETINGS = 600
SECONDS_BETWEEN_CHANGES = (0.5, 2.5)
SECONDS_BETWEEN_RUNS = 5
TICK = 0.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Show it until Ctrl-C.

    Returns:
        The exit status: 1 if a program of the demo failed.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False)
    try:
        with ExitStack() as resources:
            demo = Demo(console, resources)
            demo.live(options.seconds)
            demo.end()
        for line in demo.summary():
            console.print(line, soft_wrap=True)
    except KeyboardInterrupt:
        console.print("Ended.")
    except FailedError as error:
        sys.stderr.write(f"live: {error}\n")
        return 1
    return 0


class Demo:
    """The company, the programs, and what is shown of them."""

    def __init__(self, console: Console, resources: ExitStack) -> None:
        """Start everything; `resources` ends it.

        Raises:
            FailedError: A program failed.
            KeyboardInterrupt: Ctrl-C was pressed meanwhile.
        """
        clock = FastClock(datetime.now(timezone.utc), PACE)
        self._calendly = Calendly(clock, seed=SEED)
        company.populate(self._calendly, seed=SEED, size=MEETINGS, until=clock.now())
        self._dice = Random(SEED)  # noqa: S311 -- the course of a demo is no secret
        self._watch = Watch()
        starting = "Starting the receiver, and subscribing it to Calendly's webhooks."
        self._view = View(clock.now(), starting, self._watch, counts(meetings_in(self._calendly)))
        self._is_loading = False
        # An exception wherever a signal comes could leave a program behind.
        self._told_to_end = 0
        self._ends_at_once = 1
        for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(one, self._note_signal)
        self._console = console
        self._screen: Live | None = None
        if console.is_terminal:
            display = Live(screen(self._view), console=console, screen=True, auto_refresh=False)
            self._screen = resources.enter_context(display)
        self._tell(starting)
        folder = Path(resources.enter_context(TemporaryDirectory()))
        # Far above Calendly's own limit, whose minutes are over in no time here.
        sandbox = Sandbox(self._calendly, requests_per_minute=60_000)
        self._sandbox = resources.enter_context(sandbox)
        self._programs = resources.enter_context(Programs(folder, sandbox, self._pause))
        self._programs.begin()
        sandbox.forget_requests()

    def live(self, seconds: float) -> None:
        """Let things happen, and load them, until the time is up or Ctrl-C is pressed."""
        self._ends_at_once = 2
        next_change = next_run = now = time.monotonic()
        ends = now + seconds
        while now < ends and not self._told_to_end:
            if now >= next_change:
                self._happen()
                next_change = now + self._dice.uniform(*SECONDS_BETWEEN_CHANGES)
            if self._is_loading and not self._programs.is_loading:
                self._end_run()
            if not self._is_loading and now >= next_run:
                self._begin_run("asks what has changed" if self._view.spent.runs else "loads all")
                next_run = now + SECONDS_BETWEEN_RUNS
            self._refresh()
            self._pause()
            now = time.monotonic()

    def end(self) -> None:
        """Load what has happened last; Ctrl-C again breaks that off."""
        if self._is_loading:
            self._end_run()
        self._begin_run("is the last, as it is over")
        self._end_run()

    def summary(self) -> list[str]:
        """Return what came of it."""
        tables, calendly = self._programs.tables, meetings_in(self._calendly)
        uris = calendly.keys() | tables.keys()
        differing = sum(calendly.get(uri) != tables.get(uri) for uri in uris)
        verdict = (
            f"{differing} of {len(uris)} meetings in DuckDB do not equal Calendly."
            if differing
            else f"The {len(uris)} meetings in DuckDB, and their invitees, equal Calendly."
        )
        return [*figures(self._view), verdict]

    def _note_signal(self, number: int, _: object) -> None:
        self._told_to_end += 1 if number == signal.SIGINT else 2

    def _pause(self) -> None:
        """Let a moment pass.

        Raises:
            KeyboardInterrupt: It is to end at once.
        """
        time.sleep(TICK)
        if self._told_to_end >= self._ends_at_once:
            raise KeyboardInterrupt

    def _happen(self) -> None:
        change = life.happen(self._calendly, self._dice)
        self._watch.add(change, time.monotonic())
        self._tell(f"{change.at:%H:%M} {change.what}")

    def _begin_run(self, why: str) -> None:
        self._view.doing = f"Run {self._view.spent.runs + 1} {why}."
        self._tell(self._view.doing)
        self._refresh()
        self._programs.begin_run()
        self._is_loading = True

    def _end_run(self) -> None:
        self._programs.end_run()
        self._is_loading = False
        self._view.doing = f"A run begins every {SECONDS_BETWEEN_RUNS} seconds."
        self._view.spent.add(self._sandbox.requests_by_path())
        self._sandbox.forget_requests()
        self._view.in_tables = counts(self._programs.tables)
        for one in self._watch.look(self._programs.tables, time.monotonic()):
            self._tell(f"      in DuckDB {shown(one)}: {one.change.what}")
        self._refresh()

    def _tell(self, line: str) -> None:
        if self._screen is None:
            self._console.print(line, soft_wrap=True)

    def _refresh(self) -> None:
        self._view.now = self._calendly.clock.now()
        self._view.in_calendly = counts(meetings_in(self._calendly))
        self._view.received = self._programs.received
        if self._screen is not None:
            self._screen.update(screen(self._view), refresh=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="live", description="Show how changes in Calendly run into DuckDB.", allow_abbrev=False
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=float("inf"),
        help="end after so many seconds instead of at Ctrl-C",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
