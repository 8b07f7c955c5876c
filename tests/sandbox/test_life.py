"""What life events change in the records, and what they leave alone.

After Calendly's API reference, and after payloads that its API was seen to answer with.
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.office import START, Office, changed

if TYPE_CHECKING:
    from sandbox.organization.state import Record

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


def test_rescheduling_can_change_the_event_type_and_with_it_the_host_and_the_location(
    office: Office,
) -> None:
    calendly = office.calendly
    demo = calendly.add_event_type(
        owner=calendly.owner,
        name="Demo",
        duration=60,
        locations=[{"kind": "physical", "location": "Here"}],
    )
    event, invitee = office.booked()

    new, follower = calendly.reschedule(invitee=invitee, start=START, event_type=demo, by="host")

    booked = office.event(new)
    assert (booked["event_type"], booked["name"]) == (demo, "Demo")
    assert [one["user"] for one in booked["event_memberships"]] == [calendly.owner]
    assert booked["location"] == {"type": "physical", "location": "Here"}
    assert office.invitee(follower)["old_invitee"] == invitee
    assert office.event(event)["status"] == "canceled"


def test_a_meeting_of_an_event_type_without_a_name_has_one(office: Office) -> None:
    unnamed = office.calendly.add_event_type(owner=office.host, name=None, duration=15)

    event, _ = office.booked(unnamed)

    assert office.event(event)["name"] == "One-off meeting"


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


def test_a_deleted_host_is_erased_from_their_meetings_which_stay_otherwise_unchanged(
    office: Office,
) -> None:
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
