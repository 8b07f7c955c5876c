"""What happens around a booking: each story is a generator of deeds, in order of time.

A story only decides: it yields what to do and when, and is sent the result. It uses only its own
dice, so it takes the same course however far it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.demo import cast
from sandbox.demo.quarters import Quarter
from sandbox.demo.scenes import DAY, HOUR, MINUTE, Chapter, Deed, Scene, Story

if TYPE_CHECKING:
    from collections.abc import Callable

DETAILS_KEPT = timedelta(days=183)
RECAPPED = timedelta(minutes=17, seconds=13)
REMINDED = timedelta(hours=3, minutes=11, seconds=17)
"""Odd, so that neither happens at the same time as something else."""

LINKS_THAT_FAIL = 0.03
NOTES_REWRITTEN = 0.3
MARKS_TAKEN_BACK = 0.1
CANCELED_BY_HOSTS = 0.3
CANCELED_AFTER_MOVES = 0.25
PAID_IN_DOLLARS = 0.4
ANSWERED = 0.85
FORM_ABOUT = {"Intro call": cast.ENQUIRY, "Interview": cast.CAREERS}
MOVED_BY_HOSTS_TO = {"Intro call": "Product demo"}
"""The event type that hosts choose instead when they move a meeting."""

FIRST_DAYS, LAST_DAYS = 1, 60
"""The days of a quarter on which meetings with its freelancer are booked."""

WEBINAR_SLOTS = 32


def booking(
    scene: Scene,
    at: datetime,
    start: datetime,
    person: cast.Person | None = None,
    **details: object,
) -> Chapter:
    """Tell how somebody books, and how the conference gets its link soon after."""
    person = person or cast.visitor(scene.dice)
    told = {
        "start": start,
        "name": person.name,
        "email": person.email,
        "location": scene.location,
        "timezone": scene.dice.choice(cast.VISITOR_ZONES),
        "tracking": scene.source.tracking,
        "answers": answers(scene),
        **details,
    }
    if "submission" in told:
        event, invitee = yield Deed(at, "book_from_submission", told)
    else:
        told["event_type"] = scene.stage[scene.event_type]
        event, invitee = yield Deed(at, "book", told)
    yield from linking(scene, event, at)
    return event, invitee


def linking(scene: Scene, event: str, at: datetime) -> Story:
    """Tell how a conference gets its link, seconds after the booking."""
    if not scene.online:
        return
    status = "failed" if scene.dice.random() < LINKS_THAT_FAIL else "pushed"
    link = {"event": event, "moves_updated_at": scene.dice.choice((True, False))}
    begun = at + timedelta(seconds=scene.dice.uniform(0.5, 2))
    yield Deed(begun, "push_conference_link", {**link, "status": "processing"})
    done = at + timedelta(seconds=scene.dice.uniform(2.5, 90))
    yield Deed(done, "push_conference_link", {**link, "status": status})


def ending(
    scene: Scene, invitee: str, at: datetime, start: datetime, canceled: float | None = None
) -> Story:
    """Tell whether a meeting booked at ``at`` is canceled, missed or, in most cases, held."""
    habits = cast.HABITS[scene.event_type]
    chance = scene.dice.random()
    if chance < (habits.canceled if canceled is None else canceled):
        by = "host" if scene.dice.random() < CANCELED_BY_HOSTS else "invitee"
        yield canceling(scene, at, start, {"invitee": invitee, "by": by})
    elif 1 - chance < habits.no_shows * scene.source.no_shows:
        yield Deed(start + HOUR, "mark_no_show", {"invitee": invitee})


def canceling(scene: Scene, at: datetime, start: datetime, what: dict[str, str]) -> Deed:
    """Return the deed of canceling a meeting booked at ``at``."""
    reason = scene.dice.choice(cast.REASONS)
    return Deed(scene.between(at + HOUR, start - HOUR), "cancel", {**what, "reason": reason})


def forgetting(scene: Scene, event: str, start: datetime) -> Story:
    """Tell how a conference loses its details, half a year later."""
    if scene.online:
        yield Deed(start + DETAILS_KEPT, "drop_conference_details", {"event": event})


def held(scene: Scene) -> Story:
    """Tell of a meeting that in most cases takes place as booked."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, invitee = yield from booking(scene, at, start)
    yield from ending(scene, invitee, at, start)
    yield from forgetting(scene, event, start)


