"""Life at a company in which every rule of the models makes a difference to an answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.demo.life import happen
from sandbox.organization.clock import SimulatedClock
from sandbox.organization.meeting_records import find_invitee

if TYPE_CHECKING:
    from sandbox.organization.calendly import Calendly
    from tests.singer import Row

NOW = datetime(2026, 3, 5, 2, 30, tzinfo=timezone.utc)
"""Yesterday in New York, and three days before its clocks change."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HEARD = "How did you hear about us?"


class Life:
    """Lets things happen at a company, on a clock that begins 40 days ago."""

    def __init__(self, calendly: Calendly) -> None:
        """Start with three hosts and a few event types."""
        self.calendly = calendly
        self.clock = SimulatedClock(NOW - 40 * DAY)
        calendly.clock = self.clock
        self._people = 0
        self.zoe = self._member("Zoë Zimmer")
        self.yan = self._member("Yan Young")
        self.namesake = self._member("Yan Young")
        for name in ("Night shift", "Day shift"):
            calendly.add_group(name=name, members=[self.zoe])
        calendly.add_group(name="Early shift", members=[self.yan])
        self.talk = self.add_event_type("Talk", self.zoe)
        self.rota = self.add_event_type(
            "Rota", self.yan, hosts=[self.yan, self.zoe], pooling_type="collective"
        )
        self.panel = self.add_event_type("Panel", self.zoe, team="Stage", kind="group", limit=30)
        self.loner = self.add_event_type("Loner", self.namesake, before_buffer=5, after_buffer=10)
        self.nameless = self.add_event_type(None, self.zoe)
        self.form = calendly.add_routing_form(name="Contact", questions=[])

    def _member(self, name: str) -> str:
        self._people += 1
        email = f"host-{self._people}@example.com"
        return self.calendly.add_member(name=name, email=email)

    def add_event_type(self, name: str | None, owner: str, **options: Any) -> str:  # noqa: ANN401 - JSON
        """Add an event type whose meetings take 40 minutes; return its URI."""
        return self.calendly.add_event_type(owner=owner, name=name, duration=40, **options)

    def book(self, event_type: str, start: datetime, **details: Any) -> Row:  # noqa: ANN401 - details
        """Let somebody book, a bit later than what happened before; return the invitee."""
        self._people += 1
        self.clock.advance(timedelta(minutes=7, seconds=13))
        _, uri = self.calendly.book(
            event_type=event_type,
            start=start,
            name=f"Guest {self._people}",
            email=f"guest-{self._people}@example.com",
            **details,
        )
        return find_invitee(self.calendly, uri)

    def move(self, invitee: Row, start: datetime, **changes: object) -> Row:
        """Reschedule, and return the new invitee, with changes to the record."""
        self.clock.advance(timedelta(minutes=11))
        _, uri = self.calendly.reschedule(invitee=invitee["uri"], start=start)
        record = find_invitee(self.calendly, uri)
        record.update(changes)
        return record

    def pay(self, invitee: Row, amount: float | str, currency: str) -> None:
        """Let an invitee pay."""
        self.calendly.pay(invitee=invitee["uri"], amount=amount, currency=currency)

    def mark(self, invitee: Row) -> None:
        """Mark an invitee as a no-show."""
        self.calendly.mark_no_show(invitee=invitee["uri"])

    def cancel(self, invitee: Row, by: Any) -> None:  # noqa: ANN401 - the host or the invitee
        """Cancel an invitee's part."""
        self.clock.advance(timedelta(minutes=5))
        self.calendly.cancel(invitee=invitee["uri"], by=by)

    def submit(self, result: str | None = "event_type") -> str:
        """Let a visitor submit the form."""
        self.clock.advance(timedelta(minutes=3))
        led_to = None if result is None else {"type": result, "value": self.talk}
        return self.calendly.submit_form(form=self.form, answers={}, result=led_to)


def at(days: float, hours: float = 0) -> datetime:
    """Return a time so many days and hours from now."""
    return NOW + days * DAY + hours * HOUR


def play(calendly: Calendly) -> None:
    """Let everything happen that an answer may depend on."""
    life = Life(calendly)
    _reschedule(life)
    _pay(life)
    _come_and_go(life)
    _submit(life)
    _meet(life)
    _host(life)


