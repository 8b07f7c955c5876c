"""What the events of life do to the records, and what they leave alone.

After Calendly's API reference, and after payloads that its API was seen to answer with.
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization.state import Record

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
START = datetime(2026, 3, 10, 14, 30, tzinfo=timezone.utc)

NOT_MADE_YET = {"status": "initiated", "join_url": None, "data": None}

EVENT_FIELDS = {
    *("uri", "name", "meeting_notes_plain", "meeting_notes_html", "status", "start_time"),
    *("end_time", "event_type", "location", "invitees_counter", "created_at", "updated_at"),
    *("event_memberships", "event_guests", "calendar_event"),
}
INVITEE_FIELDS = {
    *("uri", "email", "first_name", "last_name", "name", "status", "questions_and_answers"),
    *("timezone", "event", "created_at", "updated_at", "tracking", "text_reminder_number"),
    *("rescheduled", "old_invitee", "new_invitee", "cancel_url", "reschedule_url"),
    *("routing_form_submission", "payment", "no_show", "reconfirmation", "scheduling_method"),
    "invitee_scheduled_by",
}


class Office:
    """An organization with one solo and one group event type."""

    def __init__(self) -> None:
        """Open it on a Monday morning."""
        self.clock = SimulatedClock(NOW)
        self.calendly = Calendly(self.clock)
        self.host = self.calendly.add_member(name="Bo Berg", email="bo@office.example")
        self.intro = self.calendly.add_event_type(
            owner=self.host, name="Intro", duration=30, locations=[{"kind": "zoom_conference"}]
        )
        self.course = self.calendly.add_event_type(
            owner=self.host, name="Course", duration=60, kind="group", limit=3
        )
        self.later()

    def later(self, **delta: float) -> None:
        """Let time pass: an hour, if not told otherwise."""
        self.clock.advance(timedelta(**delta) if delta else timedelta(hours=1))

    def booked(self, event_type: str = "", email: str = "kim@guest.example") -> tuple[str, str]:
        """Book the introduction, or another event type, and let an hour pass."""
        made = self.calendly.book(
            event_type=event_type or self.intro,
            start=START,
            name="Kim Guest",
            email=email,
            answers={"Why?": "Because"},
        )
        self.later()
        return made

    def event(self, uri: str) -> Record:
        """Return the event as it is now."""
        return self.calendly.events[uri]

    def invitee(self, uri: str) -> Record:
        """Return the invitee as he is now."""
        every = (one for each in self.calendly.invitees.values() for one in each)
        return next(one for one in every if one["uri"] == uri)


@pytest.fixture
def office() -> Office:
    return Office()


def changed(before: Record, after: Record) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_a_booking_has_the_fields_of_the_reference_and_no_cancellation(office: Office) -> None:
    event, invitee = office.booked()
    assert office.event(event).keys() == EVENT_FIELDS
    assert office.invitee(invitee).keys() == INVITEE_FIELDS
    assert office.event(event)["start_time"] == "2026-03-10T14:30:00.000000Z"
    assert office.event(event)["end_time"] == "2026-03-10T15:00:00.000000Z"
    assert office.event(event)["invitees_counter"] == {"total": 1, "active": 1, "limit": 1}
    assert invitee.startswith(f"{event}/invitees/")
    assert event.startswith("https://api.calendly.com/scheduled_events/")


def test_a_solo_event_type_makes_a_new_event_for_every_booking(office: Office) -> None:
    first, _ = office.booked()
    second, _ = office.booked(email="lee@guest.example")
    assert first != second


@pytest.mark.parametrize("by", ["host", "invitee"])
def test_canceling_moves_the_event_and_its_invitee(office: Office, by: str) -> None:
    event, invitee = office.booked()
    before = deepcopy((office.event(event), office.invitee(invitee)))
    if by == "host":
        office.calendly.cancel(event=event, reason="Ill")
    else:
        office.calendly.cancel(invitee=invitee, by="invitee", reason="Ill")
    after = (office.event(event), office.invitee(invitee))
    assert changed(before[0], after[0]) == {
        *("status", "cancellation", "updated_at", "invitees_counter"),
    }
    assert changed(before[1], after[1]) == {"status", "cancellation", "updated_at"}
    for record in after:
        assert record["status"] == "canceled"
        assert record["cancellation"]["canceler_type"] == by
        assert record["cancellation"]["reason"] == "Ill"
        assert record["cancellation"]["canceled_by"] == ("Bo Berg" if by == "host" else "Kim Guest")
        assert record["cancellation"]["created_at"] < record["updated_at"]
    assert after[0]["invitees_counter"] == {"total": 1, "active": 0, "limit": 1}


def test_a_no_show_mark_moves_no_updated_at_and_neither_does_taking_it_back(
    office: Office,
) -> None:
    event, invitee = office.booked()
    untouched = deepcopy((office.event(event), office.invitee(invitee)))
    mark = office.calendly.mark_no_show(invitee=invitee)
    assert office.event(event) == untouched[0]
    assert changed(untouched[1], office.invitee(invitee)) == {"no_show"}
    assert office.invitee(invitee)["no_show"]["uri"] == mark
    assert office.calendly.no_shows[mark] == {
        "uri": mark,
        "invitee": invitee,
        "created_at": office.invitee(invitee)["no_show"]["created_at"],
    }
    office.calendly.unmark_no_show(invitee=invitee)
    assert (office.event(event), office.invitee(invitee)) == untouched
    assert office.calendly.no_shows == {}
    assert office.calendly.mark_no_show(invitee=invitee) != mark


def test_rescheduling_cancels_the_old_booking_and_links_it_with_the_new_one(
    office: Office,
) -> None:
    events, invitees = ([one] for one in office.booked())
    for days in (1, 2):
        made = office.calendly.reschedule(invitee=invitees[-1], start=START + timedelta(days=days))
        events.append(made[0])
        invitees.append(made[1])
        office.later()
    chain = [office.invitee(uri) for uri in invitees]
    assert [one["status"] for one in chain] == ["canceled", "canceled", "active"]
    assert [one["rescheduled"] for one in chain] == [True, True, False]
    assert [one["old_invitee"] for one in chain] == [None, *invitees[:2]]
    assert [one["new_invitee"] for one in chain] == [*invitees[1:], None]
    assert ["cancellation" in one for one in chain] == [True, True, False]
    assert [office.event(uri)["status"] for uri in events] == ["canceled", "canceled", "active"]
    assert len(set(events)) == 3
    assert {(one["name"], one["email"]) for one in chain} == {("Kim Guest", "kim@guest.example")}
    assert all(one["questions_and_answers"] == chain[0]["questions_and_answers"] for one in chain)
    assert chain[0]["updated_at"] > chain[0]["created_at"]


def test_a_rescheduled_conference_gets_a_link_of_its_own(office: Office) -> None:
    event, invitee = office.booked()
    office.calendly.push_conference_link(event=event)
    new, _ = office.calendly.reschedule(invitee=invitee, start=START + timedelta(days=1))
    assert office.event(new)["location"] == {"type": "zoom", **NOT_MADE_YET}
    office.calendly.push_conference_link(event=new)
    links = {office.event(uri)["location"]["join_url"] for uri in (event, new)}
    assert len(links) == 2


def test_a_group_event_takes_invitees_until_no_seat_is_left(office: Office) -> None:
    event, _ = office.booked(office.course)
    same, _ = office.booked(office.course, "lee@guest.example")
    office.calendly.join(event=event, name="Mia", email="mia@guest.example")
    assert same == event
    assert office.event(event)["invitees_counter"] == {"total": 3, "active": 3, "limit": 3}
    assert [one["email"] for one in office.calendly.invitees[event]] == [
        *("kim@guest.example", "lee@guest.example", "mia@guest.example"),
    ]
    with pytest.raises(ValueError, match="no seat is left"):
        office.booked(office.course, "noa@guest.example")


def test_one_of_several_who_leaves_changes_the_event_by_its_counter_alone(office: Office) -> None:
    event, first = office.booked(office.course)
    _, second = office.booked(office.course, "lee@guest.example")
    before = deepcopy((office.event(event), office.invitee(second)))
    office.calendly.leave(invitee=first)
    assert changed(before[0], office.event(event)) == {"invitees_counter"}
    assert office.event(event)["invitees_counter"] == {"total": 2, "active": 1, "limit": 3}
    assert office.invitee(first)["status"] == "canceled"
    assert office.invitee(first)["cancellation"]["canceler_type"] == "invitee"
    assert office.invitee(first)["updated_at"] > office.invitee(first)["created_at"]
    assert office.invitee(second) == before[1]


def test_the_last_one_who_leaves_cancels_the_event(office: Office) -> None:
    event, invitee = office.booked(office.course)
    office.calendly.leave(invitee=invitee)
    assert office.event(event)["status"] == "canceled"
    assert office.event(event)["cancellation"]["canceler_type"] == "invitee"


def test_a_canceled_group_event_leaves_those_alone_who_had_left_before(office: Office) -> None:
    event, first = office.booked(office.course)
    _, second = office.booked(office.course, "lee@guest.example")
    office.calendly.leave(invitee=first)
    left = deepcopy(office.invitee(first))
    office.later()
    office.calendly.cancel(event=event)
    assert office.invitee(first) == left
    assert office.invitee(second)["cancellation"]["canceler_type"] == "host"
    assert office.event(event)["invitees_counter"] == {"total": 2, "active": 0, "limit": 3}


def test_rescheduling_one_of_several_leaves_the_old_event_active(office: Office) -> None:
    event, first = office.booked(office.course)
    office.booked(office.course, "lee@guest.example")
    new, _ = office.calendly.reschedule(invitee=first, start=START + timedelta(days=7))
    assert office.event(event)["status"] == "active"
    assert "cancellation" not in office.event(event)
    assert office.event(event)["invitees_counter"]["active"] == 1
    assert office.event(new)["invitees_counter"] == {"total": 1, "active": 1, "limit": 3}
    assert office.invitee(first)["rescheduled"]


@pytest.mark.parametrize("moves", [False, True])
def test_a_conference_link_comes_by_stages_and_moves_updated_at_only_if_told(
    office: Office, *, moves: bool
) -> None:
    event, _ = office.booked()
    before = deepcopy(office.event(event))
    assert before["location"]["status"] == "initiated"
    office.calendly.push_conference_link(event=event, status="processing", moves_updated_at=moves)
    assert office.event(event)["location"]["status"] == "processing"
    assert office.event(event)["location"]["join_url"] is None
    office.calendly.push_conference_link(event=event, moves_updated_at=moves)
    location = office.event(event)["location"]
    assert location["status"] == "pushed"
    assert location["join_url"].startswith("https://")
    assert location["data"]["password"]
    assert changed(before, office.event(event)) == {"location", *(["updated_at"] * moves)}


def test_conference_details_are_dropped_without_a_trace(office: Office) -> None:
    event, _ = office.booked()
    office.calendly.push_conference_link(event=event)
    before = deepcopy(office.event(event))
    office.later(days=190)
    office.calendly.drop_conference_details(event=event)
    assert changed(before, office.event(event)) == {"location"}
    assert office.event(event)["location"] == {"type": "zoom", **dict.fromkeys(NOT_MADE_YET)}


@pytest.mark.parametrize(
    ("choice", "location"),
    [
        ({"kind": "physical", "location": "Here"}, {"type": "physical", "location": "Here"}),
        ({"kind": "inbound_call", "phone_number": "1"}, {"type": "inbound_call", "location": "1"}),
        ({"kind": "outbound_call"}, {"type": "outbound_call", "location": None}),
        ({"kind": "custom"}, {"type": "custom", "location": None}),
        ({"kind": "ask_invitee", "location": "Mine"}, {"type": "ask_invitee", "location": "Mine"}),
        (
            {"kind": "google_conference"},
            {"type": "google_conference", "status": "initiated", "join_url": None},
        ),
        (
            {"kind": "gotomeeting_conference"},
            {"type": "gotomeeting", **NOT_MADE_YET},
        ),
        (None, None),
    ],
)
def test_a_booking_takes_place_where_the_invitee_chose(
    office: Office, choice: dict[str, str] | None, location: Record | None
) -> None:
    event, _ = office.calendly.book(
        event_type=office.intro, start=START, name="Kim", email="kim@guest.example", location=choice
    )
    assert office.event(event)["location"] == location


@pytest.mark.parametrize("moves", [True, False])
def test_notes_move_the_event_unless_told_otherwise(office: Office, *, moves: bool) -> None:
    event, _ = office.booked()
    before = deepcopy(office.event(event))
    office.calendly.edit_notes(event=event, plain="a < b,\n& c", moves_updated_at=moves)
    assert office.event(event)["meeting_notes_plain"] == "a < b,\n& c"
    assert office.event(event)["meeting_notes_html"] == "<p>a &lt; b,<br>&amp; c</p>"
    assert changed(before, office.event(event)) == {
        *("meeting_notes_plain", "meeting_notes_html", *(["updated_at"] * moves)),
    }


def test_an_erased_invitee_stays_without_address_name_and_answers(office: Office) -> None:
    event, invitee = office.booked()
    other, again = office.booked()
    bystander = deepcopy(office.invitee(office.booked(email="lee@guest.example")[1]))
    before = deepcopy((office.event(event), office.event(other), office.invitee(invitee)))
    office.calendly.scrub_invitee(email="kim@guest.example")
    erased = office.invitee(invitee)
    assert re.fullmatch(r"[0-9a-f]+@deleted\.calendly\.com", erased["email"])
    assert erased["name"] is None
    assert erased["questions_and_answers"] == []
    assert changed(before[2], erased) == {"email", "name", "questions_and_answers"}
    assert office.invitee(again)["email"] == erased["email"]
    assert (office.event(event), office.event(other)) == before[:2]
    assert office.invitee(bystander["uri"]) == bystander


def test_a_deleted_host_is_scrubbed_in_his_meetings_which_stay_as_they_are(office: Office) -> None:
    event, _ = office.booked()
    before = deepcopy(office.event(event))
    office.calendly.delete_user(user=office.host)
    after = office.event(event)
    assert changed(before, after) == {"event_memberships"}
    (host,) = after["event_memberships"]
    uuid = office.host.rsplit("/", 1)[1].lower()
    assert (host["user"], host["user_name"]) == (office.host, "deleted")
    assert host["user_email"] == f"{uuid}@deleted.calendly.com"
    assert office.host not in office.calendly.users
    assert len(office.calendly.memberships) == 1
    assert office.calendly.event_types[office.intro]["deleted_at"] is not None


def test_a_removed_member_vanishes_from_lists_and_groups_but_not_from_meetings(
    office: Office,
) -> None:
    group = office.calendly.add_group(name="Sales", members=[office.host, office.calendly.owner])
    event, _ = office.booked()
    before = deepcopy(office.event(event))
    office.calendly.remove_member(user=office.host)
    assert office.event(event) == before
    assert [one["user"]["uri"] for one in office.calendly.truth()["organization_memberships"]] == [
        office.calendly.owner
    ]
    assert office.calendly.group_members[group] == {office.calendly.owner}
    assert office.calendly.groups[group]["member_count"] == 1
    assert office.calendly.event_types[office.intro]["deleted_at"] is None
    with pytest.raises(ValueError, match="nobody is left to host"):
        office.booked()


def test_reconfirming_and_paying_move_nothing_else(office: Office) -> None:
    _, invitee = office.booked()
    before = deepcopy(office.invitee(invitee))
    office.calendly.reconfirm(invitee=invitee, confirmed=False)
    asked = office.invitee(invitee)["reconfirmation"]
    assert asked["confirmed_at"] is None
    office.later()
    office.calendly.reconfirm(invitee=invitee, confirmed=True)
    answered = office.invitee(invitee)["reconfirmation"]
    assert answered["created_at"] == asked["created_at"]
    assert answered["confirmed_at"] > asked["created_at"]
    office.calendly.pay(invitee=invitee, amount="90.50", currency="EUR")
    payment = office.invitee(invitee)["payment"]
    assert (payment["amount"], payment["currency"]) == ("90.50", "EUR")
    assert changed(before, office.invitee(invitee)) == {"reconfirmation", "payment"}


def test_an_edited_event_type_moves_and_a_deleted_one_answers_with_deleted_at(
    office: Office,
) -> None:
    before = deepcopy(office.calendly.event_types[office.intro])
    office.calendly.edit_event_type(uri=office.intro, name="Hello", duration=45)
    edited = deepcopy(office.calendly.event_types[office.intro])
    assert changed(before, edited) == {"name", "duration", "updated_at"}
    assert edited["updated_at"] > before["updated_at"]
    office.later()
    office.calendly.delete_event_type(uri=office.intro)
    deleted = office.calendly.event_types[office.intro]
    assert deleted["deleted_at"] == deleted["updated_at"] > edited["updated_at"]
    assert [one["uri"] for one in office.calendly.truth()["event_types"]] == [office.course]


def test_who_books_after_submitting_a_form_becomes_its_submitter(office: Office) -> None:
    form = office.calendly.add_routing_form(name="Talk to us", questions=[{"name": "Who?"}])
    submission = office.calendly.submit_form(
        form=form,
        answers={"Who?": "Me", "Once asked": None},
        result={"type": "event_type", "value": office.intro},
    )
    (stored,) = office.calendly.submissions[form]
    before = deepcopy(stored)
    (question,) = office.calendly.routing_forms[form]["questions"]
    assert before["submitter"] is before["submitter_type"] is None
    assert before["questions_and_answers"] == [
        {"question_uuid": question["uuid"], "question": "Who?", "answer": "Me"},
        {"question_uuid": None, "question": "Once asked", "answer": None},
    ]
    office.later()
    event, invitee = office.calendly.book_from_submission(
        submission=submission, start=START, name="Kim", email="kim@guest.example"
    )
    assert changed(before, stored) == {"submitter", "submitter_type", "updated_at"}
    assert (stored["submitter"], stored["submitter_type"]) == (invitee, "Invitee")
    assert stored["updated_at"] > before["updated_at"]
    assert office.event(event)["event_type"] == office.intro
    assert office.invitee(invitee)["routing_form_submission"] == submission


def test_deleted_event_data_vanishes_with_its_invitees_and_no_shows(office: Office) -> None:
    calendly = office.calendly
    event, invitee = office.booked(office.course)
    calendly.mark_no_show(invitee=invitee)

    calendly.delete_event_data(event=event)

    assert calendly.truth()["scheduled_events"] == []
    assert calendly.truth()["event_invitees"] == []
    assert calendly.no_shows == {}
    again, _ = office.booked(office.course)
    assert list(calendly.events) == [again]
    with pytest.raises(ValueError, match=r"unknown|no event"):
        calendly.delete_event_data(event=event)


def test_a_submission_that_led_nowhere_has_no_result(office: Office) -> None:
    form = office.calendly.add_routing_form(name="Talk to us", questions=[])
    office.calendly.submit_form(form=form, answers={}, result=None)
    (stored,) = office.calendly.submissions[form]
    assert "result" not in stored


def test_all_hosts_of_a_collective_attend_and_one_in_a_round_robin(office: Office) -> None:
    hosts = [office.host, office.calendly.owner]
    attending = {}
    for pooling in ("collective", "round_robin"):
        event_type = office.calendly.add_event_type(
            owner=office.host, name=pooling, duration=30, hosts=hosts, pooling_type=pooling
        )
        event, _ = office.booked(event_type)
        attending[pooling] = [one["user"] for one in office.event(event)["event_memberships"]]
    assert attending["collective"] == hosts
    assert len(attending["round_robin"]) == 1
    assert set(attending["round_robin"]) <= set(hosts)


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (lambda one, uri: one.cancel(event=uri), "canceled already"),
        (lambda one, uri: one.reschedule(invitee=f"{uri}/invitees/x", start=START), "no invitee"),
        (lambda one, uri: one.join(event=uri, name="Li", email="li@guest.example"), "canceled"),
        (lambda one, _: one.mark_no_show(invitee="nobody"), "no invitee"),
        (lambda one, _: one.edit_notes(event="nothing", plain="-"), "no event"),
        (lambda one, _: one.scrub_invitee(email="nobody@guest.example"), "no invitee"),
        (lambda one, _: one.remove_member(user=one.owner), "the owner cannot leave"),
        (lambda one, _: one.cancel(), "either an event or an invitee"),
        (lambda one, _: one.delete_event_type(uri="nothing"), "no event type"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_changes_nothing(
    office: Office, deed: Callable[[Calendly, str], object], sentence: str
) -> None:
    event, _ = office.booked()
    office.calendly.cancel(event=event)
    before = office.calendly.truth()
    with pytest.raises(ValueError, match=sentence):
        deed(office.calendly, event)
    assert office.calendly.truth() == before


def test_a_start_without_an_offset_is_refused(office: Office) -> None:
    with pytest.raises(ValueError, match="no offset from UTC"):
        office.calendly.book(
            event_type=office.intro,
            start=START.replace(tzinfo=None),
            name="Kim",
            email="kim@guest.example",
        )


def test_timestamps_have_microseconds_keep_their_order_and_stay_within_a_second(
    office: Office,
) -> None:
    stamps = []
    for number in range(20):
        event, invitee = office.calendly.book(
            event_type=office.intro, start=START, name="Kim", email=f"{number}@guest.example"
        )
        stamps += [office.event(event)["created_at"], office.invitee(invitee)["created_at"]]
    assert stamps == sorted(set(stamps))
    moments = [datetime.fromisoformat(stamp.replace("Z", "+00:00")) for stamp in stamps]
    now = office.clock.now()
    assert all(now < moment < now + timedelta(seconds=1) for moment in moments)
    assert all(re.fullmatch(r"[-\d]{10}T[\d:]{8}\.\d{6}Z", stamp) for stamp in stamps)


def test_the_same_life_from_the_same_seed_gives_the_same_records() -> None:
    def life(seed: int) -> dict[str, list[Record]]:
        calendly = Calendly(SimulatedClock(NOW), seed=seed)
        event_type = calendly.add_event_type(owner=calendly.owner, name="Intro", duration=30)
        calendly.book(event_type=event_type, start=START, name="Kim", email="kim@guest.example")
        return calendly.truth()

    assert life(1) == life(1)
    uris = [{one["uri"] for each in life(seed).values() for one in each} for seed in (1, 2)]
    assert uris[0].isdisjoint(uris[1])


def test_the_truth_is_a_copy(office: Office) -> None:
    event, _ = office.booked()
    office.calendly.truth()["scheduled_events"][0]["invitees_counter"]["active"] = 99
    assert office.event(event)["invitees_counter"]["active"] == 1


def test_a_simulated_clock_never_runs_backwards() -> None:
    clock = SimulatedClock(NOW)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(NOW)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NOW + timedelta(minutes=1)
