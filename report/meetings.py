"""Answers about meetings: how many, when, by whom, and how long before they are booked."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from report.answer import Answer, Figure, among, left_out, most
from report.charts import FIRST, SECOND, SERIES, Bar, Bars, Columns
from report.wording import SPACE, count, long_date, name, tenths

if TYPE_CHECKING:
    from datetime import date

    from report.answer import Rows

MOST_WEEKS = 26
WEEK = timedelta(weeks=1)
NO_TEAM = "(none)"


def by_week_and_team(rows: Rows) -> Answer:
    """Tell how many meetings were held in each week, and by which teams."""
    last = max(row["week"] for row in rows)
    first = max(min(row["week"] for row in rows), last - (MOST_WEEKS - 1) * WEEK)
    weeks = [first + place * WEEK for place in range((last - first) // WEEK + 1)]
    newest = sorted(rows, key=itemgetter("week"), reverse=True)
    rows = [row for row in rows if row["week"] >= first]
    teams = Counter[str]()
    for row in rows:
        teams[row["team_name"]] += row["meetings"]
    ranked = [team for team, _ in teams.most_common()]
    shown: list[str | None] = [*ranked]  # None stands for all others
    if len(ranked) > len(SERIES):
        shown = [*ranked[: len(SERIES) - 1], None]
    cells: Counter[tuple[date, str | None]] = Counter()
    for row in rows:
        team = row["team_name"] if row["team_name"] in shown else None
        cells[row["week"], team] += row["meetings"]
    title = f"{count(sum(teams.values()), 'meeting')} held in {count(len(weeks), 'week')}"
    if ranked[0] != NO_TEAM:
        by = f"{teams[ranked[0]]:,} by" if ranked[1:] else "by"
        title += f", {by} {name(ranked[0])}"
    colors = SERIES[: len(shown)]
    columns = Columns(
        [f"{week.day} {week:%b}" for week in weeks],
        [[cells[week, team] for team in shown] for week in weeks],
        colors,
        dense=True,
    )
    return Answer(
        title,
        [Figure(columns)],
        [
            (color, "no team" if team == NO_TEAM else name(team or "others"))
            for color, team in zip(colors, shown, strict=True)
        ],
        f"Weeks start on Monday, the first on {long_date(first)}. The last may not be over.",
        newest,
    )


def next_14_days(rows: Rows) -> Answer:
    """Tell what is to come, day by day from today."""
    meetings = sum(row["meetings"] for row in rows)
    if not meetings:
        return Answer("No meetings in the next 14 days")
    busiest = max(rows, key=itemgetter("meetings"))
    columns = Columns(
        [f"{row['day']:%a}"[:2] + f"\n{row['day'].day}" for row in rows],
        [[row["meetings"]] for row in rows],
        [FIRST],
    )
    return Answer(
        f"{count(meetings, 'meeting')} in the next 14 days, {busiest['meetings']:,} on "
        f"{busiest['day']:%A}, {busiest['day'].day} {busiest['day']:%B}",
        [Figure(columns)],
        note=f"With {count(sum(row['invitees'] for row in rows), 'invitee')}. "
        "The first day is today.",
    )


def host_load(rows: Rows) -> Answer:
    """Tell how many hours each host has spent in meetings, and around them."""
    shown = most(rows, "hours")
    busiest = shown[0]
    bars = [
        Bar(
            name(row["host_name"]),
            [row["hours"], row["hours_with_buffers"] - row["hours"]],
            [tenths(row["hours"]), f"{row['meetings']:,}"],
        )
        for row in shown
    ]
    return Answer(
        f"Most hours: {name(busiest['host_name'])}, {tenths(busiest['hours'])} in "
        f"{count(busiest['meetings'], 'meeting')}",
        [Figure(Bars(bars, ["hours", "meetings"], [FIRST, SECOND]))],
        [(FIRST, "in meetings"), (SECOND, "in buffers before and after")],
        left_out(rows, shown, "host"),
    )


def lead_time(rows: Rows) -> Answer:
    """Tell how many days before the start bookings are made."""
    known = [row for row in rows if row["median_days"] is not None]
    shown = most(known, "bookings")
    if not shown:
        return Answer("No booking's meeting was loaded")
    soonest, latest = shown[0], shown[-1]
    title = (
        f"Shortest notice{among(known, shown)}: {name(soonest['event_type_name'])}, "
        f"{tenths(soonest['median_days'])}{SPACE}days"
    )
    if shown[1:]:
        title += f"; longest: {name(latest['event_type_name'])}, {tenths(latest['median_days'])}"
    bars = [
        Bar(
            name(row["event_type_name"]),
            [row["median_days"], row["p90_days"] - row["median_days"]],
            [tenths(row["median_days"]), tenths(row["p90_days"])],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["half", f"90{SPACE}%"], [FIRST, SECOND]))],
        [(FIRST, "half of the bookings"), (SECOND, "up to 90 % of them")],
        "Days from booking to start: half of the bookings, and 90 % of them, are made at most so "
        f"long before. {left_out(rows, shown, 'event type')}",
    )