def _reschedule(life: Life) -> None:
    """Chains: long, forked, in a circle, without a start, and with other details at their end."""
    far = life.book(
        life.talk,
        at(-30),
        timezone="Asia/Tokyo",
        tracking={"utm_source": "fair", "utm_campaign": "booth"},
        answers={HEARD: "At a fair"},
    )
    for days in (-28, -26, -24):
        far = life.move(far, at(days))
    last = life.move(
        far,
        at(-35),
        timezone="Europe/Oslo",
        tracking={"utm_source": "last", "utm_campaign": None},
        questions_and_answers=[{"question": HEARD, "answer": "From a friend", "position": 0}],
    )
    life.calendly.events[last["event"]]["event_type"] = life.rota
    # The longest branch counts, although a shorter one was booked last, by a no-show.
    first = life.book(life.talk, at(-20), timezone="Asia/Tokyo")
    short = life.book(life.rota, at(-19))
    middle = life.move(first, at(-18))
    long = life.move(middle, at(-17))
    shorter = life.book(life.panel, at(-16))
    for one in (short, shorter):
        one["old_invitee"] = first["uri"]
    life.mark(shorter)
    long["timezone"] = "Asia/Dubai"
    # Of two equally long ones, the one that was booked last counts.
    first = life.book(life.talk, at(-15))
    ends = [life.book(life.talk, at(-14 + number / 7)) for number in range(4)]
    for one in ends:
        one["old_invitee"] = first["uri"]
    ends[-1].update(timezone="Africa/Cairo")
    life.mark(ends[-1])
    life.cancel(ends[0], "host")
    # Two name each other.
    one, other = life.book(life.loner, at(-13)), life.book(life.loner, at(-12))
    one["old_invitee"], other["old_invitee"] = other["uri"], one["uri"]
    life.mark(other)
    # The first invitee is gone, or the last.
    gone = life.book(life.talk, at(-11))
    life.calendly.delete_event_data(event=life.move(gone, at(-10))["event"])
    gone = life.book(life.talk, at(-9), timezone="Asia/Kolkata")
    life.move(gone, at(-8))
    life.calendly.delete_event_data(event=gone["event"])
    life.cancel(life.move(life.book(life.rota, at(-9)), at(-7)), "host")


def _pay(life: Life) -> None:
    """Payments: as text and as numbers, repeated, failed, mixed, and of what was canceled."""
    life.pay(life.book(life.loner, at(-6, 1)), "90.50", "EUR")
    life.pay(life.book(life.loner, at(-6, 2)), 0.1, "EUR")
    life.pay(life.book(life.loner, at(-6, 3)), 0.2, "EUR")
    failed = life.book(life.loner, at(-6, 4))
    life.pay(failed, 1000, "EUR")
    failed["payment"]["successful"] = False
    repeated = life.book(life.talk, at(-6, 5))
    life.pay(repeated, 20, "USD")
    later = life.move(repeated, at(-6, 6), payment=dict(repeated["payment"]))
    life.pay(life.move(later, at(-6, 7)), "7.25", "USD")
    mixed = life.book(life.talk, at(-6, 8))
    life.pay(mixed, 500, "GBP")
    life.pay(life.move(mixed, at(-6, 9)), 30, "USD")
    canceled = life.book(life.talk, at(-6, 10))
    life.pay(canceled, 12, "USD")
    life.cancel(canceled, "invitee")
    forked = life.book(life.rota, at(-6, 11))
    life.pay(forked, 3, "AUD")
    branch = life.book(life.rota, at(-6, 12))
    branch["old_invitee"] = forked["uri"]
    life.pay(branch, 4, "AUD")
    longer = life.move(forked, at(-6, 13))
    life.move(longer, at(-6, 14))


def _come_and_go(life: Life) -> None:
    """No-shows: of 16 people, before the start, at the start, and canceled after all."""
    panel = [life.book(life.panel, at(-5)) for _ in range(16)]
    life.mark(panel[3])
    life.mark(life.book(life.talk, at(5), tracking={"utm_source": "fair"}))
    excused = life.book(life.talk, at(-5, 1))
    life.mark(excused)
    life.cancel(excused, "host")
    life.book(life.nameless, at(0), tracking={"utm_source": "fair", "utm_campaign": "booth"})
    life.book(life.nameless, at(0, 0.01))
    called = life.book(life.nameless, at(-5, 2))
    life.calendly.events[called["event"]]["name"] = "As agreed"
    twice = life.book(life.talk, at(-5, 3), answers={HEARD: "At a fair", "Else?": ""})
    twice["questions_and_answers"] *= 2
    life.book(life.talk, at(-5, 4), answers={HEARD: "From a friend"}, timezone=None)
    renamed = life.book(life.add_event_type("Before", life.zoe), at(-5, 5))
    event_type = life.calendly.events[renamed["event"]]["event_type"]
    life.calendly.edit_event_type(uri=event_type, name="After")
    unknown = life.book(life.add_event_type("Unseen", life.yan), at(-5, 6))
    del life.calendly.event_types[life.calendly.events[unknown["event"]]["event_type"]]


