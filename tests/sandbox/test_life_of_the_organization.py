"""Life events of members, event types and forms; and what all life events have in common."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests.sandbox.office import NOW, START, Office, changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization.state import Record


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


def test_a_deleted_event_type_that_a_meeting_names_is_among_the_expected_rows(
    office: Office,
) -> None:
    office.booked()
    office.calendly.delete_event_type(uri=office.intro)
    expected = office.calendly.truth()["event_types"]

    assert [one["uri"] for one in expected] == [office.intro, office.course]


def test_a_visitor_who_books_after_submitting_a_form_becomes_its_submitter(office: Office) -> None:
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


def test_a_submission_that_leads_nowhere_has_no_result(office: Office) -> None:
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
def test_an_impossible_life_event_is_refused_with_a_reason_and_changes_nothing(
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


def test_a_simulated_clock_never_goes_back() -> None:
    clock = SimulatedClock(NOW)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(NOW)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NOW + timedelta(minutes=1)
