"""Webhook subscriptions are created and deleted as Calendly's reference describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from tests.sandbox.asking import ask, path_of, refusal
from tests.sandbox.paths import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.description import Description

PATH = "/webhook_subscriptions"
HOOK = "https://hooks.windmill.example/calendly"
KEY = "key that signs deliveries"


@pytest.fixture
def basic() -> Iterator[Sandbox]:
    """An organization that pays for nothing."""
    with Sandbox(Calendly(plan="basic")) as running:
        yield running


def wanted(sandbox: Sandbox, **changes: object) -> dict[str, Any]:
    """Return what creates a subscription of the organization; None leaves something out."""
    body = {
        "url": HOOK,
        "events": ["invitee.created", "invitee.canceled"],
        "organization": sandbox.calendly.organization["uri"],
        "scope": "organization",
        "signing_key": KEY,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def post(sandbox: Sandbox, body: object, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.token if token is None else token}"}
    return requests.post(sandbox.url + PATH, json=body, headers=headers, timeout=10)


def delete(sandbox: Sandbox, uri: str, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.token if token is None else token}"}
    return requests.delete(sandbox.url + path_of(uri), headers=headers, timeout=10)


def test_a_subscription_is_created_listed_and_deleted(
    sandbox: Sandbox, description: Description
) -> None:
    made = post(sandbox, wanted(sandbox))
    record = made.json()["resource"]

    assert made.status_code == 201
    assert description.complaints(PATH, made) == []
    assert (record["callback_url"], record["state"]) == (HOOK, "active")
    assert record["events"] == ["invitee.created", "invitee.canceled"]
    assert record["creator"] == sandbox.calendly.owner
    assert KEY not in made.text
    assert sandbox.calendly.webhook_keys == {record["uri"]: KEY}
    query = {"organization": record["organization"], "scope": "organization"}
    assert ask(sandbox, PATH, query).json()["collection"] == [record]

    gone = delete(sandbox, record["uri"])

    assert (gone.status_code, gone.content) == (204, b"")
    assert (sandbox.calendly.webhooks, sandbox.calendly.webhook_keys) == ({}, {})
    assert delete(sandbox, record["uri"]).status_code == 404


def test_a_user_and_a_group_can_have_a_subscription(sandbox: Sandbox) -> None:
    calendly = sandbox.calendly
    group = calendly.add_group(name="Sales", members=[])
    recaps = wanted(
        sandbox, scope="user", user=calendly.owner, events=["meeting_recap.created"], url=HOOK + "1"
    )
    sales = wanted(sandbox, scope="group", group=group, url=HOOK + "2")

    own, theirs = (post(sandbox, body).json()["resource"] for body in (recaps, sales))

    assert (own["user"], own["group"]) == (calendly.owner, None)
    assert (theirs["user"], theirs["group"]) == (None, group)


def test_an_app_sends_no_key_as_it_has_one_of_its_own(sandbox: Sandbox) -> None:
    made = post(sandbox, wanted(sandbox, signing_key=None)).json()["resource"]

    assert sandbox.calendly.webhook_keys == {made["uri"]: None}


def test_a_url_has_one_subscription_at_most_even_if_that_is_disabled(
    sandbox: Sandbox, description: Description
) -> None:
    uri = post(sandbox, wanted(sandbox)).json()["resource"]["uri"]
    sandbox.calendly.fail_webhook(webhook=uri, for_good=True)

    again = post(sandbox, wanted(sandbox))

    assert (again.status_code, again.json()["title"]) == (409, "Already Exists")
    assert description.complaints(PATH, again) == []
    assert len(sandbox.calendly.webhooks) == 1


@pytest.mark.parametrize(
    ("parameter", "changes"),
    [
        ("url", {"url": None}),
        ("url", {"url": 5}),
        ("url", {"url": "hooks.windmill.example"}),
        ("url", {"url": "http://hooks.windmill.example"}),
        ("url", {"url": "https://[oops"}),
        ("events", {"events": None}),
        ("events", {"events": []}),
        ("events", {"events": "invitee.created"}),
        ("events", {"events": [["invitee.created"]]}),
        ("events", {"events": ["invitee.created", "invitee.forgotten"]}),
        ("events", {"events": ["meeting_recap.created"]}),
        ("organization", {"organization": None}),
        ("organization", {"organization": "AAAA"}),
        ("scope", {"scope": None}),
        ("scope", {"scope": "galaxy"}),
        ("user", {"scope": "user"}),
        ("group", {"scope": "group"}),
    ],
)
def test_what_is_missing_or_invalid_is_named(
    sandbox: Sandbox, description: Description, parameter: str, changes: dict[str, object]
) -> None:
    answer = post(sandbox, wanted(sandbox, **changes))

    assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, parameter)
    assert description.complaints(PATH, answer) == []
    assert sandbox.calendly.webhooks == {}


def test_a_body_that_is_no_object_is_refused(sandbox: Sandbox) -> None:
    assert post(sandbox, ["url"]).json()["details"][0]["parameter"] == "body"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8790/", "http://localhost:8790/hook"])
def test_only_loopback_needs_no_encryption(sandbox: Sandbox, url: str) -> None:
    assert post(sandbox, wanted(sandbox, url=url)).status_code == 201


def test_the_token_needs_the_scope_to_write_which_includes_reading(sandbox: Sandbox) -> None:
    owner = sandbox.calendly.owner
    reads, writes = (
        sandbox.access.issue(owner, [scope]) for scope in ("webhooks:read", "webhooks:write")
    )

    refused = post(sandbox, wanted(sandbox), reads)
    assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["webhooks:write"])
    uri = post(sandbox, wanted(sandbox), writes).json()["resource"]["uri"]
    assert ask(sandbox, uri, token=writes).status_code == 200
    assert delete(sandbox, uri, reads).status_code == 403
    assert delete(sandbox, uri, writes).status_code == 204
    assert post(sandbox, wanted(sandbox), "nonsense").status_code == 401


def test_a_plain_user_subscribes_only_for_themselves(sandbox: Sandbox, colleague: str) -> None:
    token, calendly = sandbox.access.issue(colleague), sandbox.calendly
    ours = post(sandbox, wanted(sandbox)).json()["resource"]["uri"]
    bodies = {
        "themselves": wanted(sandbox, scope="user", user=colleague, url=HOOK + "1"),
        "another": wanted(sandbox, scope="user", user=calendly.owner, url=HOOK + "2"),
        "all": wanted(sandbox, url=HOOK + "3"),
    }

    statuses = {whose: post(sandbox, body, token).status_code for whose, body in bodies.items()}

    assert statuses == {"themselves": 201, "another": 403, "all": 403}
    assert delete(sandbox, ours, token).status_code == 403


def test_every_plan_has_webhooks_unless_the_old_rule_is_wanted(basic: Sandbox) -> None:
    basic.calendly.webhooks_need_standard = True
    refused = post(basic, wanted(basic))
    basic.calendly.webhooks_need_standard = False

    assert refusal(refused) == (403, "Please upgrade your Calendly account to Standard")
    assert post(basic, wanted(basic)).status_code == 201


def test_a_subscription_that_never_was_cannot_be_deleted(sandbox: Sandbox) -> None:
    assert delete(sandbox, f"{PATH}/{UNKNOWN}").status_code == 404


def test_a_list_cannot_be_deleted(sandbox: Sandbox) -> None:
    assert delete(sandbox, PATH).status_code == 405
