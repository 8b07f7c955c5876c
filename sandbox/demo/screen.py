"""The screen of `make live`: 80 columns and 24 lines of a terminal, or plain lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sandbox.demo.watch import Watch, Watched

LAST = 10
WIDTH = 79


@dataclass
class Spent:
    """What runs of the pipeline have spent.

    Attributes:
        runs: How many there have been.
        first: The requests of the first, which loads everything.
        sweeping: The requests of later ones that swept.
        others: The requests of the remaining ones.
    """

    runs: int = 0
    first: int = 0
    sweeping: int = 0
    others: int = 0

    def add(self, requests_by_path: dict[str, int]) -> None:
        """Add a run; one that lists meetings sweeps."""
        requests = sum(requests_by_path.values())
        self.runs += 1
        if self.runs == 1:
            self.first = requests
        elif "/scheduled_events" in requests_by_path:
            self.sweeping += requests
        else:
            self.others += requests


@dataclass
class View:
    """What there is to see.

    Attributes:
        now: Calendly's time.
        doing: What is going on.
        watch: The changes.
        in_calendly: Calendly's counts.
        in_tables: The same of the tables, once they are there.
        received: The deliveries in the inbox.
        spent: What runs have spent.
    """

    now: datetime
    doing: str
    watch: Watch
    in_calendly: dict[str, int]
    in_tables: dict[str, int] = field(default_factory=dict)
    received: int = 0
    spent: Spent = field(default_factory=Spent)


def screen(view: View) -> Group:
    """Return the whole screen."""
    return Group(
        Text(f"A company at Calendly, a thousand times as fast: {view.now:%a %d %b %Y %H:%M}"),
        Text(
            "Calendly > calendly-webhooks serve > inbox > tap-calendly > target-duckdb",
            style="dim",
        ),
        Text(),
        _changes(view),
        Text(),
        _counts(view),
        Text(),
        *(Text(line, no_wrap=True, overflow="ellipsis") for line in figures(view)),
        Text(f"{view.doing} Ctrl-C ends everything.", style="bold"),
    )


def _changes(view: View) -> Table:
    """Return the last changes, padded so that nothing below moves."""
    table = _table()
    table.add_column(no_wrap=True, width=5)
    table.add_column("What happened in Calendly", no_wrap=True, ratio=1)
    table.add_column("in DuckDB", no_wrap=True, width=13)
    last = view.watch.changes[-LAST:]
    for one in last:
        style = "yellow" if one.delay is None else "green"
        change = one.change
        table.add_row(f"{change.at:%H:%M}", change.what, Text(shown(one) or "not yet", style=style))
    for _ in range(LAST - len(last)):
        table.add_row()
    return table


def _counts(view: View) -> Table:
    table = _table()
    table.add_column("", no_wrap=True, ratio=1)
    for name in view.in_calendly:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("Calendly now", *map(str, view.in_calendly.values()))
    table.add_row(
        "DuckDB",
        *(
            Text("none yet") if loaded is None else _matched(loaded, view.in_calendly[name])
            for name, loaded in ((name, view.in_tables.get(name)) for name in view.in_calendly)
        ),
    )
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, width=WIDTH, header_style="bold")


def _matched(loaded: int, in_calendly: int) -> Text:
    return Text(str(loaded), style="green" if loaded == in_calendly else "yellow")


def shown(watched: Watched) -> str | None:
    """Say after how long a change showed, if it did."""
    return None if watched.delay is None else f"after {watched.delay:.1f} s"


def figures(view: View) -> Iterator[str]:
    """Yield the figures, in three lines."""
    spent, watch = view.spent, view.watch
    changes = len(watch.changes)
    yield f"changes: {changes}, deliveries received: {view.received}, runs: {spent.runs}"
    parts = [f"{spent.first} at first"]
    if spent.others:
        parts.append(f"{spent.others} between sweeps ({spent.others / changes:.1f} a change)")
    if spent.sweeping:
        parts.append(f"{spent.sweeping} in sweeps")
    total = spent.first + spent.others + spent.sweeping
    yield f"requests: {total}, {', '.join(parts)}"
    half, most = watch.delay(0.5), watch.delay(0.95)
    yield (
        "from Calendly to the table: no change yet"
        if half is None or most is None
        else f"from Calendly to the table: half within {half:.1f} s, 95 % within {most:.1f} s"
    )
