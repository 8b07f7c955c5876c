"""What webhooks tell, and to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from tests.sandbox.office import START, Office
from tests.sandbox.receiver import Receiver, subscribe, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Deed = Callable[[Office], object]


@pytest.fixture
def sandbox(office: Office) -> Iterator[Sandbox]:
    with Sandbox(office.calendly) as running:
        yield running


def group_meeting(office: Office) -> tuple[str, list[str]]:
    """Return a group meeting and its three invitees, of whom the first has left."""
    event, _ = office.booked(office.course, "0@guest.example")
    for number in (1, 2):
        office.calendly.join(event=event, name="Joe", email=f"{number}@guest.example")
    invitees = [one["uri"] for one in office.calendly.invitees[event]]
    office.calendly.leave(invitee=invitees[0])
    return event, invitees


def no_show(office: Office) -> str:
    _, invitee = office.booked()
    office.calendly.mark_no_show(invitee=invitee)
    return invitee


# Which changes


def test_bookings_and_seats_are_told(office: Office, sandbox: Sandbox, receiver: Receiver) -> None:
    subscribe(office.calendly, receiver.url)
    calendly = office.calendly

    booked = told(sandbox, receiver, office.booked)
    event, invitees = group_meeting(office)
    joined = told(
        sandbox, receiver, lambda: calendly.join(event=event, name="Jo", email="3@guest.example")
    )
    left = told(sandbox, receiver, lambda: calendly.leave(invitee=invitees[1]))
    moved_seat = told(
        sandbox,
        receiver,
        lambda: calendly.reschedule(invitee=invitees[2], start=START + timedelta(days=1)),
    )

    assert [one for one, _ in booked] == ["invitee.created"]
    assert [one for one, _ in joined] == ["invitee.created"]
    assert [(one, payload["uri"]) for one, payload in left] == [("invitee.canceled", invitees[1])]
    assert [one for one, _ in moved_seat] == ["invitee.canceled", "invitee.created"]


def test_a_canceled_meeting_is_told_once_for_each_invitee_who_was_left(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url)
    event, (_, *left) = group_meeting(office)

    canceled = told(sandbox, receiver, lambda: office.calendly.cancel(event=event))

    assert [(one, payload["uri"]) for one, payload in canceled] == [
        ("invitee.canceled", invitee) for invitee in left
    ]
    for _, payload in canceled:
        assert payload["status"] == payload["scheduled_event"]["status"] == "canceled"
        assert payload["scheduled_event"]["invitees_counter"]["active"] == 0


def test_a_reschedule_tells_of_both_invitees_with_their_links(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url)
    _, invitee = office.booked()

    (canceled, old), (created, new) = told(
        sandbox,
        receiver,
        lambda: office.calendly.reschedule(invitee=invitee, start=START + timedelta(days=1)),
    )

    assert (canceled, created) == ("invitee.canceled", "invitee.created")
    assert (old["uri"], old["rescheduled"], old["new_invitee"]) == (invitee, True, new["uri"])
    assert (new["rescheduled"], new["old_invitee"]) == (False, invitee)
    assert old["scheduled_event"]["status"] == "canceled"
    assert new["scheduled_event"]["status"] == "active"
    assert new["questions_and_answers"] == old["questions_and_answers"] != []


def submit_and_book(office: Office) -> None:
    submission = office.calendly.submit_form(form=office.form(), answers={}, result=None)
    office.calendly.book_from_submission(
        submission=submission, event_type=office.intro, start=START, name="Al", email="a@b.example"
    )


def finish_twice(office: Office) -> None:
    made = office.recap()
    office.calendly.change_recap(recap=made, status="unavailable")
    for _ in range(2):
        office.calendly.finish_recap(recap=made, transcript="Hello.")
    office.calendly.share_recap(recap=made)
    office.calendly.change_recap(recap=made, status="processing")
    office.calendly.delete_recap(recap=made)


@pytest.mark.parametrize(
    ("deed", "events"),
    [
        (lambda one: one.calendly.cancel(invitee=one.booked()[1]), "created canceled"),
        (lambda one: one.calendly.leave(invitee=one.booked()[1]), "created canceled"),
        (no_show, "invitee.created invitee_no_show.created"),
        (
            lambda one: one.calendly.unmark_no_show(invitee=no_show(one)),
            "invitee.created invitee_no_show.created invitee_no_show.deleted",
        ),
        (submit_and_book, "routing_form_submission.created invitee.created"),
        (
            lambda one: one.calendly.add_event_type(owner=one.host, name="New", duration=15),
            "event_type.created",
        ),
        (
            lambda one: one.calendly.edit_event_type(uri=one.intro, active=False),
            "event_type.updated",
        ),
        (lambda one: one.calendly.delete_event_type(uri=one.intro), "event_type.deleted"),
        (lambda one: one.calendly.delete_user(user=one.host), "event_type.deleted " * 2),
        (Office.contact, "contact.created"),
        (
            lambda one: one.calendly.edit_contact(contact=one.contact(), name="Kim"),
            "contact.created contact.updated",
        ),
        (
            lambda one: one.calendly.delete_contact(contact=one.contact()),
            "contact.created contact.deleted",
        ),
    ],
)
def test_the_other_changes_are_told_as_they_happen(
    office: Office, sandbox: Sandbox, receiver: Receiver, deed: Deed, events: str
) -> None:
    subscribe(office.calendly, receiver.url)

    happened = told(sandbox, receiver, lambda: deed(office))

    names = [one if "." in one else f"invitee.{one}" for one in events.split()]
    assert [one for one, _ in happened] == names


def test_a_recap_is_told_of_once_it_is_finished(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url, scope="user", of=office.host)

    happened = told(sandbox, receiver, lambda: finish_twice(office))

    changes = ["created", "updated", "updated", "updated", "deleted"]
    assert [one for one, _ in happened] == [
        "invitee.created",
        *(f"meeting_recap.{one}" for one in changes),
    ]


@pytest.mark.parametrize(
    "edit",
    [
        lambda one, _event, _invitee: one.edit_notes(event=_event, plain="Note"),
        lambda one, _event, _invitee: one.push_conference_link(event=_event, moves_updated_at=True),
        lambda one, _event, _invitee: one.drop_conference_details(event=_event),
        lambda one, _event, _invitee: one.reconfirm(
            invitee=_invitee, confirmed=True, moves_updated_at=True
        ),
        lambda one, _event, _invitee: one.pay(invitee=_invitee, amount=9, currency="EUR"),
        lambda one, _event, _invitee: one.scrub_invitee(email="kim@guest.example"),
        lambda one, _event, _invitee: one.delete_event_data(event=_event),
        lambda one, _event, _invitee: one.send_message(invitee=_invitee, body="Hello"),
        lambda one, _event, _invitee: one.add_member(name="Cy", email="cy@office.example"),
        lambda one, _event, _invitee: one.start_recap(event=_event),
    ],
)
def test_what_webhooks_do_not_tell_posts_nothing(
    office: Office, sandbox: Sandbox, receiver: Receiver, edit: Callable[..., object]
) -> None:
    subscribe(office.calendly, receiver.url)
    subscribe(office.calendly, receiver.url, scope="user", of=office.host)
    event, invitee = office.booked()

    assert told(sandbox, receiver, lambda: edit(office.calendly, event, invitee)) == []


# To whom


def test_a_users_subscription_is_told_of_their_own_meetings_types_and_contacts(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    calendly = office.calendly
    subscribe(office.calendly, receiver.url, scope="user", of=calendly.owner)

    assert told(sandbox, receiver, office.booked) == []
    assert told(sandbox, receiver, office.contact) == []
    assert told(sandbox, receiver, lambda: calendly.edit_event_type(uri=office.intro)) == []

    def theirs() -> None:
        offered = calendly.add_event_type(
            owner=office.host, name="Both", duration=15, hosts=[office.host, calendly.owner]
        )
        calendly.book(event_type=offered, start=START, name="A", email="a@guest.example")
        calendly.add_contact(user=calendly.owner, email="kim@guest.example")
        own = calendly.add_event_type(owner=calendly.owner, name="Own", duration=15)
        calendly.book(event_type=own, start=START, name="A", email="a@guest.example")

    assert [one for one, _ in told(sandbox, receiver, theirs)] == [
        *("event_type.created", "contact.created", "event_type.created", "invitee.created")
    ]


def test_a_groups_subscription_is_told_of_what_its_members_host(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    calendly = office.calendly
    group = calendly.add_group(name="Sales", members=[office.host])
    other = calendly.add_group(name="Support", members=[calendly.owner])
    subscribe(office.calendly, receiver.url, scope="group", of=group)

    with Receiver() as elsewhere:
        subscribe(office.calendly, elsewhere.url, scope="group", of=other)
        hosted = told(sandbox, receiver, office.booked)
        assert elsewhere.posted == []

    assert [one for one, _ in hosted] == ["invitee.created"]


def test_a_subscription_is_told_only_of_its_events(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url, events=["invitee.canceled"])

    happened = told(sandbox, receiver, lambda: office.calendly.cancel(invitee=office.booked()[1]))

    assert [one for one, _ in happened] == ["invitee.canceled"]


def test_two_subscriptions_are_told_everything_twice(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url)
    subscribe(office.calendly, receiver.url, scope="user", of=office.host)

    created = told(sandbox, receiver, office.booked)

    assert len(created) == 2
    assert created[0] == created[1]


def test_only_subscriptions_that_are_active_at_that_moment_are_told(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    office.booked(email="before@guest.example")
    hook = subscribe(office.calendly, receiver.url)
    office.booked(email="while@guest.example")
    sandbox.deliver()
    office.calendly.fail_webhook(webhook=hook["uri"], for_good=True)
    office.booked(email="disabled@guest.example")
    assert office.calendly.announcements == []
    office.calendly.unsubscribe(webhook=hook["uri"])
    subscribe(office.calendly, receiver.url)

    assert sandbox.deliver() == []
    assert [one.payload["email"] for one in receiver.posted] == ["while@guest.example"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/all",
        "http://127.0.0.1.hooks.example/",
        "http://127.0.0.1@hooks.example/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
    ],
)
def test_nothing_is_posted_but_to_loopback_and_the_record_stays_as_it_is(
    office: Office, sandbox: Sandbox, url: str
) -> None:
    hook = office.calendly.subscribe(callback_url=url, events=["invitee.created"])
    before = dict(office.calendly.webhooks[hook])

    office.booked()

    assert sandbox.deliver() == []
    assert office.calendly.webhooks[hook] == before


def test_the_same_story_is_told_in_the_same_bytes(receiver: Receiver) -> None:
    for _ in range(2):
        office = Office()
        with Sandbox(office.calendly) as sandbox:
            subscribe(office.calendly, receiver.url)
            _, invitee = office.booked()
            office.calendly.reschedule(invitee=invitee, start=START + timedelta(days=1))
            sandbox.deliver()

    bodies = [one.body for one in receiver.posted]
    assert len(bodies) == 6
    assert bodies[:3] == bodies[3:]
