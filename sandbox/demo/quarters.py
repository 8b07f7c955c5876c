"""What happens in every quarter: a freelancer comes and goes, and there is administration.

Nothing here uses a story's dice, so that the meetings are the same with it and without.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timezone

from sandbox.demo import cast
from sandbox.demo.scenes import DAY, HOUR, Deed, Story


@dataclass(frozen=True)
class Quarter:
    """A quarter (1 to 4) of a year, with a freelancer who hosts in it and then leaves."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Quarter:
        """Return the quarter of ``day``."""
        return cls(day.year, (day.month + 2) // 3)

    @property
    def begins(self) -> date:
        """The first day."""
        return date(self.year, 3 * self.number - 2, 1)

    def after(self) -> Quarter:
        """Return the next quarter."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def freelancer(self) -> str:
        """The name of the freelancer's event type."""
        return f"Research talk {self.year} Q{self.number}"

    def story(self, stage: dict[str, str]) -> Story:
        """Tell how the freelancer comes and goes, and how an event type is edited meanwhile.

        In odd quarters their account is deleted at the end, in even ones they are removed.
        """
        dawn = datetime.combine(self.begins, time(4), timezone.utc)
        name = f"{cast.FREELANCERS[self.number - 1]} {self.year}"
        email = f"q{self.number}.{self.year}@freelance.example"
        zone = "Europe/London"
        user = yield Deed(dawn, "add_member", {"name": name, "email": email, "timezone": zone})
        offer = {"owner": user, "name": self.freelancer, "duration": 30}
        stage[self.freelancer] = yield Deed(dawn + HOUR, "add_event_type", offer)
        text = f"Our calendar for Q{self.number} {self.year} is open."
        reworded = {"uri": stage["Product demo"], "description_plain": text}
        yield Deed(dawn + 30 * DAY, "edit_event_type", reworded)
        goes = "delete_user" if self.number % 2 else "remove_member"
        yield Deed(dawn + 80 * DAY, goes, {"user": user})


def administering(quarter: Quarter, stage: dict[str, str]) -> Story:
    """Tell of a quarter's administration.

    Board meetings enter the owner's calendar; two contacts are added, one is edited and the other
    deleted, and notes are written about both; a trainee is invited.
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
    noted = {"contact": known, "title": 'Met at the "fair"', "body": "Calls back,\nin spring 🌷."}
    note = yield Deed(dawn + 20 * DAY, "add_note", noted)
    yield Deed(dawn + 20 * DAY, "add_note", {"contact": other, "body": "שלום"})
    again = {"job_title": 'Head of "Data", EMEA', "custom_fields": {stage["Budget"]: 12_500.5}}
    yield Deed(dawn + 30 * DAY, "edit_contact", {"contact": known, **again})
    yield Deed(dawn + 31 * DAY, "edit_note", {"note": note, "body": "Has called back."})
    if quarter.number == 1:
        named = {"user": stage["Ada Winter"], "name": f"Fair {quarter.year}"}
        yield Deed(dawn + 32 * DAY, "add_contact_list", {**named, "contacts": [known, other]})
    yield Deed(dawn + 40 * DAY, "resend_invitation", {"invitation": invitation})
    if quarter.number % 2:
        yield Deed(dawn + 45 * DAY, "revoke_invitation", {"invitation": invitation})
        yield Deed(dawn + 50 * DAY, "delete_contact", {"contact": other})


def acquaintance(stage: dict[str, str], email: str, quarter: Quarter) -> dict[str, object]:
    """Return the details of a contact whom the owner adds in a quarter."""
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
