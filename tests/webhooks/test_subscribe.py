"""`subscribe` does what there is to do so that the inbox has the subscription it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from sandbox.organization import webhooks
from tap_calendly.api import client, retry
from tap_calendly.inbox.reader import InboxReader
from tests.cases import cases
from tests.webhooks.command import HOOK, KEY, LIST, ONE, TRUSTED, Command

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox

OTHER = "https://other.windmill.example/"


def test_an_inbox_without_a_subscription_gets_one_for_all_events(
    empty_sandbox: Sandbox, tmp_path: Path, inbox_url: str
) -> None:
    command = Command(empty_sandbox, tmp_path, inbox_url)

    said = command.says("subscribe", "--callback-url", HOOK)

    ((uri, hook),) = empty_sandbox.calendly.webhooks.items()
    assert said == f"Created {uri}, as the inbox had none.\n"
    assert command.requests == [f"GET {LIST}", f"POST {LIST}"]
    assert hook["callback_url"] == HOOK
    assert set(hook["events"]) == set(webhooks.EVENTS["organization"])
    assert empty_sandbox.calendly.webhook_keys == {uri: KEY}
    subscription = InboxReader(inbox_url).subscription
    assert subscription is not None
    assert subscription.uri == uri
    assert subscription.about == {"organization": hook["organization"], "scope": "organization"}


def test_there_is_nothing_to_do_for_one_that_fits(command: Command) -> None:
    uri = command.subscribed()

    said = command.says("subscribe", "--callback-url", HOOK)

    assert said == (
        f"Nothing to do: {uri} is active, and posts 11 events to hooks.windmill.example.\n"
    )
    assert command.requests == [f"GET {LIST}"]


@pytest.mark.parametrize(
    "url", ["https://other.windmill.example", "HTTPS://OTHER.windmill.example/"]
)
def test_another_spelling_of_the_url_is_the_same_url(command: Command, url: str) -> None:
    uri = command.subscribed(url=OTHER)

    assert command.subscribed(url=url) == uri


def test_one_that_is_gone_is_created_anew(command: Command) -> None:
    gone = command.subscribed()
    command.sandbox.calendly.unsubscribe(webhook=gone)

    said = command.says("subscribe", "--callback-url", HOOK)

    assert said == f"Created {command.noted}, as the inbox's own, {gone}, is gone.\n"
    assert [*command.sandbox.calendly.webhooks] == [command.noted]


def test_one_that_is_disabled_is_replaced(command: Command) -> None:
    old = command.subscribed()
    command.sandbox.calendly.fail_webhook(webhook=old, for_good=True)

    said = command.says("subscribe", "--callback-url", HOOK)

    assert said.splitlines() == [
        f"Created {command.noted}, as the inbox's own, {old}, was disabled.",
        f"Deleted {old}.",
    ]
    assert command.requests == [f"GET {LIST}", f"DELETE {ONE}", f"POST {LIST}"]
    assert [*command.sandbox.calendly.webhooks] == [command.noted]


def test_one_that_lacks_events_is_replaced(command: Command) -> None:
    command.subscribed("--events", TRUSTED)

    said = command.says("subscribe", "--callback-url", HOOK)

    assert "lacked event_type.created, " in said
    (hook,) = command.sandbox.calendly.webhooks.values()
    assert len(hook["events"]) == 11


def test_one_that_fits_is_replaced_on_request_and_gets_the_first_key(command: Command) -> None:
    old = command.subscribed()
    new_key = "a-new-key-that-comes-before-the-old-one"
    command.settings["webhook_signing_key"] = f"{new_key}, {KEY}"

    said = command.says("subscribe", "--callback-url", HOOK, "--replace")

    assert f"the inbox's own, {old}, was to be replaced" in said
    assert command.sandbox.calendly.webhook_keys == {command.noted: new_key}


def test_where_the_url_changes_the_new_one_is_created_before_the_old_one_is_deleted(
    command: Command,
) -> None:
    old = command.subscribed()

    said = command.says("subscribe", "--callback-url", OTHER)

    assert f"the inbox's own, {old}, had another URL" in said
    assert command.requests == [f"GET {LIST}", f"POST {LIST}", f"DELETE {ONE}"]
    assert [*command.sandbox.calendly.webhooks] == [command.noted]


def test_one_of_another_scope_is_replaced(command: Command) -> None:
    old = command.subscribed()
    command.settings["scope"] = "user"

    said = command.says("subscribe", "--callback-url", HOOK)

    assert f"the inbox's own, {old}, was for another scope" in said
    ((uri, hook),) = command.sandbox.calendly.webhooks.items()
    assert (uri, hook["scope"]) == (command.noted, "user")
    assert set(hook["events"]) == set(webhooks.EVENTS["user"])
    assert command.says("subscribe", "--callback-url", HOOK).startswith("Nothing to do")


def test_a_group_has_the_events_of_a_group(command: Command) -> None:
    group = command.sandbox.calendly.add_group(name="Sales", members=[])
    command.settings |= {"scope": "group", "group": group}

    uri = command.subscribed()

    hook = command.sandbox.calendly.webhooks[uri]
    assert (hook["group"], set(hook["events"])) == (group, set(webhooks.EVENTS["group"]))


# Those of others


def test_a_subscription_that_the_inbox_does_not_know_keeps_its_url(command: Command) -> None:
    other = command.sandbox.calendly.subscribe(callback_url=HOOK, events=["contact.created"])

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert f"another subscription, {other}, posts to this URL: " in line
    assert f"`calendly-webhooks delete {other}`" in line
    assert "`--replace`" in line
    assert command.requests == [f"GET {LIST}"]


def test_it_is_taken_over_on_request(command: Command) -> None:
    other = command.sandbox.calendly.subscribe(callback_url=HOOK, events=["contact.created"])

    said = command.says("subscribe", "--callback-url", HOOK, "--replace")

    assert said.splitlines() == [
        f"Created {command.noted}, as the inbox had none.",
        f"Deleted {other}.",
    ]
    assert [*command.sandbox.calendly.webhooks] == [command.noted]


def test_subscriptions_with_other_urls_are_left_alone(command: Command) -> None:
    calendly = command.sandbox.calendly
    crm = calendly.subscribe(callback_url=OTHER, events=["invitee.created"])

    command.subscribed()
    command.subscribed("--replace")

    assert {*calendly.webhooks} == {crm, command.noted}


def test_a_subscription_of_another_scope_keeps_its_url(command: Command) -> None:
    calendly = command.sandbox.calendly
    calendly.subscribe(callback_url=HOOK, events=[], scope="user", of=calendly.owner)

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert "a subscription for this URL that is not among those of `scope: organization`" in line
    assert len(calendly.webhooks) == 1


# What goes wrong on the way


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("reset", [True, False])
def test_a_subscription_whose_answer_was_lost_is_found_in_the_list(
    command: Command, *, reset: bool
) -> None:
    command.sandbox.faults.add(Fault(LIST, after=1, truncate=0, reset=reset))

    uri = command.subscribed()

    assert command.requests == [f"{method} {LIST}" for method in ("GET", "POST", "POST", "GET")]
    assert [*command.sandbox.calendly.webhooks] == [uri]


def test_a_subscription_whose_answer_never_came_is_found_in_the_list(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry.Retries, "pause", lambda *_: None)  # gives up at once
    command.sandbox.faults.add(Fault(LIST, truncate=5, after=1))

    uri = command.subscribed()

    assert command.requests == [f"{method} {LIST}" for method in ("GET", "POST", "GET")]
    assert [*command.sandbox.calendly.webhooks] == [uri]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_fault_is_waited_out(command: Command, status: int) -> None:
    command.sandbox.faults.add(Fault(LIST, status=status, after=1, times=3))

    uri = command.subscribed()

    assert [*command.sandbox.calendly.webhooks] == [uri]


def test_a_creation_that_may_have_happened_is_not_said_to_have_failed(command: Command) -> None:
    command.subscribed()
    for status in (409, 403):
        command.sandbox.faults.add(Fault(LIST, status=status, after=1))

    line = command.fails("subscribe", "--callback-url", HOOK, "--replace")

    assert line.startswith("it is not known whether Calendly has created the subscription")
    assert "`--replace`" in line


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    "fault", cases([{"status": 403}, {"status": 500}, {"stall": True}], quick=[{"status": 403}])
)
def test_nothing_being_subscribed_any_more_is_said(
    command: Command, fault: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = command.subscribed()
    command.settings |= {"retry_timeout": 1, "request_timeout": 1}
    command.sandbox.faults.add(Fault(LIST, after=1, times=None, **fault))  # type: ignore[arg-type]

    line = command.fails("subscribe", "--callback-url", HOOK, "--replace")

    assert line.startswith(f"Nothing is subscribed any more, as {old} was deleted and no new")
    assert "run `calendly-webhooks subscribe` again once this is solved: webhook_subscrip" in line
    assert "POST /webhook_subscriptions" in line
    assert command.sandbox.calendly.webhooks == {}
    monkeypatch.undo()
    command.sandbox.faults.clear()
    assert command.subscribed() in command.sandbox.calendly.webhooks


def test_the_subscription_just_deleted_is_not_taken_for_the_new_one(command: Command) -> None:
    old = command.subscribed()
    # As if Calendly were slow to delete it: it has gone, and yet it is listed and in the way.
    command.sandbox.faults.add(Fault(old.removeprefix("https://api.calendly.com"), status=404))

    line = command.fails("subscribe", "--callback-url", HOOK, "--replace")

    assert line.startswith("Nothing is subscribed any more")
    assert "Created" not in line


def test_an_interruption_says_that_nothing_is_subscribed_any_more(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.subscribed()
    send = client.Client.send

    def interrupted(self: client.Client, request: client.Request, *args: object) -> object:
        if request.method == "POST":
            raise KeyboardInterrupt
        return send(self, request, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(client.Client, "send", interrupted)

    line = command.fails("subscribe", "--callback-url", HOOK, "--replace")

    assert line.startswith("Nothing is subscribed any more")
    assert line.endswith("it was interrupted.")


def test_while_the_old_one_is_still_there_it_does_not_say_so(command: Command) -> None:
    old = command.subscribed()
    command.sandbox.faults.add(Fault(LIST, status=403, after=1))

    line = command.fails("subscribe", "--callback-url", OTHER)

    assert "Nothing is subscribed" not in line
    assert "Calendly answered 403 to POST /webhook_subscriptions" in line
    assert command.noted == old in command.sandbox.calendly.webhooks


def test_an_old_one_that_cannot_be_deleted_is_named(command: Command) -> None:
    old = command.subscribed()
    command.sandbox.faults.add(Fault(old.removeprefix("https://api.calendly.com"), status=403))

    line = command.fails("subscribe", "--callback-url", OTHER)

    assert f"{command.noted} was created, but {old} could not be deleted" in line
    assert "Calendly answered 403 to DELETE /webhook_subscriptions/" in line


def test_one_that_the_inbox_could_not_note_is_named(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    send = client.Client.send

    def then_the_inbox_breaks(self: client.Client, request: client.Request, *a: object) -> object:
        found: object = send(self, request, *a)  # type: ignore[arg-type]
        if request.method == "POST":
            for file in tmp_path.glob("inbox.db*"):
                file.write_bytes(b"x" * 5000)
        return found

    monkeypatch.setattr(client.Client, "send", then_the_inbox_breaks)

    line = command.fails("subscribe", "--callback-url", HOOK)

    (uri,) = command.sandbox.calendly.webhooks
    assert line.startswith(f"{uri} was created, but the inbox does not know it; run")


def test_an_inbox_that_cannot_be_opened_is_said_before_anything_is_requested(
    command: Command,
) -> None:
    command.settings["inbox_url"] = "sqlite:////nowhere/at/all/inbox.db"

    assert "`inbox_url`" in command.fails("subscribe", "--callback-url", HOOK)
    assert not [one for one in command.requests if "webhook" in one]


# What the token may do


def test_a_token_without_the_scope_is_told_which_one_it_takes(command: Command) -> None:
    scopes = ["users:read", "webhooks:read"]
    command.settings["personal_access_token"] = command.sandbox.access.issue(
        command.sandbox.calendly.owner, scopes
    )

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert "answered 403 to POST /webhook_subscriptions" in line
    assert "it takes a token with the scope webhooks:write" in line
    assert "stream" not in line


def test_a_plain_user_is_told_who_may_subscribe(command: Command) -> None:
    kim = command.sandbox.calendly.add_member(name="Kim", email="kim@windmill.example")
    command.settings["personal_access_token"] = command.sandbox.access.issue(kim)

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert "answered 403 to GET /webhook_subscriptions" in line
    assert "set `scope: user`" in line


def test_the_plan_is_quoted(command: Command) -> None:
    command.sandbox.calendly.webhooks_need_standard = True
    command.sandbox.calendly.organization["plan"] = "basic"

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert "Please upgrade your Calendly account to Standard" in line


def test_an_apps_own_key_is_not_sent_and_an_expired_token_is_renewed(
    command: Command, tmp_path: Path
) -> None:
    app = command.sandbox.oauth.register()
    del command.settings["personal_access_token"]
    command.settings |= {
        "auth_url": command.sandbox.url,
        "oauth_store": str(tmp_path / "store"),
        "oauth_credentials": {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": command.sandbox.oauth.grant(app),
        },
    }
    first = command.subscribed()
    command.sandbox.oauth.revoke_access_tokens()
    second = command.subscribed("--replace")

    assert first != second
    assert command.sandbox.calendly.webhook_keys == {second: None}


# The options


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.windmill.example",
        "hooks.windmill.example",
        "ftp://hooks.windmill.example",
        "https://",
        "https://[oops",
        "https://hooks.windmill.example:port/",
        "https://hooks windmill.example/",
        "https://hooks.windmill.example/#here",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "",
    ],
)
def test_a_url_must_be_encrypted_on_its_way_to_another_computer(command: Command, url: str) -> None:
    assert "`--callback-url` must" in command.fails("subscribe", "--callback-url", url)
    assert command.sandbox.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_needs_no_encryption(command: Command, host: str) -> None:
    url = f"http://{host}:8790/"

    command.subscribed(url=url)

    assert [one["callback_url"] for one in command.sandbox.calendly.webhooks.values()] == [url]


def test_unknown_events_are_named_beside_the_known_ones(command: Command) -> None:
    line = command.fails(
        *("subscribe", "--callback-url", HOOK, "--events", "invitee.created, meeting_recap.created")
    )

    assert "`--events` names meeting_recap.created: for `scope: organization`" in line
    assert all(event in line for event in webhooks.EVENTS["organization"])
    assert command.sandbox.requests == []


def test_events_cannot_be_none(command: Command) -> None:
    line = command.fails("subscribe", "--callback-url", HOOK, "--events", " ,")

    assert "`--events` names none" in line


def test_only_the_events_named_are_subscribed_to(command: Command) -> None:
    uri = command.subscribed("--events", f"{TRUSTED}, contact.created,contact.created")

    events = command.sandbox.calendly.webhooks[uri]["events"]
    assert events == [*TRUSTED.split(","), "contact.created"]


def test_an_inbox_that_the_tap_cannot_trust_is_warned_of(command: Command) -> None:
    result = command.run(
        "subscribe", "--callback-url", HOOK, "--events", "invitee.created,invitee.canceled"
    )

    assert result.returncode == 0
    (warning,) = [line for line in result.stderr.splitlines() if "| WARNING " in line]
    assert "Without invitee_no_show.created, invitee_no_show.deleted, the inbox" in warning
    assert "the tap cannot trust it" in warning


def test_a_refusal_does_not_repeat_the_secret_of_a_url(command: Command) -> None:
    body = {"title": "Invalid Argument", "message": f"{HOOK} is not acceptable"}
    command.sandbox.faults.add(Fault(LIST, status=400, body=body, after=1))

    line = command.fails("subscribe", "--callback-url", HOOK)

    assert "Invalid Argument https://hooks.windmill.example/****** is not acceptable" in line
    assert "correct the option or setting" in line