def talked(scene: Scene) -> Story:
    """Tell of a meeting with a recap, which in one deck of five stays unavailable."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, _ = yield from booking(scene, at, start)
    recap = yield Deed(start + RECAPPED, "start_recap", {"event": event})
    if scene.deck % 5:
        note = cast.NOTES[scene.deck % len(cast.NOTES)]
        texts = {"summary": f"## Summary\n{note}", "action_items": "- [ ] Send *the* offer"}
        told = {"recap": recap, "transcript": f"Ada: Hello!\nGuest: {note}", **texts}
        yield Deed(start + RECAPPED + MINUTE, "finish_recap", told)
        if scene.deck % 2:
            yield Deed(start + RECAPPED + HOUR, "share_recap", {"recap": recap})
    else:
        gone = {"recap": recap, "status": "unavailable"}
        yield Deed(start + RECAPPED + MINUTE, "change_recap", gone)


def noted(scene: Scene) -> Story:
    """Tell of a meeting with notes, some of them rewritten a day later."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, _ = yield from booking(scene, at, start)
    note = cast.NOTES[scene.deck % len(cast.NOTES)]
    yield Deed(start + HOUR, "edit_notes", {"event": event, "plain": note})
    if scene.dice.random() < NOTES_REWRITTEN:
        yield Deed(start + DAY, "edit_notes", {"event": event, "plain": f"{note}\nSent the offer."})
    yield from forgetting(scene, event, start)


def missed(scene: Scene) -> Story:
    """Tell of a no-show; some of the marks are taken back."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, invitee = yield from booking(scene, at, start, cast.no_shower(scene.dice))
    yield Deed(start + HOUR, "mark_no_show", {"invitee": invitee})
    if scene.dice.random() < MARKS_TAKEN_BACK:
        yield Deed(start + DAY, "unmark_no_show", {"invitee": invitee})
    yield from forgetting(scene, event, start)


def called_off(scene: Scene) -> Story:
    """Tell of a meeting that the invitee cancels."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, invitee = yield from booking(scene, at, start)
    yield canceling(scene, at, start, {"invitee": invitee, "by": "invitee"})
    yield from forgetting(scene, event, start)


def host_ill(scene: Scene) -> Story:
    """Tell of a meeting that the host cancels."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, _ = yield from booking(scene, at, start)
    yield canceling(scene, at, start, {"event": event, "by": "host"})
    yield from forgetting(scene, event, start)


def moved(scene: Scene, times: int = 1) -> Story:
    """Tell of a meeting that is rescheduled, once or more often."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, invitee = yield from booking(scene, at, start)
    meetings = [(event, start)]
    for turn in range(times):
        at = scene.between(at + HOUR, start - HOUR)
        start = scene.opening((start.date() - scene.day).days + scene.dice.randint(2, 9))
        told = {"invitee": invitee, "start": start, "by": "invitee"}
        if (scene.deck + turn) % 3 == 0:
            other = MOVED_BY_HOSTS_TO.get(scene.event_type, scene.event_type)
            told |= {"by": "host", "event_type": scene.stage[other]}
        event, invitee = yield Deed(at, "reschedule", told)
        yield from linking(scene, event, at)
        meetings.append((event, start))
    yield from ending(scene, invitee, at, start, CANCELED_AFTER_MOVES)
    for event, start in meetings:
        yield from forgetting(scene, event, start)


def moved_often(scene: Scene) -> Story:
    """Tell of a meeting that is rescheduled two to four times."""
    yield from moved(scene, times=2 + scene.deck % 3)


def webinar(scene: Scene) -> Story:
    """Tell of a group meeting: one invitee leaves, others do not appear.

    Every webinar has a time of its own, so that no two stories share one.
    """
    at = scene.sometime()
    start = scene.opening(scene.lead(), minutes=15 * (scene.deck % WEBINAR_SLOTS))
    event, invitee = yield from booking(scene, at, start)
    seats = sorted(scene.between(at + HOUR, start - DAY) for _ in range(scene.dice.randint(4, 11)))
    endings = []
    for moment in seats:
        person = cast.visitor(scene.dice)
        joining = replace(scene, source=scene.dice.choice(cast.SOURCES))
        told = {
            "event": event,
            "name": person.name,
            "email": person.email,
            "timezone": scene.dice.choice(cast.VISITOR_ZONES),
            "tracking": joining.source.tracking,
        }
        one = yield Deed(moment, "join", told)
        endings.append(ending(joining, one, moment, start))
    yield Deed(start - DAY + HOUR, "leave", {"invitee": invitee, "reason": "Double-booked"})
    for each in endings:
        yield from each
    yield from forgetting(scene, event, start)


