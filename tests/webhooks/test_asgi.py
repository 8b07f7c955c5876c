"""Any ASGI server can host the receiver, by the tap's environment variables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tap_calendly.inbox.figures import figures
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.webhooks import asgi
from tests.command import ENVIRONMENT
from tests.webhooks.deliveries import KEY, body, delivery, signature


@pytest.mark.exhaustive
def test_uvicorn_hosts_the_receiver(sqlite: str) -> None:
    variables = {"TAP_CALENDLY_INBOX_URL": sqlite, "TAP_CALENDLY_WEBHOOK_SIGNING_KEY": KEY}
    arguments = ["--factory", "tap_calendly.webhooks.asgi:app", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own receiver
        [sys.executable, "-m", "uvicorn", *arguments],
        env={**ENVIRONMENT, **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        (line,) = (next(line for line in process.stderr if "running on" in line),)
        port = int(line.partition("http://127.0.0.1:")[2].split()[0])
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            statuses = []
            for content in (body(1), b"[]"):
                headers = {"Calendly-Webhook-Signature": signature(content)}
                connection.request("POST", "/", content, headers)
                answer = connection.getresponse()
                statuses.append((answer.status, answer.read()))
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read()

    assert statuses == [(200, b""), (400, b"")]
    (found,) = InboxReader(sqlite).after(0)
    assert found.delivery == delivery(1)
    assert figures(sqlite, found.received_at).refused == {"unreadable": 1}, "its lifespan ended"
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("", "", "`inbox_url` is missing.*`webhook_signing_key` is missing"),
        ("sqlite:////nowhere/inbox.db", KEY, "cannot be reached"),
        ("mysql://somebody:the-password@localhost/x", KEY, "`inbox_url` must be sqlite"),
        ("sqlite:////tmp/inbox.db", "\x00", "`webhook_signing_key` must be one word"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str, key: str, said: str
) -> None:
    settings = {"TAP_CALENDLY_INBOX_URL": url, "TAP_CALENDLY_WEBHOOK_SIGNING_KEY": key}
    monkeypatch.setattr(os, "environ", settings)

    with pytest.raises(SystemExit, match=said) as caught:
        asgi.app()
    assert "\n" not in str(caught.value)
    assert "the-password" not in str(caught.value)
