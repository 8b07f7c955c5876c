"""What the demo company has beside its meetings: how it is set up, and how it is administered.

Nothing here draws from the dice of a story, so that the meetings are the same with it and without.
"""

from __future__ import annotations

from datetime import datetime, time, timezone
from typing import TYPE_CHECKING, Any

from sandbox.demo import cast
from sandbox.demo.scenes import DAY, HOUR, Deed

if TYPE_CHECKING:
    from sandbox.demo.scenes import Story
    from sandbox.demo.stories import Quarter
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.schedules import Rules

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
    _listen(calendly, stage, sales)
    fields: dict[str, dict[str, Any]] = {
        "Tier": {"field_type": "single_select", "options": ["Gold", "Silver"]},
        "Budget": {"field_type": "currency", "currency": "EUR"},
        "Interests": {"field_type": "tags", "options": ["Pricing", "Security"]},
        "Goal": {
            "field_type": "invitee_question",
            "source": {"event_type_uri": stage["Intro call"], "question": cast.GOAL_QUESTION},
        },
    }
    for label, told in fields.items():
        stage[label] = calendly.add_contact_field(user=calendly.owner, label=label, **told)


def administering(quarter: Quarter, stage: dict[str, str]) -> Story:
    """Tell what is administered in a quarter.

    Its board meetings are put into the owner's calendar; he gets to know two people, sees one of
    them again and forgets the other; somebody is invited.
    """
    dawn = datetime.combine(quarter.begins, time(6, 15, 7), timezone.utc)
    tuesday = dawn.replace(hour=10, minute=0, second=0) + (1 - dawn.weekday()) % 7 * DAY
    for week in range(13):
        start = tuesday + 7 * week * DAY
        blocked = {"user": stage["Ada Winter"], "start": start, "end": start + HOUR}
        yield Deed(dawn, "block_time", blocked)
    first, second = (f"{name}.q{quarter.number}.{quarter.year}@acme.example" for name in "ab")
    known = yield Deed(dawn + 9 * DAY, "add_contact", acquaintance(stage, first, quarter))
    other = yield Deed(dawn + 10 * DAY, "add_contact", acquaintance(stage, second, quarter))
    invited = {"email": f"trainee.q{quarter.number}.{quarter.year}@windmill.example"}
    invitation = yield Deed(dawn + 20 * DAY, "invite", invited)
    again = {"job_title": 'Head of "Data", EMEA', "custom_fields": {stage["Budget"]: 12_500.5}}
    yield Deed(dawn + 30 * DAY, "edit_contact", {"contact": known, **again})
    yield Deed(dawn + 40 * DAY, "resend_invitation", {"invitation": invitation})
    if quarter.number % 2:
        yield Deed(dawn + 45 * DAY, "revoke_invitation", {"invitation": invitation})
        yield Deed(dawn + 50 * DAY, "delete_contact", {"contact": other})


def acquaintance(stage: dict[str, str], email: str, quarter: Quarter) -> dict[str, object]:
    """Return whom the owner gets to know in a quarter."""
    place = quarter.year * 4 + quarter.number
    first, last = (names[place % len(names)] for names in (cast.FIRST_NAMES, cast.LAST_NAMES))
    return {
        "user": stage["Ada Winter"],
        "email": email,
        "name": f"{first} {last}",
        "company": "Acme, Inc." if quarter.number % 2 else None,
        "city": "São Paulo",
        "phone_numbers": ["+55 11 5550 1234"],
        "custom_fields": {
            stage["Tier"]: "Gold",
            stage["Interests"]: ["Pricing", "Security"],
            stage["Goal"]: "日程について",
        },
    }


def _listen(calendly: Calendly, stage: dict[str, str], group: str) -> None:
    """Have what happens posted somewhere: for everybody, for one user and for a group."""
    address = "https://hooks.windmill.example"
    invitees = ["invitee.created", "invitee.canceled"]
    every = calendly.subscribe(callback_url=f"{address}/all", events=invitees)
    calendly.fail_webhook(webhook=every)
    calendly.subscribe(
        callback_url=f"{address}/recaps",
        events=["meeting_recap.created"],
        scope="user",
        of=stage["Carmen Ortega"],
    )
    calendly.subscribe(
        callback_url=f"{address}/contacts",
        events=["contact.created", "contact.deleted"],
        scope="user",
        of=calendly.owner,
    )
    hook = calendly.subscribe(
        callback_url=f"{address}/sales", events=invitees, scope="group", of=group
    )
    calendly.fail_webhook(webhook=hook, for_good=True)


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