def paid(scene: Scene) -> Story:
    """Tell of a paid meeting: the amount is a number, or a string."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    event, invitee = yield from booking(scene, at, start)
    amount = scene.dice.choice((90, 120, 249)) + 0.5
    told = {
        "amount": amount if scene.deck % 2 else f"{amount:.2f}",
        "currency": "USD" if scene.dice.random() < PAID_IN_DOLLARS else "EUR",
    }
    yield Deed(at + 5 * MINUTE, "pay", {"invitee": invitee, **told})
    yield from ending(scene, invitee, at, start)
    yield from forgetting(scene, event, start)


def accompanied(scene: Scene) -> Story:
    """Tell of an invitee who brings guests."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    guests = [cast.visitor(scene.dice).email for _ in range(scene.dice.randint(1, 3))]
    event, invitee = yield from booking(scene, at, start, guests=guests)
    asked = max(at + HOUR, start - DAY)
    yield Deed(asked, "reconfirm", {"invitee": invitee, "confirmed": False})
    if scene.deck % 2:
        answered = scene.between(asked, start - HOUR)
        yield Deed(answered, "reconfirm", {"invitee": invitee, "confirmed": True})
        at = answered
    if at < start - REMINDED:
        told = {"subject": 'Soon: your "onboarding"', "body": "Hello,\nwe meet in 3 hours. 👋"}
        yield Deed(start - REMINDED, "send_message", {"invitee": invitee, **told})
    yield from forgetting(scene, event, start)


def on_behalf(scene: Scene) -> Story:
    """Tell of a meeting that a host books for somebody, with first and last name."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    person = cast.visitor(scene.dice)
    first, _, last = person.name.partition(" ")
    event, invitee = yield from booking(
        scene,
        at,
        start,
        person,
        first_name=first,
        last_name=last,
        text_reminder_number=f"+1 555 01{scene.dice.randrange(100):02d}",
        scheduling_method=scene.dice.choice(("instant_book", "api")),
        invitee_scheduled_by=scene.stage["Carmen Ortega"],
    )
    told = {"kind": "sms", "body": "See you in 3 hours!", "sender": scene.stage["Carmen Ortega"]}
    yield Deed(start - REMINDED, "send_message", {"invitee": invitee, **told})
    yield from forgetting(scene, event, start)


def erased(scene: Scene) -> Story:
    """Tell of an invitee who later asks to be erased."""
    at, start = scene.sometime(), scene.opening(scene.lead())
    person = cast.visitor(scene.dice)
    event, _ = yield from booking(scene, at, start, person)
    yield Deed(start + 12 * DAY, "scrub_invitee", {"email": person.email})
    yield from forgetting(scene, event, start)


def routed(scene: Scene) -> Story:
    """Tell of a visitor who books the event type that a form led to."""
    at, start = scene.sometime(), scene.opening(scene.lead() + 1)
    person = cast.visitor(scene.dice)
    value = scene.stage[scene.event_type]
    submission = yield submitting(scene, at, person, {"type": "event_type", "value": value})
    later = at + 2 * MINUTE * 720 ** scene.dice.random()
    event, invitee = yield from booking(scene, later, start, person, submission=submission)
    yield from ending(scene, invitee, later, start)
    yield from forgetting(scene, event, start)


def routed_in_vain(scene: Scene) -> Story:
    """Tell of visitors whom a form led elsewhere, or who do not book."""
    ways: tuple[dict[str, object] | None, ...] = (
        {"type": "external_url", "value": "https://windmill.example/pricing?from=form&plan=pro"},
        {
            "type": "custom_message",
            "value": {"headline": "Thank you!", "body": 'We will "be in touch",\nsoon.'},
        },
        {"type": "event_type", "value": scene.stage[scene.event_type]},
        None,
    )
    at = scene.sometime()
    for turn in range(3):
        way = ways[(scene.deck + turn) % len(ways)]
        yield submitting(scene, at + turn * HOUR, cast.visitor(scene.dice), way)


def submitting(
    scene: Scene, at: datetime, person: cast.Person, result: dict[str, object] | None
) -> Deed:
    """Return the deed of submitting a form."""
    name = FORM_ABOUT[scene.event_type]
    told: dict[str, str | None] = {"E-mail": person.email}
    if name == cast.ENQUIRY:
        told = {
            "Name": person.name,
            **told,
            cast.SIZE_QUESTION: scene.dice.choice(("1-10", "11-100", "more than 100")),
            "Anything else?": scene.dice.choice((None, 'A, B & C\nand "D"')),
        }
    arguments = {"form": scene.stage[name], "answers": told, "result": result}
    return Deed(at, "submit_form", {**arguments, "tracking": scene.source.tracking})


def freelancer_hosts(scene: Scene) -> Story:
    """Tell of a meeting with the quarter's freelancer, in the weeks they are there."""
    quarter = Quarter.of(scene.day)
    if not FIRST_DAYS <= (scene.day - quarter.begins).days <= LAST_DAYS:
        yield from held(scene)
        return
    at, start = scene.sometime(), scene.opening(scene.dice.randint(2, 9))
    nowhere = replace(scene, event_type=quarter.freelancer, location=None)
    yield from booking(nowhere, at, start)


