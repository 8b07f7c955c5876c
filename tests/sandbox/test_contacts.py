"""Contacts and recaps: each user reads only their own, whatever their role."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly

CY = "cy@guest.example"


@pytest.fixture
def colleague(calendly: Calendly) -> str:
    return calendly.add_member(name="Kim", email="kim@windmill.example")


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


# Contacts


def test_a_contact_is_added_edited_and_deleted(calendly: Calendly) -> None:
    uri = calendly.add_contact(user=calendly.owner, email=CY, name="Cy", city="Oslo")
    contact = calendly.contacts[uri]
    before = deepcopy(contact)
    assert before["emails"] == [{"email": CY, "is_primary": True}]
    assert (before["name"], before["city"], before["company"]) == ("Cy", "Oslo", None)

    calendly.edit_contact(contact=uri, company="Acme", phone_numbers=["+1 555 0105"])
    assert changed(before, contact) == {"company", "phone_numbers", "updated_at"}
    assert contact["phone_numbers"] == [{"phone_number": "+1 555 0105"}]
    assert contact["updated_at"] > before["updated_at"]
    calendly.delete_contact(contact=uri)
    assert calendly.contacts == {}


def test_custom_fields_are_filled_renamed_emptied_and_deleted(calendly: Calendly) -> None:
    tier, budget = (
        calendly.add_contact_field(
            user=calendly.owner, label="Tier", field_type="single_select", options=["Gold", "Tin"]
        ),
        calendly.add_contact_field(
            user=calendly.owner, label="Budget", field_type="currency", currency="EUR"
        ),
    )
    uri = calendly.add_contact(
        user=calendly.owner, email=CY, custom_fields={tier: "Gold", budget: 9.5}
    )
    contact = calendly.contacts[uri]
    assert [one["color"] is None for one in calendly.contact_fields[tier]["options"]] == [
        *(False, True),
    ]
    assert contact["custom_fields"] == [
        {"uri": tier, "label": "Tier", "value": "Gold"},
        {"uri": budget, "label": "Budget", "value": 9.5},
    ]

    calendly.edit_contact(contact=uri, custom_fields={tier: None})
    moved = contact["updated_at"]
    calendly.rename_contact_field(field=budget, label="Means")
    assert contact["custom_fields"] == [{"uri": budget, "label": "Means", "value": 9.5}]
    assert calendly.contact_fields[budget]["updated_at"] > moved
    calendly.delete_contact_field(field=budget)
    assert (contact["custom_fields"], contact["updated_at"]) == ([], moved)
    assert list(calendly.contact_fields) == [tier]


def test_contacts_are_sorted_by_their_last_change(sandbox: Sandbox, calendly: Calendly) -> None:
    first, second = (
        calendly.add_contact(user=calendly.owner, email=f"{one}@guest.example") for one in "ab"
    )
    calendly.edit_contact(contact=first, name="A")

    def order(**params: str) -> list[str]:
        return [one["uri"] for one in ask(sandbox, "/contacts", params).json()["collection"]]

    assert order() == order(sort="created_at:asc") == [first, second]
    assert order(sort="updated_at:desc") == [first, second]
    assert order(sort="updated_at:asc") == [second, first]


@pytest.mark.parametrize(
    "query", [{"email": "CY@guest.example"}, {"phone_number": "+1"}, {"name": "cy"}]
)
def test_contacts_are_filtered_by_their_fields(
    sandbox: Sandbox, calendly: Calendly, query: dict[str, str]
) -> None:
    cy = calendly.add_contact(user=calendly.owner, email=CY, name="Cy", phone_numbers=["+1"])
    calendly.add_contact(user=calendly.owner, email="di@guest.example")

    assert [one["uri"] for one in ask(sandbox, "/contacts", query).json()["collection"]] == [cy]


def test_custom_fields_can_be_left_out(sandbox: Sandbox, calendly: Calendly) -> None:
    uri = calendly.add_contact(user=calendly.owner, email=CY)
    (row,) = ask(sandbox, "/contacts", {"exclude": "custom_fields"}).json()["collection"]

    assert "custom_fields" not in row
    assert "custom_fields" not in ask(sandbox, uri, {"exclude": "custom_fields"}).json()["resource"]
    assert "custom_fields" in ask(sandbox, uri).json()["resource"]
    assert ask(sandbox, uri, {"exclude": "name"}).status_code == 400


def test_another_users_contacts_are_not_there(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    field = calendly.add_contact_field(user=colleague, label="Tier")
    contact = calendly.add_contact(user=colleague, email=CY)

    for path in ("/contacts", "/contacts/custom_field_definitions"):
        assert ask(sandbox, path).json()["collection"] == []
    for uri in (contact, field):
        assert ask(sandbox, uri).status_code == 404
        assert ask(sandbox, uri, token=sandbox.access.issue(colleague)).status_code == 200


# Lists and notes


def test_lists_and_views_come_on_one_page_and_only_lists_are_counted(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    owner = calendly.owner
    people = [calendly.add_contact(user=owner, email=f"{one}@guest.example") for one in "ab"]
    fair = calendly.add_contact_list(user=owner, name="Fair", contacts=people)
    for number in range(24):
        calendly.add_contact_list(user=owner, name=f"View {number}")
    calendly.add_contact_list(user=colleague, name="Theirs")
    calendly.delete_contact(contact=people[0])

    def found(**params: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = ask(sandbox, "/contact_lists", params).json()["collection"]
        return rows

    assert ask(sandbox, "/contact_lists").json()["pagination"] == {
        "count": 25,
        **dict.fromkeys(("next_page", "previous_page", "next_page_token", "previous_page_token")),
    }
    with pytest.raises(ValueError, match="has 25 lists already"):
        calendly.add_contact_list(user=owner, name="One too many")
    (row,) = found(type="static_list")
    assert (row["uri"], row["contact_count"]) == (fair, 1)
    assert {one["contact_count"] for one in found(type="dynamic_view")} == {None}
    calendly.delete_contact_list(contact_list=fair)
    assert len(found()) == 24


def test_notes_are_those_about_the_contacts_asked_for_the_last_changed_first(
    sandbox: Sandbox, calendly: Calendly
) -> None:
    people = [calendly.add_contact(user=calendly.owner, email=f"{one}@x.example") for one in "abc"]
    first, second, third = (calendly.add_note(contact=one, body="-") for one in people)
    calendly.edit_note(note=first, body="Called")

    def found(*contacts: str) -> list[str]:
        rows = ask(sandbox, "/notes", {"contact": contacts}).json()["collection"]
        return [one["uri"] for one in rows]

    assert found(*people) == [first, third, second]
    assert found(*people[1:]) == [third, second]
    calendly.delete_note(note=third)
    calendly.delete_contact(contact=people[0])
    assert found(*people[1:]) == [second]
    assert list(calendly.notes) == [second]


@pytest.mark.parametrize("parameter", [{"sort": "updated_at:desc"}, {"user": "x"}, {"x": ""}])
def test_notes_take_no_other_parameter(
    sandbox: Sandbox, calendly: Calendly, parameter: dict[str, str]
) -> None:
    contact = calendly.add_contact(user=calendly.owner, email=CY)

    answer = ask(sandbox, "/notes", {"contact": contact, **parameter})

    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["details"]] == list(parameter)


def test_notes_are_asked_for_about_ten_contacts_at_most_and_only_ones_own(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    people = [calendly.add_contact(user=calendly.owner, email=f"{n}@x.example") for n in range(11)]
    theirs = calendly.add_contact(user=colleague, email=CY)

    def status(*contacts: str) -> int:
        return ask(sandbox, "/notes", {"contact": contacts}).status_code

    assert (status(), status(*people[:10]), status(*people)) == (400, 200, 400)
    assert status(people[0], theirs) == 404


# Recaps


def test_a_recap_is_processed_and_then_has_its_texts(sandbox: Sandbox, calendly: Calendly) -> None:
    event = next(iter(calendly.events))
    uri = calendly.start_recap(event=event)
    recap = calendly.recaps[uri]
    assert (recap["status"], recap["summary_md"]) == ("processing", None)
    assert [(one["host"], one["user_name"]) for one in recap["attendees"]] == [
        *((True, "Ada Winter"), (False, "Bo")),
    ]
    assert ask(sandbox, "/meeting_recaps").json()["collection"] == []
    assert ask(sandbox, f"{uri}/transcript").status_code == 404

    calendly.finish_recap(recap=uri, transcript="Hello!", summary="# Hello")
    (row,) = ask(sandbox, "/meeting_recaps").json()["collection"]
    assert row["uri"] == uri
    assert not row.keys() & {"summary_md", "action_items_md", "discussion_md", "share_link"}
    assert ask(sandbox, uri).json()["resource"]["summary_md"] == "# Hello"
    assert ask(sandbox, row["transcript"]).json()["resource"]["text"] == "Hello!"
    calendly.share_recap(recap=uri)
    assert recap["share_link"].startswith("https://")
    calendly.share_recap(recap=uri, shared=False)
    assert recap["share_link"] is None
    calendly.delete_recap(recap=uri)
    assert ask(sandbox, uri).status_code == ask(sandbox, row["transcript"]).status_code == 404


def test_recaps_are_filtered_by_meeting_attendee_status_and_time(
    sandbox: Sandbox, calendly: Calendly
) -> None:
    recaps = [calendly.start_recap(event=event) for event in calendly.events]
    for uri in recaps[:4]:
        calendly.finish_recap(recap=uri, transcript="-")
    calendly.change_recap(recap=recaps[3], status="unavailable")
    events = list(calendly.events.values())

    def found(**params: str) -> list[int]:
        rows = ask(sandbox, "/meeting_recaps", params).json()["collection"]
        return [recaps.index(one["uri"]) for one in rows]

    assert found() == found(status="available") == [0, 1, 2]
    assert found(status="unavailable") == [3]
    assert found(status="processing") == [4]
    assert found(event=events[1]["uri"]) == [1]
    assert found(attendee="bo2@guest.example") == [2]
    assert found(start_time=events[1]["end_time"]) == [1, 2]
    assert found(end_time=events[1]["start_time"]) == [0, 1]


def test_another_hosts_recaps_are_refused(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    event_type = next(iter(calendly.event_types))
    recap = calendly.start_recap(event=next(iter(calendly.events)))
    calendly.finish_recap(recap=recap, transcript="-")
    calendly.add_host(event_type=event_type, user=colleague)
    token = sandbox.access.issue(colleague)

    assert ask(sandbox, "/meeting_recaps", token=token).json()["collection"] == []
    for uri in (recap, f"{recap}/transcript"):
        assert ask(sandbox, uri, token=token).status_code == 403


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (lambda one: one.add_contact(user="nobody", email=CY), "there is no user"),
        (lambda one: one.add_contact(user=one.owner, email=CY), "is a contact of"),
        (lambda one: one.add_contact(user=one.owner, email="x@y.example", pet="-"), "no detail"),
        (
            lambda one: one.edit_contact(contact=next(iter(one.contacts)), custom_fields={"-": 1}),
            "there is no field",
        ),
        (lambda one: one.delete_contact(contact="nobody"), "there is no contact"),
        (
            lambda one: one.add_contact_field(user=one.owner, label="-", field_type="photo"),
            "no field of type",
        ),
        (lambda one: one.rename_contact_field(field="nothing", label="-"), "no contact field"),
        (lambda one: one.add_note(contact="nobody", body="-"), "there is no contact"),
        (lambda one: one.add_note(contact=next(iter(one.contacts))), "a title or a body"),
        (lambda one: one.edit_note(note="nothing", body="-"), "there is no note"),
        (lambda one: one.delete_contact_list(contact_list="nothing"), "no contact list"),
        (
            lambda one: one.add_contact_list(user=one.owner, name="-", contacts=["nobody"]),
            "there is no contact",
        ),
        (lambda one: one.start_recap(event="nothing"), "there is no event"),
        (
            lambda one: one.start_recap(event=next(iter(one.events)), user="nobody"),
            "does not host",
        ),
        (lambda one: one.share_recap(recap="nothing"), "there is no recap"),
        (
            lambda one: one.change_recap(recap=next(iter(one.recaps)), status="lost"),
            "a recap is one of",
        ),
    ],
)
def test_an_impossible_life_event_is_refused_with_a_reason_and_changes_nothing(
    calendly: Calendly, deed: Callable[[Calendly], object], sentence: str
) -> None:
    calendly.add_contact(user=calendly.owner, email=CY)
    calendly.start_recap(event=next(iter(calendly.events)))
    before = calendly.more_truth()

    with pytest.raises(ValueError, match=sentence):
        deed(calendly)
    assert calendly.more_truth() == before
