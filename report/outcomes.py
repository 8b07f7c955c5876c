"""Answers about what becomes of bookings: no-shows, cancellations, reschedules, payments."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from report.answer import Answer, Figure, among, left_out, most
from report.charts import FIRST, REST, THIRD, Bar, Bars
from report.wording import SPACE, count, listing, money, name, percent, share, tenths

if TYPE_CHECKING:
    from report.answer import Rows

TIMES = {0: "never", 1: "once", 2: "twice"}


def no_shows(rows: Rows) -> Answer:
    """Tell for which event types invitees do not show up."""
    shown = most(rows, "past_bookings")
    past = sum(row["past_bookings"] for row in rows)
    missed = sum(row["no_shows"] for row in rows)
    if not missed:
        title = f"No no-shows in {count(past, 'past booking')}"
    else:
        title = f"{share(missed, past)} of past bookings are no-shows{_highest(rows, shown)}"
    bars = [
        Bar(
            name(row["event_type_name"]),
            [row["percent"]],
            [percent(row["percent"]), f"{row['past_bookings']:,}"],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["no-shows", "of"], [FIRST]))],
        note=left_out(rows, shown, "event type"),
    )


def _highest(rows: Rows, shown: Rows) -> str:
    """Return which of several event types has the highest rate."""
    worst = max(shown, key=itemgetter("percent"))
    if not rows[1:] or not worst["percent"]:
        return ""
    return (
        f"; the highest rate{among(rows, shown)}: {name(worst['event_type_name'])}, "
        f"{percent(worst['percent'])}"
    )


def cancellations(rows: Rows) -> Answer:
    """Tell for which event types bookings end canceled, and who cancels them."""
    shown = most(rows, "bookings")
    bookings = sum(row["bookings"] for row in rows)
    canceled = sum(row["canceled"] for row in rows)
    if not canceled:
        title = f"No cancellations in {count(bookings, 'booking')}"
    else:
        title = f"{share(canceled, bookings)} of bookings end canceled{_highest(rows, shown)}"
    bars = [
        Bar(
            name(row["event_type_name"]),
            [
                100 * (row["canceled"] - row["by_host"]) / row["bookings"],
                100 * row["by_host"] / row["bookings"],
            ],
            [percent(row["percent"]), f"{row['bookings']:,}"],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["canceled", "of"], [FIRST, THIRD]))],
        [(FIRST, "by the invitee"), (THIRD, "by the host")],
        f"A reschedule does not count as a cancellation. {left_out(rows, shown, 'event type')}",
    )


def reschedules(rows: Rows) -> Answer:
    """Tell how often bookings are rescheduled, and what becomes of them then."""
    shown = most(rows, "bookings")
    bookings = sum(row["bookings"] for row in rows)
    moved = sum(row["bookings"] for row in rows if row["reschedules"])
    highest = max(row["reschedules"] for row in rows)
    title = f"No reschedules in {count(bookings, 'booking')}"
    if moved:
        often = f"up to {_times(highest)}" if highest > 1 else "none more than once"
        title = f"{share(moved, bookings)} of bookings were rescheduled, {often}"
    bars = [
        Bar(
            _times(row["reschedules"]),
            [
                100 * row["held"] / row["bookings"],
                100 * row["canceled"] / row["bookings"],
                100 * (row["bookings"] - row["held"] - row["canceled"]) / row["bookings"],
            ],
            [f"{row['bookings']:,}", tenths(row["days_later"])],
        )
        for row in shown
    ]
    return Answer(
        title,
        [Figure(Bars(bars, ["bookings", "days later"], [FIRST, THIRD, REST]))],
        [(FIRST, "held"), (THIRD, "canceled"), (REST, "no-show or still to come")],
        "Days later: from the first start to the last, on average. " + left_out(rows, shown, "row"),
    )


def _times(number: int) -> str:
    return TIMES.get(number, f"{number} times")


def revenue(rows: Rows) -> Answer:
    """Tell what was paid for which event types, and how much of that for canceled bookings."""
    currencies = sorted({row["currency"] for row in rows}, key=str)
    figures, earned, of_canceled, notes = [], [], [], []
    for currency in currencies:
        paid = [row for row in rows if row["currency"] == currency]
        shown = most(paid, "revenue")
        cents = any(row["revenue"] % 1 or row["of_canceled"] % 1 for row in paid)
        unit = name(currency)
        earned.append(f"{unit}{SPACE}{money(sum(row['revenue'] for row in paid), cents=cents)}")
        if canceled := sum(row["of_canceled"] for row in paid):
            of_canceled.append(f"{unit}{SPACE}{money(canceled, cents=cents)}")
        bars = [
            Bar(
                name(row["event_type_name"]),
                [row["revenue"] - row["of_canceled"], row["of_canceled"]],
                [money(row["revenue"], cents=cents), f"{row['paid_bookings']:,}"],
            )
            for row in shown
        ]
        figures.append(
            Figure(Bars(bars, ["paid", "bookings"], [FIRST, THIRD]), unit if currencies[1:] else "")
        )
        notes.append(left_out(paid, shown, "event type", f" in {unit}"))
    title = f"{listing(earned)} paid"
    if of_canceled:
        title += f", of which {listing(of_canceled)} for canceled bookings"
    return Answer(
        title,
        figures,
        [(FIRST, "for other bookings"), (THIRD, "for canceled bookings")] if of_canceled else (),
        " ".join(note for note in notes if note),
    )
