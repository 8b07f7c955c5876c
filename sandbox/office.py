"""What the demo company has beside its meetings: how it is set up, and how it is administered.

Nothing here draws from the dice of a story, so that the meetings are the same with it and without.
"""

from __future__ import annotations

from datetime import datetime, time, timezone
from typing import TYPE_CHECKING

from sandbox.stories import DAY, HOUR, Deed

if TYPE_CHECKING:
    from sandbox.calendly import Calendly
    from sandbox.schedules import Rules
    from sandbox.stories import Quarter, Story

MORNINGS: Rules = [
    {"type": "wday", "wday": "monday", "intervals": [{"from": "08:00", "to": "12:00"}]},
    {
        "type": "wday",
        "wday": "thursday",
        "intervals": [{"from": "08:30", "to": "10:00"}, {"from": "10:30", "to": "12:00"}],
    },
    {"type": "date", "date": "2026-12-24", "intervals": []},
]


def furnish(calendly: Calendly, stage: dict[str, str]) -> None:
    """Set up what the company has had from its first day."""
    calendly.add_team(name="Leadership", members=[calendly.owner, stage["Bo Lindqvist"]])
    newcomer = calendly.invite(email="mia@windmill.example")
    sales = next(uri for uri, one in calendly.groups.items() if one["name"] == "Sales")
    calendly.join_group(group=sales, owner=newcomer)
    calendly.join_group(group=sales, owner=calendly.owner, role="admin")
    stage["Mia Novak"] = calendly.accept_invitation(
        invitation=newcomer, name="Mia Novak", timezone="Europe/Prague"
    )
    hesitant = calendly.invite(email="noel@guest.example", send=False)
    calendly.join_group(group=sales, owner=hesitant)
    declined = calendly.invite(email="olaf@guest.example")
    calendly.decline_invitation(invitation=declined)
    _arrange_time(calendly, stage)


def administering(quarter: Quarter, stage: dict[str, str]) -> Story:
    """Tell what is administered in a quarter: its board meetings are put into the calendar."""
    dawn = datetime.combine(quarter.begins, time(6, 15, 7), timezone.utc)
    tuesday = dawn.replace(hour=10, minute=0, second=0) + (1 - dawn.weekday()) % 7 * DAY
    for week in range(13):
        start = tuesday + 7 * week * DAY
        blocked = {"user": stage["Ada Winter"], "start": start, "end": start + HOUR}
        yield Deed(dawn, "block_time", blocked)


def _arrange_time(calendly: Calendly, stage: dict[str, str]) -> None:
    """Let some meet at other hours than most, and connect what they meet by."""
    carmen, dev = stage["Carmen Ortega"], stage["Dev Patel"]
    mornings = calendly.add_schedule(user=carmen, name="Mornings", rules=MORNINGS)
    calendly.set_hours(event_type=stage["Product demo"], user=carmen, schedule=mornings)
    calendly.set_hours(event_type=stage["Intro call"], user=dev, rules=MORNINGS)
    calendly.connect_conference(user=calendly.owner, kind="zoom_conference")
    calendly.connect_conference(user=carmen, kind="google_conference")
    calendly.connect_conference(user=carmen, kind="zoom_conference")
    calendly.disconnect_conference(user=carmen, kind="zoom_conference")
