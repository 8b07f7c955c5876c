"""What the demo organization promises: one company's year, the same for everybody."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from sandbox.demo.company import populate, simulate
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from sandbox.organization.timestamps import to_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.organization.state import Record

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
STAMPS = {
    *("created_at", "updated_at", "confirmed_at", "deleted_at"),
    *("occurred_at", "sent_at", "last_sent_at", "retry_started_at"),
}


@pytest.fixture(scope="module", params=[1, 7])
def calendly(request: pytest.FixtureRequest) -> Calendly:
    return simulate(seed=request.param, size=300, now=NOW)


@pytest.fixture(scope="module")
def events(calendly: Calendly) -> list[Record]:
    return list(calendly.events.values())


@pytest.fixture(scope="module")
def invitees(calendly: Calendly) -> list[Record]:
    return [one for each in calendly.invitees.values() for one in each]


def by_uri(records: Iterable[Record]) -> dict[str, Record]:
    return {record["uri"]: record for record in records}


@pytest.mark.parametrize("size", [0, 1, 2, 3, 40, 299, 300, 301])
@pytest.mark.parametrize("now", [NOW, datetime(2031, 1, 1, tzinfo=timezone.utc)])
def test_there_are_exactly_as_many_meetings_as_requested(size: int, now: datetime) -> None:
    calendly = simulate(seed=3, size=size, now=now)
    assert len(calendly.events) == len(calendly.invitees) == size


def test_some_meetings_lie_ahead_and_all_were_booked_within_about_a_year() -> None:
    events = simulate(seed=1, size=2000, now=NOW).events.values()
    upcoming = sum(event["start_time"] > to_timestamp(NOW) for event in events)
    assert 0.1 < upcoming / 2000 < 0.13
    assert to_timestamp(NOW - 420 * DAY) < min(event["created_at"] for event in events)
    assert to_timestamp(NOW - 330 * DAY) > min(event["created_at"] for event in events)


def test_no_record_is_from_the_future(calendly: Calendly) -> None:
    def stamps(value: object) -> Iterable[str]:
        if isinstance(value, dict):
            for key, one in value.items():
                if key in STAMPS and one:
                    yield one
                yield from stamps(one)
        elif isinstance(value, list):
            for one in value:
                yield from stamps(one)

    every = [*stamps(calendly.truth()), *stamps(calendly.more_truth())]
    assert len(every) > 1500
    assert max(every) <= to_timestamp(NOW + timedelta(seconds=1))
    assert calendly.clock.now() == NOW


def test_the_same_seed_size_and_time_give_the_same_company() -> None:
    first, second = (simulate(1, 120, NOW) for _ in range(2))
    assert first.truth() == second.truth()
    assert first.more_truth() == second.more_truth()


def test_another_seed_gives_another_company() -> None:
    first, second = (by_uri(simulate(seed, 120, NOW).events.values()) for seed in (1, 2))
    assert first.keys().isdisjoint(second)


def test_the_company_is_the_same_whatever_clock_the_organization_keeps() -> None:
    clock = SimulatedClock(NOW)
    calendly = Calendly(clock, seed=1)
    populate(calendly, seed=1, size=120, until=NOW)
    assert calendly.truth() == simulate(1, 120, NOW).truth()
    assert calendly.clock is clock
    member = calendly.add_member(name="New Here", email="new@windmill.example")
    assert calendly.users[member]["created_at"] > to_timestamp(NOW)


@pytest.mark.parametrize("days", [1, 2, 30])
def test_a_later_day_continues_the_same_story(days: int) -> None:
    today, later = simulate(1, 900, NOW), simulate(1, 900, NOW + days * DAY)
    before, after = by_uri(today.events.values()), by_uri(later.events.values())
    assert 900 - 8 * days - 8 <= len(before.keys() & after.keys()) < 900
    for uri, event in before.items():
        if uri not in after:
            # Of the oldest stories some make room: a meeting once moved goes with its first date.
            assert event["created_at"] < to_timestamp(NOW - 200 * DAY)
            continue
        for key in ("start_time", "event_type", "created_at"):
            assert after[uri][key] == event[key]
        assert after[uri]["updated_at"] >= event["updated_at"]
        assert [one["uri"] for one in today.invitees[uri]] == [
            one["uri"] for one in later.invitees[uri][: len(today.invitees[uri])]
        ]
    for uri in after.keys() - before.keys():
        assert after[uri]["created_at"] > to_timestamp(NOW)


def test_the_next_hours_only_add_to_what_was_there() -> None:
    before, after = simulate(1, 300, NOW), simulate(1, 300, NOW + timedelta(hours=6))
    lately = to_timestamp(NOW)
    untouched = [
        uri
        for uri in before.events.keys() & after.events.keys()
        if before.events[uri] == after.events[uri] and before.invitees[uri] == after.invitees[uri]
    ]
    assert len(untouched) >= 290
    assert all(
        event["created_at"] > lately
        for uri, event in after.events.items()
        if uri not in before.events
    )


def test_the_company_has_hosts_in_several_time_zones_and_teams(calendly: Calendly) -> None:
    users = [one["user"] for one in calendly.memberships.values()]
    assert len(users) >= 12
    assert len({user["timezone"] for user in users}) >= 8
    assert {one["role"] for one in calendly.memberships.values()} == {"owner", "admin", "user"}
    assert len(calendly.groups) >= 3
    assert all(members for members in calendly.group_members.values())


def test_the_company_offers_every_kind_of_event_type(calendly: Calendly) -> None:
    types = calendly.truth()["event_types"]
    assert len(types) >= 8
    assert {one["kind"] for one in types} == {"solo", "group"}
    assert {one["pooling_type"] for one in types} == {None, "round_robin", "collective"}
    assert {one["duration"] for one in types} >= {30, 45, 60}
    assert {one["active"] for one in types} == {True, False}
    assert any(one["is_paid"] for one in types)
    assert any(one["name"] is None for one in types)
    assert any(one["locations"] is None for one in types)
    assert any(one["updated_at"] > one["created_at"] for one in types)
    assert any(one["deleted_at"] for one in calendly.event_types.values())


def test_meetings_take_place_in_all_ten_kinds_of_location(events: list[Record]) -> None:
    locations = [event["location"] for event in events]
    assert {location["type"] for location in locations if location} == {
        *("physical", "outbound_call", "inbound_call", "google_conference", "zoom"),
        *("gotomeeting", "microsoft_teams_conference", "webex_conference", "custom"),
        "ask_invitee",
    }
    assert None in locations
    zoom = [one["data"]["id"] for one in locations if one and one["type"] == "zoom" and one["data"]]
    assert {type(identifier) for identifier in zoom} == {int, str}
    assert {one["status"] for one in locations if one and "status" in one} >= {"pushed", None}


def test_meetings_are_held_canceled_and_moved(events: list[Record], invitees: list[Record]) -> None:
    assert {event["status"] for event in events} == {"active", "canceled"}
    assert {one["cancellation"]["canceler_type"] for one in events if "cancellation" in one} == {
        *("host", "invitee"),
    }
    known = by_uri(invitees)
    moved = [one for one in invitees if one["old_invitee"]]
    assert any(known[one["old_invitee"]]["old_invitee"] for one in moved)
    for one in moved:
        old = known[one["old_invitee"]]
        assert old["new_invitee"] == one["uri"]
        assert old["rescheduled"]
        assert old["status"] == "canceled"


def test_a_webinar_goes_on_when_one_of_its_invitees_leaves(events: list[Record]) -> None:
    counters = [one["invitees_counter"] for one in events if one["status"] == "active"]
    assert any(0 < one["active"] < one["total"] for one in counters)


def test_invitees_have_everything_that_invitees_can_have(
    events: list[Record], invitees: list[Record]
) -> None:
    assert any(event["event_guests"] for event in events)
    assert any(one["tracking"]["utm_source"] for one in invitees)
    assert any(one["tracking"]["salesforce_uuid"] for one in invitees)
    assert {type(one["payment"]["amount"]) for one in invitees if one["payment"]} == {float, str}
    assert any("\n" in each["answer"] for one in invitees for each in one["questions_and_answers"])
    assert any(one["text_reminder_number"] for one in invitees)
    assert any(one["first_name"] for one in invitees)
    assert {one["scheduling_method"] for one in invitees} == {"instant_book", "api", None}
    asked = [one["reconfirmation"] for one in invitees if one["reconfirmation"]]
    assert {bool(one["confirmed_at"]) for one in asked} == {True, False}


def test_some_invitees_miss_several_meetings(calendly: Calendly, invitees: list[Record]) -> None:
    missed = [one for one in invitees if one["no_show"]]
    assert {one["no_show"]["uri"] for one in missed} == calendly.no_shows.keys()
    assert len({one["email"] for one in missed}) < len(missed)


def test_notes_contain_everything_that_notes_can_contain(events: list[Record]) -> None:
    notes = "".join(event["meeting_notes_plain"] or "" for event in events)
    for piece in ("\n", "\r\n", '"', ",", "🚀", "\u05e4", "\u0627", "\t", "\\", "<b>"):
        assert piece in notes


def test_the_meetings_of_people_who_left_stay(
    calendly: Calendly, events: list[Record], invitees: list[Record]
) -> None:
    hosts = [one for event in events for one in event["event_memberships"]]
    members = {one["user"]["uri"] for one in calendly.memberships.values()}
    deleted = [one for one in hosts if one["user_name"] == "deleted"]
    assert deleted
    assert all(one["user_email"].endswith("@deleted.calendly.com") for one in deleted)
    assert all(one["user"] not in calendly.users for one in deleted)
    removed = {one["user"] for one in hosts} & (calendly.users.keys() - members)
    assert removed
    assert any(one["email"].endswith("@deleted.calendly.com") for one in invitees)


def test_forms_lead_to_all_three_kinds_of_result_and_some_to_meetings(
    calendly: Calendly, invitees: list[Record]
) -> None:
    assert len(calendly.routing_forms) == 2
    submissions = calendly.truth()["routing_form_submissions"]
    results = {
        one["result"]["type"]: one["result"]["value"] for one in submissions if "result" in one
    }
    assert results.keys() == {"event_type", "external_url", "custom_message"}
    assert results["event_type"] in calendly.event_types
    assert results["custom_message"].keys() == {"headline", "body"}
    assert all(calendly.submissions.values())
    known = by_uri(invitees)
    booked = [one for one in submissions if one["submitter"]]
    assert 0 < len(booked) < len(submissions)
    for one in booked:
        if one["submitter"] in known:
            assert known[one["submitter"]]["routing_form_submission"] == one["uri"]


def test_the_company_has_some_of_everything_else(calendly: Calendly) -> None:
    truth = calendly.more_truth()
    assert all(truth.values())
    assert {one["status"] for one in truth["organization_invitations"]} == {
        *("pending", "accepted", "declined"),
    }
    assert {one["owner"]["type"] for one in truth["group_relationships"]} == {
        *("OrganizationMembership", "OrganizationInvitation"),
    }
    assert {one["role"] for one in truth["group_relationships"]} == {"member", "admin"}
    rules = [one["availability_rule"] for one in truth["event_type_availability_schedules"]]
    assert {"uri" in one for one in rules} == {True, False}
    assert {one["type"] for one in truth["outgoing_communications"]} == {"email", "sms"}
    assert {one["scope"] for one in truth["webhook_subscriptions"]} == {
        *("organization", "user", "group"),
    }
    assert {one["state"] for one in truth["webhook_subscriptions"]} == {"active", "disabled"}
    assert any(one["updated_at"] > one["created_at"] for one in truth["contacts"])
    assert {one["status"] for one in calendly.recaps.values()} >= {"available", "unavailable"}
    assert {bool(one["share_link"]) for one in calendly.recaps.values()} == {True, False}
    assert {one["type"] for one in truth["contact_lists"]} == {"static_list", "dynamic_view"}
    assert any(one["updated_at"] > one["created_at"] for one in truth["notes"])
    assert {one["namespace"] for one in truth["activity_log_entries"]} >= {
        *("User", "EventType", "Group", "Team", "Invitation", "Webhook", "Compliance"),
    }


def test_a_demo_before_the_company_was_founded_is_refused() -> None:
    with pytest.raises(ValueError, match="founded on"):
        simulate(1, 10, datetime(2014, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(ValueError, match="cannot be -1 meetings"):
        simulate(1, -1, NOW)
