"""`calendly-webhooks` as a user runs it, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_calendly.inbox.reader import InboxReader
from tap_calendly.webhooks import __main__
from tests.command import run_here
from tests.secrecy import shown
from tests.singer import config

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from sandbox.http.server import Sandbox

LIST = "/webhook_subscriptions"
ONE = "/webhook_subscriptions/{webhook_uuid}"

SECRET_PART = "tJ4x9Qm2Lw8ZpR7v"  # noqa: S105 - made up
HOOK = f"https://hooks.windmill.example/{SECRET_PART}"
KEY = "Vq3-nobody-may-see-the-signing-key_8Zk"
OLD_KEY = "Xw5-nor-the-one-before-it-while-both-are-valid"

TRUSTED = "invitee.created,invitee.canceled,invitee_no_show.created,invitee_no_show.deleted"


class Command:
    """Runs the command with the settings of one inbox.

    Attributes:
        settings: The settings; change them as you like.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, inbox_url: str) -> None:
        """Set it up; nothing is run yet."""
        self.sandbox = sandbox
        self.folder = folder
        self.inbox_url = inbox_url
        self.settings: dict[str, Any] = config(
            sandbox, inbox_url=inbox_url, webhook_signing_key=f"{KEY},{OLD_KEY}"
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it; whatever it says, no secret is in it."""
        self.sandbox.forget_requests()
        result = run_here(self.folder, *arguments, config=self.settings, main=__main__.main)
        said = result.stdout + result.stderr
        assert shown(said, [self.sandbox.token, KEY, OLD_KEY, SECRET_PART]) == []
        assert "Traceback" not in said
        return result

    def says(self, *arguments: str, status: int = 0) -> str:
        """Return what it prints."""
        result = self.run(*arguments)
        assert (result.returncode, result.stderr) == (status, "")
        return result.stdout

    def fails(self, *arguments: str) -> str:
        """Return the one line that it fails with."""
        result = self.run(*arguments)
        assert result.returncode == 1
        (line,) = [line for line in result.stderr.splitlines() if "| ERROR " in line]
        return line.split(" | ", 3)[3]

    def subscribed(self, *arguments: str, url: str = HOOK) -> str:
        """Subscribe, and return the URI of the subscription that the inbox then has."""
        assert self.run("subscribe", "--callback-url", url, *arguments).returncode == 0
        return self.noted

    @property
    def noted(self) -> str:
        """The URI of the subscription that the inbox has."""
        subscription = InboxReader(self.inbox_url).subscription
        assert subscription is not None
        return subscription.uri

    @property
    def requests(self) -> list[str]:
        """What the last run asked for, whoever the token's user is."""
        asked = [f"{one.method} {one.template}" for one in self.sandbox.requests]
        return [one for one in asked if one != "GET /users/me"]
