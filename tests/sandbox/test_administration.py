"""The activity log, messages sent, and webhooks: what owners and admins oversee."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from tests.sandbox.asking import ask, whole
from tests.sandbox.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.organization.clock import SimulatedClock

LOG = "/activity_log_entries"
MESSAGES = "/outgoing_communications"
WEBHOOKS = "/webhook_subscriptions"
HOOK = "https://hooks.windmill.example/1"


@pytest.fixture
def enterprise(clock: SimulatedClock) -> Iterator[Sandbox]:
    """An organization that has had a member for an hour, and their event type for two."""
    calendly = Calendly(clock, plan="enterprise")
    for name in ("Kim", "Lee"):
        calendly.add_member(name=name, email=f"{name.lower()}@windmill.example")
        clock.advance(timedelta(hours=1))
    offered = calendly.add_event_type(owner=calendly.owner, name="Chat", duration=30)
    calendly.book(
        event_type=offered,
        start=NOW + timedelta(days=3),
        name="Cy",
        email="cy@guest.example",
        text_reminder_number="+1 555 0104",
    )
    with Sandbox(calendly) as running:
        yield running


def log(sandbox: Sandbox, **params: Any) -> dict[str, Any]:  # noqa: ANN401 -- lists, too
    query = {"organization": sandbox.calendly.organization["uri"], **params}
    answer = ask(sandbox, LOG, query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def names(told: dict[str, Any]) -> list[str]:
    return [one["fully_qualified_name"] for one in told["collection"]]


def invitee(calendly: Calendly) -> str:
    return str(next(iter(calendly.invitees.values()))[0]["uri"])


# The activity log


def test_administration_is_logged_latest_first(enterprise: Sandbox) -> None:
    calendly = enterprise.calendly
    event_type = next(iter(calendly.event_types))
    calendly.edit_event_type(uri=event_type, name="Talk")
    calendly.delete_event_type(uri=event_type)
    calendly.delete_event_data(event=next(iter(calendly.events)))

    assert names(log(enterprise)) == [
        *("Compliance.Data_Deletion_Completed", "EventType.Delete", "EventType.Update"),
        *("EventType.Create", "User.Add", "User.Add", "User.Add"),
    ]


def test_an_entry_stays_as_it_was_written(enterprise: Sandbox) -> None:
    calendly = enterprise.calendly
    before = log(enterprise, action="Add")["collection"]
    member = before[0]["details"]["uri"]
    calendly.delete_user(user=member)

    assert log(enterprise, action="Add")["collection"] == before
    (gone,) = log(enterprise, action="Delete")["collection"]
    assert gone["details"]["uri"] == member
    assert gone["actor"]["uri"] == calendly.owner


def test_the_limits_of_occurred_at_are_inclusive(enterprise: Sandbox) -> None:
    times = [one["occurred_at"] for one in log(enterprise)["collection"]]
    query = {"min_occurred_at": times[2], "max_occurred_at": times[1]}

    assert [one["occurred_at"] for one in log(enterprise, **query)["collection"]] == times[1:3]


def test_the_log_counts_all_matching_entries_not_just_the_page(enterprise: Sandbox) -> None:
    told = log(enterprise, namespace="User", count=1)

    assert told["pagination"]["count"] == 1
    assert told["total_count"] == 3
    assert told["exceeds_max_total_count"] is False
    assert told["last_event_time"] == told["collection"][0]["occurred_at"]
    assert log(enterprise, namespace="Nothing")["last_event_time"] is None


def test_a_page_of_the_log_has_up_to_a_thousand_entries(enterprise: Sandbox) -> None:
    calendly = enterprise.calendly
    event_type = next(iter(calendly.event_types))
    for position in range(1200):
        calendly.edit_event_type(uri=event_type, position=position)
    everything = {"organization": calendly.organization["uri"], "count": "1000"}

    rows = whole(enterprise, LOG, everything)

    assert len(rows) == len({one["uri"] for one in rows}) == 1204
    assert enterprise.requests_by_path() == {LOG: 2}
    assert ask(enterprise, LOG, {**everything, "count": "1001"}).status_code == 400


@pytest.mark.parametrize("name", ["namespace", "namespace[]"])
def test_a_repeated_parameter_is_a_list_and_holds_through_all_pages(
    enterprise: Sandbox, name: str
) -> None:
    query: dict[str, Any] = {"organization": enterprise.calendly.organization["uri"], "count": 1}
    query |= {name: ["EventType", "User"], "sort": ["namespace:asc", "occurred_at:asc"]}

    rows = whole(enterprise, LOG, query)

    assert [one["namespace"] for one in rows] == ["EventType", "User", "User", "User"]
    assert rows[1]["occurred_at"] < rows[2]["occurred_at"] < rows[3]["occurred_at"]


def test_the_log_is_filtered_by_actor(enterprise: Sandbox) -> None:
    owner = enterprise.calendly.owner

    assert names(log(enterprise, actor=owner)) == ["EventType.Create", "User.Add"]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("kim", 1),
        ("kim@windmill.example", 1),
        ("eventtype | kim", 2),
        ("user + add", 3),
        ("add -kim", 2),
        ('"ada winter" chat', 1),
        ("ki", 0),
        ("ki*", 1),
        ("", 4),
    ],
)
def test_the_log_is_searched(enterprise: Sandbox, term: str, found: int) -> None:
    assert log(enterprise, search_term=term)["total_count"] == found


def test_a_search_term_has_at_most_300_characters(enterprise: Sandbox) -> None:
    query = {"organization": enterprise.calendly.organization["uri"]}

    assert ask(enterprise, LOG, {**query, "search_term": "x" * 300}).status_code == 200
    assert ask(enterprise, LOG, {**query, "search_term": "x" * 301}).status_code == 400


# Messages


def test_messages_are_sent_by_mail_or_sms_and_have_no_uri(enterprise: Sandbox) -> None:
    calendly = enterprise.calendly
    calendly.send_message(
        invitee=invitee(calendly), subject="Soon", body="Hello", sender=calendly.owner
    )
    calendly.send_message(invitee=invitee(calendly), body="Hi", kind="sms")
    query = {"organization": calendly.organization["uri"]}
    told = ask(enterprise, MESSAGES, query).json()
    mail, sms = told["collection"]

    assert told["total_count"] == 2
    assert (mail["type"], mail["to"], mail["subject"]) == ("email", "cy@guest.example", "Soon")
    assert (mail["from"], mail["sender_uri"]) == ("ada@windmill.example", calendly.owner)
    assert (sms["type"], sms["to"], sms["subject"]) == ("sms", "+1 555 0104", None)
    assert sms["sender_uri"] is sms["sender_email"] is None
    assert "uri" not in mail
    since = {**query, "min_created_at": sms["created_at"]}
    until = {**query, "max_created_at": mail["created_at"]}
    assert ask(enterprise, MESSAGES, since).json()["collection"] == [sms]
    assert ask(enterprise, MESSAGES, until).json()["collection"] == [mail]


# Webhooks


def test_a_webhook_is_retried_disabled_and_deleted(calendly: Calendly) -> None:
    uri = calendly.subscribe(callback_url=HOOK, events=["invitee.created"])
    hook = calendly.webhooks[uri]
    assert (hook["state"], hook["retry_started_at"]) == ("active", None)
    assert (hook["user"], hook["group"], hook["creator"]) == (None, None, calendly.owner)

    calendly.fail_webhook(webhook=uri)
    began = hook["retry_started_at"]
    assert (hook["state"], hook["updated_at"]) == ("active", began)
    calendly.fail_webhook(webhook=uri, for_good=True)
    assert (hook["state"], hook["retry_started_at"]) == ("disabled", began)
    calendly.unsubscribe(webhook=uri)
    assert calendly.webhooks == {}


def test_webhooks_are_listed_by_scope(sandbox: Sandbox, calendly: Calendly) -> None:
    group = calendly.add_group(name="Sales", members=[])
    events = ["invitee.created"]
    hooks = {
        "organization": calendly.subscribe(callback_url=HOOK, events=events),
        "user": calendly.subscribe(
            callback_url=HOOK, events=events, scope="user", of=calendly.owner
        ),
        "group": calendly.subscribe(callback_url=HOOK, events=events, scope="group", of=group),
    }
    query = {"organization": calendly.organization["uri"], "user": calendly.owner, "group": group}

    for scope, uri in hooks.items():
        answer = ask(sandbox, WEBHOOKS, {**query, "scope": scope})
        assert [one["uri"] for one in answer.json()["collection"]] == [uri]
    for scope in ("user", "group"):
        del query[scope]
        answer = ask(sandbox, WEBHOOKS, {**query, "scope": scope})
        assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, scope)


def test_a_users_webhook_is_disabled_when_they_leave_and_the_organizations_stays(
    calendly: Calendly,
) -> None:
    kim = calendly.add_member(name="Kim", email="kim@windmill.example")
    his = calendly.subscribe(
        callback_url=HOOK, events=["contact.created"], scope="user", of=kim, creator=kim
    )
    all_of_us = calendly.subscribe(callback_url=HOOK, events=["contact.created"], creator=kim)

    calendly.delete_user(user=kim)

    assert calendly.webhooks[his]["state"] == "disabled"
    assert calendly.webhooks[all_of_us]["state"] == "active"


def test_a_plain_user_reads_only_their_own_webhooks(sandbox: Sandbox, calendly: Calendly) -> None:
    kim = calendly.add_member(name="Kim", email="kim@windmill.example")
    token = sandbox.access.issue(kim)
    his = calendly.subscribe(callback_url=HOOK, events=["contact.created"], scope="user", of=kim)
    ours = calendly.subscribe(callback_url=HOOK, events=["contact.created"])
    query = {"organization": calendly.organization["uri"]}

    def status(path: str, **params: str) -> int:
        return ask(sandbox, path, {**query, **params}, token).status_code

    assert (status(his), status(ours)) == (200, 403)
    assert status(WEBHOOKS, scope="user", user=kim) == 200
    assert status(WEBHOOKS, scope="user", user=calendly.owner) == 403
    assert status(WEBHOOKS, scope="organization") == 403


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (lambda one: one.send_message(invitee="nobody", body="-"), "there is no invitee"),
        (lambda one: one.send_message(invitee=invitee(one), body="-", kind="sms"), "no number"),
        (lambda one: one.send_message(invitee=invitee(one), body="-", kind="fax"), "email or sms"),
        (
            lambda one: one.subscribe(callback_url=HOOK, events=["meeting_recap.created"]),
            "cannot be subscribed to for scope organization",
        ),
        (
            lambda one: one.subscribe(callback_url=HOOK, events=[], scope="user", of="nobody"),
            "there is no user",
        ),
        (lambda one: one.subscribe(callback_url=HOOK, events=[], scope="world"), "scopes"),
        (lambda one: one.subscribe(callback_url=HOOK, events=["contact.created"]), "already"),
        (lambda one: one.fail_webhook(webhook=next(iter(one.webhooks))), "is disabled already"),
        (lambda one: one.unsubscribe(webhook="nothing"), "there is no webhook"),
    ],
)
def test_an_impossible_life_event_is_refused_with_a_reason_and_changes_nothing(
    calendly: Calendly, deed: Callable[[Calendly], object], sentence: str
) -> None:
    uri = calendly.subscribe(callback_url=HOOK, events=["contact.created"])
    calendly.fail_webhook(webhook=uri, for_good=True)
    before = calendly.more_truth()

    with pytest.raises(ValueError, match=sentence):
        deed(calendly)
    assert calendly.more_truth() == before
