"""The cast of the demo: its hosts, teams, event types, routing forms and visitors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from random import Random

    from sandbox.organization.calendly import Calendly


class Member(NamedTuple):
    """A member of the organization."""

    name: str
    team: str
    timezone: str
    role: str = "user"

    @property
    def email(self) -> str:
        """Their address at the organization."""
        return f"{self.name.split()[0].lower()}@windmill.example"


MEMBERS = (
    Member("Bo Lindqvist", "Sales", "Europe/Stockholm", "admin"),
    Member("Carmen Ortega", "Sales", "Europe/Madrid"),
    Member("Dev Patel", "Sales", "Asia/Kolkata"),
    Member("Emi Tanaka", "Sales", "Asia/Tokyo"),
    Member("Farid Haddad", "Success", "Europe/Paris", "admin"),
    Member("Grace Okafor", "Success", "Africa/Lagos"),
    Member("Hugo Silva", "Success", "America/Sao_Paulo"),
    Member("Ines Moreau", "Research", "Europe/Brussels"),
    Member("Jack O'Neill", "Research", "America/New_York"),
    Member("Liam Walsh", "Support", "America/Los_Angeles"),
    Member("Kiri Ngata", "Support", "Pacific/Auckland"),
)

SIZE_QUESTION = "How many people work at your company?"
GOAL_QUESTION = "What would you like to talk about?"
TOPICS_QUESTION = "Which topics?"
HEARD_QUESTION = "How did you hear about us?"

GOALS = ("A quote, please", 'They said "call us"', "日程について", "100 %")
TOPICS = ("Pricing", "Security", "Migration", "Other: Ümläute 🙂")
HEARD = (
    *("Search engine", "Search engine", "Search engine", "From a colleague", "From a colleague"),
    *("LinkedIn", "LinkedIn", "Newsletter", "At a conference"),
)
"""What visitors answer; how they heard, the likely several times."""

GOAL_AND_TOPICS: tuple[dict[str, Any], ...] = (
    {
        "name": GOAL_QUESTION,
        "type": "text",
        "position": 0,
        "enabled": True,
        "required": True,
        "answer_choices": [],
        "include_other": False,
    },
    {
        "name": TOPICS_QUESTION,
        "type": "multi_select",
        "position": 1,
        "enabled": True,
        "required": False,
        "answer_choices": ["Pricing", "Security", "Migration"],
        "include_other": True,
    },
)
QUESTIONS = (
    *GOAL_AND_TOPICS,
    {
        "name": HEARD_QUESTION,
        "type": "single_select",
        "position": 2,
        "enabled": True,
        "required": False,
        "answer_choices": [*dict.fromkeys(HEARD)],
        "include_other": False,
    },
)

ZOOM = {"kind": "zoom_conference"}
GOOGLE = {"kind": "google_conference"}
TEAMS = {"kind": "microsoft_teams_conference"}
WEBEX = {"kind": "webex_conference"}
GOTO = {"kind": "gotomeeting_conference"}
OFFICE = {
    "kind": "physical",
    "location": "Windmill House, Mühlenstraße 9, Berlin",
    "additional_info": 'Ring at "Windmill", 3rd floor',
}
CALL_US = {
    "kind": "inbound_call",
    "phone_number": "+49 30 5550100",
    "additional_info": "Extension 7",
}
WE_CALL = {"kind": "outbound_call"}
CAFE = {"kind": "custom", "location": "Café at the corner"}
YOUR_PLACE = {"kind": "ask_invitee"}

TYPES: dict[str, dict[str, Any]] = {
    "Intro call": {
        "duration": 30,
        "team": "Sales",
        "pooling_type": "round_robin",
        "locations": [ZOOM, WE_CALL, CALL_US],
        "custom_questions": QUESTIONS,
        "description_plain": "Half an hour to get to know each other.",
        "after_buffer": 10,
    },
    "Product demo": {
        "duration": 45,
        "host": "Carmen Ortega",
        "locations": [GOOGLE, ZOOM],
        "duration_options": [30, 45, 60],
        "custom_questions": QUESTIONS,
        "before_buffer": 15,
        "after_buffer": 15,
    },
    "Onboarding": {
        "duration": 60,
        "team": "Success",
        "pooling_type": "collective",
        "locations": [TEAMS],
        "custom_questions": GOAL_AND_TOPICS,
        "color": "#0099ff",
    },
    "Account review": {
        "duration": 45,
        "team": "Success",
        "pooling_type": "round_robin",
        "locations": [TEAMS],
    },
    "Consultation": {
        "duration": 60,
        "host": "Ines Moreau",
        "locations": [WEBEX],
        "custom_questions": QUESTIONS,
        "is_paid": True,
        "internal_note": 'Invoice goes to "accounts", not to the visitor',
    },
    "Support session": {
        "duration": 30,
        "team": "Support",
        "pooling_type": "round_robin",
        "locations": [GOTO, WE_CALL],
    },
    "Webinar: first steps": {
        "duration": 60,
        "host": "Farid Haddad",
        "kind": "group",
        "limit": 100,
        "locations": [ZOOM],
    },
    "Interview": {
        "duration": 45,
        "host": "Jack O'Neill",
        "locations": [OFFICE],
        "secret": True,
    },
    "One-off": {
        "name": None,
        "duration": 15,
        "host": "Ada Winter",
        "locations": [CAFE, YOUR_PLACE],
        "type": "AdhocEventType",
        "duration_options": [],
    },
    "Strategy day": {"duration": 240, "host": "Ada Winter", "locations": [OFFICE], "active": False},
}


class Habits(NamedTuple):
    """How visitors treat an event type.

    Attributes:
        leads: The least and the most days ahead that they book; most book early in between.
        canceled: The share of bookings that are canceled.
        no_shows: The share of bookings that nobody appears at.
    """

    leads: tuple[int, int]
    canceled: float = 0.0
    no_shows: float = 0.0


HABITS = {
    "Intro call": Habits((1, 45), 0.07, 0.05),
    "Product demo": Habits((2, 80), 0.05, 0.13),
    "Onboarding": Habits((7, 110), 0.05, 0.1),
    "Account review": Habits((100, 125), 0.04, 0.05),
    "Consultation": Habits((5, 90), 0.18, 0.07),
    "Support session": Habits((1, 6), 0.04, 0.11),
    "Webinar: first steps": Habits((35, 35), 0.0, 0.17),
    "Interview": Habits((4, 55), 0.12, 0.1),
    "One-off": Habits((1, 25)),
}

ENQUIRY = "Talk to us"
CAREERS = "Join us"

FORMS: dict[str, list[dict[str, Any]]] = {
    ENQUIRY: [
        {"name": "Name", "type": "name"},
        {"name": "E-mail", "type": "email"},
        {
            "name": SIZE_QUESTION,
            "type": "select",
            "answer_choices": ["1-10", "11-100", "more than 100"],
        },
        {"name": "Anything else?", "type": "textarea", "required": False},
    ],
    CAREERS: [
        {"name": "E-mail", "type": "email"},
        {"name": "Which team?", "type": "radios", "answer_choices": ["Sales", "Research"]},
    ],
}

FIRST_NAMES = (
    *("Anna", "Björn", "Chloé", "Dmitri", "Eleni", "Fatima", "Giorgos", "Hana", "Ivan"),
    *("José", "Katarzyna", "Léa", "Mohammed", "Ngoc", "Olga", "Priya", "Quentin", "Ruth"),
    *("Søren", "Thandi", "Uma", "Viktor", "Wen", "Ximena", "Yusuf", "Zoë", "明", "נועה"),
)
LAST_NAMES = (
    *("Adeyemi", "Brown", "Costa", "D'Angelo", "Eriksen", "Fischer", "García", "Hoang"),
    *("Ito", "Jansen", "Kowalska", "Levi", "Müller", "Nowak", "O'Brien", "Papadopoulos"),
    *("Quispe", "Rossi", "Smith, Jr.", "Tran", "Ueda", "Varga", "Wang", "Yilmaz", "Zhang"),
)
DOMAINS = ("acme.example", "globex.example", "initech.example", "mail.example", "müsli.example")
VISITOR_ZONES = (
    *("America/New_York", "America/New_York", "America/New_York", "America/New_York"),
    *("Europe/London", "Europe/London", "Europe/London", "Europe/Berlin", "Europe/Berlin"),
    *("America/Los_Angeles", "America/Los_Angeles", "America/Chicago", "America/Chicago"),
    *("Europe/Paris", "Asia/Kolkata", "America/Sao_Paulo", "Asia/Singapore", "Australia/Sydney"),
    None,
)
"""Where visitors are, the likely several times."""

FREELANCERS = ("Paula Paz", "Quinn Quist", "Rosa Rauch", "Sam Sato")

NO_SHOWERS = ("Max Power", "Nina Never", "Otto Late")

NOTES = (
    "Went well.\nNext step: a proposal, until Friday.",
    'He said: "not before spring", twice; budget 12,000, maybe 15,000.',
    "🎉 Signed! \U0001f469\u200d\U0001f4bb wants the API docs 🚀",
    "\u05e4\u05d2\u05d9\u05e9\u05d4 \u05d8\u05d5\u05d1\u05d4, \u05dc\u05d4\u05de\u05e9\u05d9\u05da",
    "\u0627\u062c\u062a\u0645\u0627\u0639 \u062c\u064a\u062f\tand a tab, a \\ and 100 % of it",
    "Line one\r\nLine two\r\n\r\n<b>not bold</b> & co; 'quoted'",
)
REASONS = (None, "Something came up", 'Client said: "next quarter"', "Krank 🤒,\nsorry")


class Source(NamedTuple):
    """Where visitors come from.

    Attributes:
        no_shows: How many times as often as others they do not appear.
        tracking: The parameters that come with them.
    """

    no_shows: float
    tracking: dict[str, str]


UNKNOWN = Source(1, {})
SPRING = Source(0.4, {"utm_source": "newsletter", "utm_campaign": "spring", "utm_medium": "email"})
AUTUMN = Source(0.8, {"utm_source": "newsletter", "utm_campaign": "autumn", "utm_medium": "email"})
BRAND = Source(1, {"utm_source": "google", "utm_campaign": "brand", "utm_medium": "cpc"})
LAUNCH = Source(
    2.2,
    {
        "utm_source": "linkedin",
        "utm_campaign": "launch",
        "utm_content": "ad, blue",
        "utm_term": "reporting",
    },
)
WINBACK = Source(1, {"utm_campaign": "winback", "salesforce_uuid": "00Q5g00000ABCDE"})

SOURCES = (
    *(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    *(SPRING, SPRING, SPRING, AUTUMN, AUTUMN),
    *(BRAND, BRAND, BRAND, LAUNCH, LAUNCH, LAUNCH, WINBACK),
)
"""Where visitors come from, the likely several times."""


class Person(NamedTuple):
    """A visitor."""

    name: str
    email: str


def visitor(dice: Random) -> Person:
    """Return a new visitor."""
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    mailbox = f"{first}{last}".lower().encode("ascii", "ignore").decode()
    mailbox = mailbox.translate(str.maketrans("", "", " ,.'"))
    return Person(f"{first} {last}", f"{mailbox}{dice.randrange(10**6)}@{dice.choice(DOMAINS)}")


def no_shower(dice: Random) -> Person:
    """Return one of the visitors who never come."""
    name = dice.choice(NO_SHOWERS)
    return Person(name, f"{name.split()[0].lower()}@late.example")


def enter(calendly: Calendly) -> dict[str, str]:
    """Add hosts, groups, event types and forms; return their URIs by name."""
    stage = {"Ada Winter": calendly.owner}
    for member in MEMBERS:
        stage[member.name] = calendly.add_member(
            name=member.name, email=member.email, role=member.role, timezone=member.timezone
        )
    teams: dict[str, list[str]] = {}
    for member in MEMBERS:
        teams.setdefault(member.team, []).append(stage[member.name])
    for name, users in teams.items():
        calendly.add_group(name=name, members=users)
    for name, told in TYPES.items():
        options = {"name": name, **told}
        host = options.pop("host", None)
        options["hosts"] = [stage[host]] if host else teams[options["team"]]
        stage[name] = calendly.add_event_type(owner=options["hosts"][0], **options)
    given_up = calendly.add_event_type(owner=calendly.owner, name="Walk-in", duration=15)
    calendly.delete_event_type(uri=given_up)
    for name, questions in FORMS.items():
        stage[name] = calendly.add_routing_form(name=name, questions=questions)
    return stage


def zone_of(event_type: str) -> str:
    """Return the IANA time zone of an event type's hours."""
    host, team = TYPES[event_type].get("host"), TYPES[event_type].get("team")
    zones = (one.timezone for one in MEMBERS if host == one.name or team == one.team)
    return next(zones, "Europe/Berlin")
