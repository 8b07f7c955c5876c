"""What the demo company has beside its meetings: how it is set up, and how it is administered.

Nothing here draws from the dice of a story, so that the meetings are the same with it and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.calendly import Calendly


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