def _submit(life: Life) -> None:
    """Submissions: booked by the submitter, moved since, booked twice, or without a result."""
    for minutes in (30, 50):
        submission = life.submit()
        life.clock.advance(timedelta(minutes=minutes))
        _, uri = life.calendly.book_from_submission(
            submission=submission,
            start=at(-4, minutes / 20),
            name="Guest",
            email="routed@example.com",
        )
    moved = life.move(find_invitee(life.calendly, uri), at(-4, 8))
    life.calendly.submissions[life.form][-1]["submitter"] = moved["uri"]
    twice = life.submit()
    booked = [life.book(life.talk, at(-4, 10 + number)) for number in range(2)]
    moved = life.move(life.book(life.talk, at(-4, 12)), at(-4, 13))
    for one in (*booked, moved):
        one["routing_form_submission"] = twice
    # Only the end of a chain names it, and the submitter is unknown.
    late = life.submit("external_url")
    moved = life.move(life.book(life.talk, at(-4, 14)), at(-4, 15))
    moved["routing_form_submission"] = late
    life.calendly.submissions[life.form][-1]["submitter"] = f"{moved['uri']}-unknown"
    # Its submitter's booking goes before another that names it.
    both = life.submit("external_url")
    life.book(life.talk, at(-4, 16), routing_form_submission=both)
    own = life.book(life.rota, at(-4, 17))
    life.calendly.submissions[life.form][-1]["submitter"] = own["uri"]
    life.submit("external_url")
    life.submit(None)


def _meet(life: Life) -> None:
    """Meetings at the edges of days and weeks in New York and in Tokyo, and group meetings."""
    for hour in (3, 6, 14, 16):  # on a Sunday and a Monday there
        life.book(life.talk, datetime(2026, 3, 1, hour, 59, tzinfo=timezone.utc))
        life.book(life.rota, datetime(2026, 3, 2, hour, 59, tzinfo=timezone.utc))
    for day in (4, 5, 7, 9, 17, 18, 19):
        for hour in (3, 4, 14, 15, 23):
            start = datetime(2026, 3, day, hour, 30, tzinfo=timezone.utc)
            life.book(life.talk if hour % 2 else life.loner, start)
    # A source without past bookings.
    seats = [life.book(life.panel, at(3), tracking={"utm_source": "radio"}) for _ in range(4)]
    life.cancel(seats[0], "invitee")
    life.move(seats[1], at(4))
    life.cancel(life.book(life.rota, at(2)), "host")


def _host(life: Life) -> None:
    """Hosts: not a member, with two names, without buffers, unknown; and in no group at all."""
    guests = [life.book(life.loner, at(-3, 2 * hour)) for hour in range(6)]
    meetings = [life.calendly.events[one["event"]] for one in guests]
    for meeting, name in zip(meetings, ("Zed, once", "Ann"), strict=False):
        meeting["event_memberships"][0].update(
            user="https://api.calendly.com/users/GUEST",
            user_name=name,
            buffered_start_time=None,
        )
    meetings[2]["event_memberships"][0].update(buffered_end_time=None)
    meetings[3]["event_memberships"][0].update(user=None)
    membership = life.calendly.membership(life.zoe)
    membership["user"]["name"] = "Zoë Zimmer-Zhou"


def go_on(calendly: Calendly, clock: SimulatedClock) -> None:
    """Let a month pass, with changes of every kind that the next run has to show."""
    dice = Random(1)  # noqa: S311 - no secret
    for _ in range(300):
        clock.advance(30 * DAY / 300)
        with suppress(ValueError):  # that was not possible
            happen(calendly, dice)
    new = [
        one
        for event in calendly.events.values()
        for one in calendly.invitees[event["uri"]]
        if datetime.fromisoformat(one["created_at"][:-1] + "+00:00") > NOW
    ]
    active = [one for one in new if one["status"] == "active"]
    for number, one in enumerate(dice.sample(active, 9)):
        calendly.pay(invitee=one["uri"], amount=f"{number}.10", currency=("EUR", "CAD")[number % 2])
    calendly.scrub_invitee(email=dice.choice(new)["email"])
    calendly.delete_event_data(event=dice.choice(new)["event"])
    types = {one["name"]: uri for uri, one in calendly.event_types.items()}
    calendly.edit_event_type(uri=types["Talk"], name="Chat")
    calendly.delete_event_type(uri=types["Rota"])
    hosts = {one["user"]["name"]: one["user"]["uri"] for one in calendly.memberships.values()}
    calendly.delete_user(user=hosts["Yan Young"])
    calendly.remove_member(user=hosts["Liam Walsh"])
    groups = {one["name"]: uri for uri, one in calendly.groups.items()}
    calendly.rename_group(group=groups["Day shift"], name="Zeroth shift")
    (place,) = (
        uri
        for uri, one in calendly.group_relationships.items()
        if one["group"] == groups["Early shift"]
    )
    calendly.leave_group(relationship=place)
    calendly.join_group(group=groups["Night shift"], owner=calendly.owner)
    form = next(uri for uri, one in calendly.routing_forms.items() if one["name"] == "Contact")
    result = {"type": "event_type", "value": types["Intro call"]}
    submission = calendly.submit_form(form=form, answers={}, result=result)
    clock.advance(HOUR)
    calendly.book_from_submission(
        submission=submission, start=clock.now() + DAY, name="Guest", email="late@example.com"
    )