def answers(scene: Scene) -> dict[str, str]:
    """Return an invitee's answers; several choices are one string of several lines."""
    asked = cast.TYPES.get(scene.event_type, {}).get("custom_questions", ())
    given = {}
    if cast.GOAL_AND_TOPICS[0] in asked:
        topics = scene.dice.sample(cast.TOPICS, 2)
        goal = scene.dice.choice(cast.GOALS)
        given = {cast.GOAL_QUESTION: goal, cast.TOPICS_QUESTION: "\n".join(topics)}
    if asked is cast.QUESTIONS and scene.dice.random() < ANSWERED:
        given[cast.HEARD_QUESTION] = scene.dice.choice(cast.HEARD)
    return given


@dataclass(frozen=True)
class Card:
    """A story, and the event type and location it is about."""

    plot: Callable[[Scene], Story]
    event_type: str
    location: dict[str, str] | None


DECK = (
    Card(missed, "Intro call", cast.ZOOM),
    Card(talked, "Product demo", cast.GOOGLE),
    Card(held, "Product demo", cast.ZOOM),
    Card(held, "Onboarding", cast.TEAMS),
    Card(talked, "One-off", cast.CAFE),
    Card(talked, "One-off", cast.YOUR_PLACE | {"location": "At ours, 2nd floor"}),
    *7 * (Card(held, "Account review", cast.TEAMS),),
    Card(held, "Support session", cast.GOTO),
    Card(held, "Support session", cast.WE_CALL | {"phone_number": "+61 491 570 006"}),
    Card(held, "Interview", cast.OFFICE),
    Card(held, "Interview", cast.OFFICE),
    Card(called_off, "Product demo", cast.ZOOM),
    Card(called_off, "Support session", cast.GOTO),
    Card(host_ill, "Account review", cast.TEAMS),
    Card(moved, "Intro call", cast.ZOOM),
    Card(moved, "Onboarding", cast.TEAMS),
    Card(moved_often, "Product demo", cast.GOOGLE),
    Card(webinar, "Webinar: first steps", cast.ZOOM),
    Card(paid, "Consultation", cast.WEBEX),
    Card(paid, "Consultation", cast.WEBEX),
    Card(accompanied, "Onboarding", cast.TEAMS),
    Card(on_behalf, "Intro call", cast.GOOGLE),
    Card(erased, "Product demo", cast.ZOOM),
    Card(noted, "Product demo", cast.GOOGLE),
    Card(noted, "Intro call", cast.ZOOM),
    Card(routed, "Intro call", cast.ZOOM),
    Card(routed, "Interview", cast.OFFICE),
    Card(routed_in_vain, "Intro call", None),
    Card(routed_in_vain, "Interview", None),
    Card(freelancer_hosts, "Intro call", cast.ZOOM),
    Card(freelancer_hosts, "Support session", cast.GOTO),
    Card(held, "Intro call", cast.ZOOM),
    Card(held, "Intro call", cast.WE_CALL),
    Card(held, "Intro call", cast.CALL_US),
)
"""Everything happens at least once in a deck, whatever the order."""
