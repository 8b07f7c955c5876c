"""How the demo company is set up beside its meetings.

Nothing here uses a story's dice, so that the meetings are the same with it and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.demo import cast

if TYPE_CHECKING:
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
    """Set up what the company has from its first day."""
    calendly.add_team(name="Leadership", members=[calendly.owner, stage["Bo Lindqvist"]])
    newcomer = calendly.invite(email="mia@windmill.example")
    groups = {one["name"]: uri for uri, one in calendly.groups.items()}
    sales = groups["Sales"]
    calendly.join_group(group=groups["Success"], owner=stage["Carmen Ortega"])
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
    calendly.add_contact_list(user=calendly.owner, name="Customers in São Paulo")


def _listen(calendly: Calendly, stage: dict[str, str], group: str) -> None:
    """Subscribe webhooks for the organization, for users and for a group."""
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
    """Give some members other hours than most, and connect conference providers."""
    carmen, dev = stage["Carmen Ortega"], stage["Dev Patel"]
    mornings = calendly.add_schedule(user=carmen, name="Mornings", rules=MORNINGS)
    calendly.set_hours(event_type=stage["Product demo"], user=carmen, schedule=mornings)
    calendly.set_hours(event_type=stage["Intro call"], user=dev, rules=MORNINGS)
    calendly.connect_conference(user=calendly.owner, kind="zoom_conference")
    calendly.connect_conference(user=carmen, kind="google_conference")
    calendly.connect_conference(user=carmen, kind="zoom_conference")
    calendly.disconnect_conference(user=carmen, kind="zoom_conference")
