"""The commands of `calendly-webhooks` say what they need, and what they did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.webhooks import __main__
from tests.command import ENVIRONMENT, run_here
from tests.webhooks.command import HOOK, KEY, LIST, ONE, TRUSTED, Command
from tests.webhooks.deliveries import body, delivery, signature
from tests.webhooks.test_status import now

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTABLE = Path(sys.executable).with_name("calendly-webhooks")
SUBSCRIBE = ("subscribe", "--callback-url", HOOK)


# list and delete


def test_subscriptions_are_listed_without_the_secrets_of_their_urls(command: Command) -> None:
    uri = command.subscribed("--events", TRUSTED)
    calendly = command.sandbox.calendly
    crm = calendly.subscribe(
        callback_url=f"https://me:{KEY}@crm.example/{KEY}?key={KEY}", events=["contact.created"]
    )
    calendly.fail_webhook(webhook=crm, for_good=True)

    assert command.says("list").splitlines() == [
        f"{uri} (the inbox's own): active, posts to hooks.windmill.example: "
        + TRUSTED.replace(",", ", "),
        f"{crm}: disabled, posts to crm.example: contact.created",
    ]
    assert command.requests == [f"GET {LIST}"]


def test_all_pages_are_listed(command: Command) -> None:
    del command.settings["inbox_url"]
    for number in range(101):
        command.sandbox.calendly.subscribe(callback_url=f"https://a.example/{number}", events=[])

    assert len(command.says("list").splitlines()) == 101
    assert command.requests == [f"GET {LIST}"] * 2


def test_no_subscriptions_are_said_in_words(command: Command) -> None:
    del command.settings["inbox_url"], command.settings["webhook_signing_key"]

    assert command.says("list") == "There are no subscriptions with the scope organization.\n"


def test_a_list_needs_no_inbox_to_be_there(command: Command, tmp_path: Path) -> None:
    result = command.run("list")

    assert result.returncode == 0
    assert "the inbox that `inbox_url` names does not exist" in result.stderr
    assert list(tmp_path.glob("inbox.db*")) == []


def test_subscriptions_are_deleted_by_uri_or_id(command: Command) -> None:
    calendly = command.sandbox.calendly
    one, two = (
        calendly.subscribe(callback_url=f"https://a.example/{number}", events=[])
        for number in range(2)
    )
    own = command.subscribed()

    said = command.says("delete", one, two.rsplit("/", 1)[-1], own, one)

    assert said.splitlines() == [
        f"Deleted {one}.",
        f"Deleted {two}.",
        f"Deleted {own}, the inbox's own.",
        f"{one} was gone already.",
    ]
    assert calendly.webhooks == {}
    assert command.requests == [f"DELETE {ONE}"] * 4


@pytest.mark.parametrize("given", ["", "/", "a?b", "https://api.calendly.com/x/é"])
def test_only_a_uri_or_an_id_can_be_deleted(command: Command, given: str) -> None:
    assert "is neither the URI nor the ID of a subscription" in command.fails("delete", given)
    assert command.requests == []


# serve and forget


@pytest.mark.exhaustive
def test_a_receiver_runs_until_it_is_told_to_stop(command: Command, tmp_path: Path) -> None:
    variables = {
        "TAP_CALENDLY_INBOX_URL": command.inbox_url,
        "TAP_CALENDLY_WEBHOOK_SIGNING_KEY": KEY,
    }
    with subprocess.Popen(  # noqa: S603 - our own executable
        [EXECUTABLE, "--config", "ENV", "serve", "--port", "0", "--path", "/hook"],
        env={**ENVIRONMENT, **variables},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            started = next(line for line in process.stderr if "Receiving webhooks" in line)
            url = started.rpartition(" ")[2].strip().rstrip(".")
            header = {"Calendly-Webhook-Signature": signature(body(1), key=KEY)}
            status = requests.post(url, body(1), headers=header, timeout=10).status_code
            process.send_signal(signal.SIGTERM)
            stopped = process.wait(20)
        finally:
            process.kill()

    assert (status, stopped) == (200, 0)
    assert url.endswith("/hook")
    assert [one.delivery for one in InboxReader(command.inbox_url).after(0)] == [delivery(1)]


def test_a_persons_deliveries_are_removed(command: Command) -> None:
    store = Store(command.inbox_url)
    for number in (1, 2, 1):
        store.add(delivery(number), now())
    del command.settings["personal_access_token"]

    assert command.says("forget", "Guest1@example.com") == "Removed 1 deliveries.\n"
    assert command.says("forget", "guest1@example.com") == "Removed 0 deliveries.\n"
    assert [one.delivery for one in InboxReader(command.inbox_url).after(0)] == [delivery(2)]
    assert command.requests == []


def test_forget_creates_no_inbox(command: Command, tmp_path: Path) -> None:
    assert "does not exist" in command.fails("forget", "ada@example.com")
    assert list(tmp_path.glob("inbox.db*")) == []


def test_forget_takes_an_address(command: Command) -> None:
    result = command.run("forget", "Ada")

    assert result.returncode == 2
    assert "EMAIL: must be an email address" in result.stderr


def test_a_new_key_can_be_used_and_is_new(command: Command) -> None:
    keys = {run_here(command.folder, "new-key", config={}, main=__main__.main).stdout.strip()}
    keys.add(run_here(command.folder, "new-key", config={}, main=__main__.main).stdout.strip())

    assert [len(key) for key in keys] == [43, 43]
    command.settings["webhook_signing_key"] = key = keys.pop()
    assert command.sandbox.calendly.webhook_keys == {}
    uri = command.subscribed()
    assert command.sandbox.calendly.webhook_keys == {uri: key}


# Settings


MISSING = [
    (SUBSCRIBE, "personal_access_token"),
    (SUBSCRIBE, "inbox_url"),
    (SUBSCRIBE, "webhook_signing_key"),
    (("list",), "personal_access_token"),
    (("delete", "A"), "personal_access_token"),
    (("status",), "personal_access_token"),
    (("status",), "inbox_url"),
    (("serve", "--port", "0"), "inbox_url"),
    (("serve", "--port", "0"), "webhook_signing_key"),
    (("forget", "a@b.example"), "inbox_url"),
]


@pytest.mark.parametrize("value", [None, "", " "])
@pytest.mark.parametrize(("arguments", "setting"), MISSING, ids=str)
def test_a_missing_setting_is_named(
    command: Command, arguments: tuple[str, ...], setting: str, value: str | None
) -> None:
    command.settings[setting] = value

    assert f"Setting `{setting}` " in command.fails(*arguments)
    assert command.sandbox.requests == []


def test_keys_that_are_only_commas_are_missing(command: Command) -> None:
    command.settings["webhook_signing_key"] = " , "

    assert "Setting `webhook_signing_key` is missing" in command.fails(*SUBSCRIBE)


def test_settings_come_from_files_and_the_environment_and_later_ones_win(
    command: Command, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"webhook_signing_key": KEY[::-1], "misspelt": 1}))
    settings = {**command.settings, "scope": "group"}

    result = run_here(
        tmp_path,
        *("--config", str(other), "--config", "ENV", *SUBSCRIBE),
        config=settings,
        environment={"TAP_CALENDLY_SCOPE": "organization"},
        main=__main__.main,
    )

    assert result.returncode == 0, result.stderr
    assert [*command.sandbox.calendly.webhook_keys.values()] == [KEY[::-1]]
    assert "There is no setting `misspelt`: it is ignored." in result.stderr


@pytest.mark.parametrize(
    ("settings", "environment", "named"),
    [
        ("{", {}, "it is not JSON"),
        ({"scope": "galaxy"}, {}, "Setting `scope` must be one of"),
        ({"inbox_url": "mysql://me@host/db"}, {}, "Setting `inbox_url` must be"),
        ({"start_date": KEY}, {}, "`start_date`"),
        ({}, {"TAP_CALENDLY_LOOKBACK_DAYS": "x"}, "variable `TAP_CALENDLY_LOOKBACK_DAYS`"),
        ({}, {"TAP_CALENDLY_LOGLEVEL": "LOUD"}, "variable `TAP_CALENDLY_LOGLEVEL`"),
    ],
)
def test_an_unusable_setting_is_refused_as_by_the_tap(
    command: Command,
    settings: Mapping[str, str] | str,
    environment: Mapping[str, str],
    named: str,
) -> None:
    config = settings if isinstance(settings, str) else {**command.settings, **settings}

    result = run_here(
        command.folder,
        *("--config", "ENV", "status"),
        config=config,
        environment=environment,
        main=__main__.main,
    )

    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert named in line
    assert KEY not in line


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['uvicorn'] = None\n"
    code += "from tap_calendly.webhooks.__main__ import main; main()"
    result = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={**ENVIRONMENT, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr == (
        "calendly-webhooks needs more packages: install singer-tap-calendly[webhooks].\n"
    )


def test_a_bug_is_one_line_without_a_traceback(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError(KEY)

    monkeypatch.setattr("tap_calendly.webhooks.subscription.plan", buggy)
    monkeypatch.setattr("tap_calendly.webhooks.subscribe.plan", buggy)

    line = command.fails(*SUBSCRIBE)

    assert line.startswith("calendly-webhooks failed unexpectedly (ZeroDivisionError): ")


def test_the_most_verbose_run_shows_no_secret(command: Command) -> None:
    def loud(*arguments: str) -> str:
        result = run_here(
            command.folder,
            *arguments,
            config=command.settings,
            environment={"TAP_CALENDLY_LOGLEVEL": "DEBUG"},
            main=__main__.main,
        )
        assert result.returncode == 0
        return result.stdout + result.stderr

    said = loud(*SUBSCRIBE) + loud(*SUBSCRIBE, "--replace") + loud("list")

    assert "POST /webhook_subscriptions" in said
    for secret in (KEY, command.sandbox.token, HOOK.rsplit("/", 1)[-1]):
        assert secret not in said


@pytest.mark.parametrize(
    "command_name", ["subscribe", "list", "delete", "status", "serve", "forget", "new-key"]
)
def test_help_explains_every_option(command: Command, command_name: str) -> None:
    result = run_here(command.folder, command_name, "--help", config={}, main=__main__.main)

    assert result.returncode == 0
    assert result.stdout.startswith(f"Usage: calendly-webhooks {command_name} ")
    for line in result.stdout.splitlines():
        assert not line.endswith("...")
