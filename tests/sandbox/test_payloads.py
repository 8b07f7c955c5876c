"""In which shape webhooks tell what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.identifiers import last_segment
from tests.sandbox.receiver import subscribe, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.description import Description
    from tests.sandbox.office import Office
    from tests.sandbox.receiver import Receiver


@pytest.fixture
def sandbox(office: Office) -> Iterator[Sandbox]:
    with Sandbox(office.calendly) as running:
        yield running


def test_the_envelope_is_dated_in_whole_seconds_and_names_the_subscriptions_creator(
    office: Office, sandbox: Sandbox, receiver: Receiver, description: Description
) -> None:
    subscribe(office.calendly, receiver.url, creator=office.host)
    office.booked()
    sandbox.deliver()

    (delivery,) = receiver.posted

    assert description.record_complaints("WebhookPayload", delivery.told) == []
    assert list(delivery.told) == ["event", "created_at", "created_by", "payload"]
    assert delivery.told["created_by"] == office.host
    assert delivery.told["created_at"].endswith(":00.000000Z")
    assert delivery.told["created_at"] < delivery.payload["created_at"]
    assert delivery.told["created_at"][:19] == delivery.payload["created_at"][:19]


def test_an_invitees_payload_is_the_invitee_with_the_meeting_as_far_as_webhooks_tell_it(
    office: Office, sandbox: Sandbox, receiver: Receiver, description: Description
) -> None:
    subscribe(office.calendly, receiver.url)
    event, invitee = office.booked()
    sandbox.deliver()
    (delivery,) = receiver.posted

    told_invitee = {key: one for key, one in delivery.payload.items() if key != "scheduled_event"}
    meeting = delivery.payload["scheduled_event"]

    assert description.record_complaints("InviteePayload", delivery.payload) == []
    assert told_invitee == office.invitee(invitee)
    assert meeting.keys() ^ office.event(event).keys() == {"calendar_event"}
    (host,) = meeting["event_memberships"]
    assert host.keys() == {"user", "user_email", "user_name"}


def test_a_payload_is_what_was_true_when_it_happened(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url)
    event, invitee = office.booked()
    office.calendly.edit_notes(event=event, plain="Later")
    office.calendly.cancel(invitee=invitee)
    sandbox.deliver()

    created, canceled = (one.payload for one in receiver.posted)

    assert (created["status"], canceled["status"]) == ("active", "canceled")
    assert "cancellation" not in created
    assert created["scheduled_event"]["invitees_counter"]["active"] == 1
    notes = [one["scheduled_event"]["meeting_notes_plain"] for one in (created, canceled)]
    assert notes == [None, "Later"]


def test_a_no_show_is_told_with_the_whole_invitee(
    office: Office, sandbox: Sandbox, receiver: Receiver, description: Description
) -> None:
    subscribe(office.calendly, receiver.url)
    _, invitee = office.booked()

    (_, marked), (_, unmarked) = told(
        sandbox,
        receiver,
        lambda: (
            office.calendly.mark_no_show(invitee=invitee),
            office.calendly.unmark_no_show(invitee=invitee),
        ),
    )

    for payload in (marked, unmarked):
        assert description.record_complaints("InviteePayload", payload) == []
        assert payload["uri"] == invitee
    assert marked["no_show"]["uri"].startswith("https://api.calendly.com/invitee_no_shows/")
    assert unmarked["no_show"] is None
    assert marked["updated_at"] == unmarked["updated_at"] == marked["created_at"]


def test_a_no_show_can_be_told_by_its_mark_alone(
    office: Office, sandbox: Sandbox, receiver: Receiver
) -> None:
    subscribe(office.calendly, receiver.url)
    _, invitee = office.booked()
    office.calendly.bare_no_shows = True

    (_, marked), (_, unmarked) = told(
        sandbox,
        receiver,
        lambda: (
            office.calendly.mark_no_show(invitee=invitee),
            office.calendly.unmark_no_show(invitee=invitee),
        ),
    )

    assert marked == unmarked
    assert marked.keys() == {"uri", "invitee", "created_at"}
    assert marked["invitee"] == invitee


def test_the_other_payloads_are_as_described(
    office: Office, sandbox: Sandbox, receiver: Receiver, description: Description
) -> None:
    subscribe(office.calendly, receiver.url)
    calendly = office.calendly
    submission = calendly.submit_form(form=office.form(), answers={"Size": "L"}, result=None)
    calendly.edit_event_type(uri=office.intro, name="Hello")
    calendly.delete_event_type(uri=office.intro)
    added = office.contact()
    calendly.edit_contact(contact=added, name="Kim")
    calendly.delete_contact(contact=added)
    sandbox.deliver()
    submitted, edited, deleted, new, changed, gone = (one.payload for one in receiver.posted)

    for schema, payload in {
        "RoutingFormSubmission": submitted,
        "EventType": edited,
        "DeletedRef": deleted,
        "ContactDeletedPayload": gone,
    }.items():
        assert description.record_complaints(schema, payload) == []
    for payload in (new, changed):
        assert description.record_complaints("ContactCreatedOrUpdatedPayload", payload) == []
    assert (submitted["uri"], submitted["submitter"]) == (submission, None)
    assert (edited["name"], deleted["uri"]) == ("Hello", office.intro)
    assert deleted["deleted_at"] == calendly.event_types[office.intro]["deleted_at"]
    assert [one["contact"]["uri"] for one in (new, changed, gone)] == [added] * 3
    assert (new["contact"]["name"], changed["contact"]["name"]) == ("", "Kim")
    assert {one["user_uuid"] for one in (new, changed, gone)} == {last_segment(office.host)}


def test_a_recaps_payload_has_the_meeting_and_the_texts(
    office: Office, sandbox: Sandbox, receiver: Receiver, description: Description
) -> None:
    subscribe(office.calendly, receiver.url, scope="user", of=office.host)
    made = office.recap()

    (_, created), (_, deleted) = told(
        sandbox,
        receiver,
        lambda: (
            office.calendly.finish_recap(recap=made, transcript="Hello.", summary="Short"),
            office.calendly.delete_recap(recap=made),
        ),
    )

    for payload in (created, deleted):
        assert description.record_complaints("MeetingRecapPayload", payload) == []
        assert payload["recap"]["uri"] == made
    assert created["event"].keys() == {
        *("uri", "name", "start_time", "end_time", "location", "attendees")
    }
    assert created["recap"].keys() == {
        *("uri", "summary_md", "action_items_md", "discussion_md", "transcript", "share_link"),
        *("created_at", "updated_at"),
    }
    assert created["recap"]["summary_md"] == "Short"
    assert deleted["recap"].keys() == {"uri", "deleted_at"}
