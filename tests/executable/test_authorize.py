"""`tap-calendly --authorize`: from the browser to a file for `--config`."""

from __future__ import annotations

import json
import socket
import stat
import sys
import webbrowser
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import requests
from click.testing import CliRunner

from tap_calendly.auth import browser
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.tap import TapCalendly
from tests.command import complaints, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from sandbox.http.oauth import App
    from sandbox.http.server import Sandbox

TOKEN = "/oauth/token"  # noqa: S105 - a path


@dataclass
class User:
    """A user with a browser, who authorizes an app.

    Attributes:
        sandbox: Stands in for Calendly.
        folder: Where all files are written.
        port: The local port on which the command waits for the browser.
        app: The app.
        visit: What the browser does with a URL.
        opened: The URLs opened so far.
    """

    sandbox: Sandbox
    folder: Path
    port: int
    app: App
    visit: Callable[[str], object]
    opened: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The credentials file."""
        return self.folder / "credentials.json"

    @property
    def state(self) -> str:
        """The `state` parameter of the URL opened last."""
        return parse_qs(urlsplit(self.opened[-1]).query)["state"][0]

    def open(self, url: str) -> bool:
        """Stand in for `webbrowser.open`."""
        self.opened.append(url)
        self.visit(url)
        return True

    def authorize(self, *more: str, typed: str | None = None) -> Result:
        """Run the command in this process.

        Args:
            *more: Additional options.
            typed: What the user types; None if the settings name the app.
        """
        settings: dict[str, Any] = {"auth_url": self.sandbox.url, "api_url": self.sandbox.url}
        if typed is None:
            settings["oauth_credentials"] = {
                "client_id": self.app.client_id,
                "client_secret": self.app.client_secret,
            }
        (self.folder / "config.json").write_text(json.dumps(settings))
        arguments = {
            "--config": self.folder / "config.json",
            "--redirect-port": self.port,
            "--credentials-file": self.file,
        }
        given = [str(each) for pair in arguments.items() for each in pair]
        return CliRunner().invoke(
            TapCalendly.get_singer_command(), ["--authorize", *given, *more], input=typed
        )

    def error_line(self, *more: str, typed: str | None = None) -> str:
        """Run the command, and return the one line in which it ends; it writes no file."""
        before = self.file.read_text() if self.file.exists() else None
        result = self.authorize(*more, typed=typed)
        assert result.exit_code == 1
        assert isinstance(result.exception, CalendlyError)
        line = str(result.exception)
        assert line.startswith("OAuth: ")
        assert "\n" not in line
        assert before == (self.file.read_text() if self.file.exists() else None)
        assert not list(self.folder.glob(".credentials*"))
        return line


@pytest.fixture
def user(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """A user whose browser opens every URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    app = sandbox.oauth.register(redirect_uri=f"http://localhost:{port}")
    user = User(sandbox, tmp_path, port, app, lambda url: requests.get(url, timeout=10))
    monkeypatch.setattr(webbrowser, "open", user.open)
    return user


def test_the_command_writes_a_file_that_a_run_can_use(user: User) -> None:
    visitor = user.folder / "visitor.py"
    visitor.write_text("import sys, requests\nrequests.get(sys.argv[1], timeout=10)\n")
    base = {"api_url": user.sandbox.url, "auth_url": user.sandbox.url, "oauth_store": "store"}
    app = {"client_id": user.app.client_id, "client_secret": user.app.client_secret}

    result = run_tap(
        user.folder,
        *("--authorize", "--redirect-port", str(user.port)),
        config={**base, "oauth_credentials": app},
        environment={
            "BROWSER": f"{sys.executable} {visitor} %s",
            "TAP_CALENDLY_LOGLEVEL": "DEBUG",
        },
    )

    assert result.returncode == 0, result.stderr
    file = user.folder / "calendly-credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    credentials = json.loads(file.read_text())["oauth_credentials"]
    output = result.stdout + result.stderr
    assert str(user.app.client_secret) not in output
    assert credentials["refresh_token"] not in output
    run = run_tap(user.folder, "--config", file.name, config=base)
    assert run.returncode == 0
    assert complaints(run) == []


def test_the_opened_url_carries_a_challenge_and_no_secret(user: User) -> None:
    result = user.authorize()

    assert result.exit_code == 0
    (url,) = user.opened
    assert url in result.output
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) > 30
    assert str(user.app.client_secret) not in url


@pytest.mark.parametrize("native", [False, True], ids=["web", "native"])
@pytest.mark.parametrize("by_option", [False, True], ids=["prompt", "option"])
def test_the_command_prompts_for_the_app_when_no_setting_names_it(
    user: User, *, native: bool, by_option: bool
) -> None:
    user.app = app = user.sandbox.oauth.register(
        native=native, redirect_uri=f"http://localhost:{user.port}"
    )
    option = ("--client-id", app.client_id) if by_option else ()
    typed = [*([] if by_option else [app.client_id]), app.client_secret or ""]

    result = user.authorize(*option, typed="".join(f"{line}\n" for line in typed))

    assert result.exit_code == 0
    kept = json.loads(user.file.read_text())["oauth_credentials"]
    assert kept["client_id"] == app.client_id
    assert kept.get("client_secret") == app.client_secret
    assert app.client_secret is None or app.client_secret not in result.output


def test_with_another_redirect_uri_the_user_pastes_the_url(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.app = user.sandbox.oauth.register(redirect_uri="https://windmill.example/calendly")
    redirects: SimpleQueue[str] = SimpleQueue()

    def visit(url: str) -> None:
        response = requests.get(url, allow_redirects=False, timeout=10)
        redirects.put(response.headers["Location"])

    user.visit = visit
    monkeypatch.setattr(click, "prompt", lambda _: redirects.get(timeout=10))

    assert user.authorize("--redirect-uri", user.app.redirect_uri).exit_code == 0
    assert user.file.exists()


def test_a_pasted_url_without_a_code_ends_the_command_in_one_line(user: User) -> None:
    user.visit = lambda _: None
    typed = f"{user.app.client_id}\n{user.app.client_secret}\nhttps://windmill.example\n"

    line = user.error_line("--redirect-uri", "https://windmill.example", typed=typed)

    assert "the address holds no `code`" in line


def test_denied_access_ends_the_command_in_one_line(user: User) -> None:
    user.sandbox.oauth.consents = False

    assert user.error_line() == "OAuth: access was denied; no credentials were saved."


def test_a_forged_state_ends_the_command_in_one_line(user: User) -> None:
    forged = f"http://localhost:{user.port}/?code=forged&state=guessed"
    user.visit = lambda _: requests.get(forged, timeout=10)

    assert "`state` differs" in user.error_line()
    assert TOKEN not in user.sandbox.requests_by_path()


def test_a_rejected_code_ends_the_command_in_one_line(user: User) -> None:
    user.visit = lambda _: requests.get(
        f"http://localhost:{user.port}/?code=made-up&state={user.state}", timeout=10
    )

    assert "(invalid_grant): the code was not accepted" in user.error_line()


def test_an_authorization_error_ends_the_command_in_one_line(user: User) -> None:
    user.visit = lambda _: requests.get(
        f"http://localhost:{user.port}/?error=invalid_scope&state={user.state}", timeout=10
    )

    assert "gave no code (invalid_scope)" in user.error_line()


def test_other_requests_from_the_browser_do_no_harm(user: User) -> None:
    def visit(url: str) -> None:
        with socket.create_connection(("127.0.0.1", user.port)):  # and sends nothing
            icon = requests.get(f"http://localhost:{user.port}/favicon.ico", timeout=10)
            assert icon.status_code == 404
            assert "Done" in requests.get(url, timeout=10).text

    user.visit = visit

    assert user.authorize().exit_code == 0


def test_a_browser_that_never_returns_ends_the_command_in_one_line(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "TIMEOUT", 0)
    user.visit = lambda _: None

    assert "no answer came from the browser" in user.error_line()


def test_a_port_in_use_ends_the_command_in_one_line(user: User) -> None:
    with socket.create_server(("127.0.0.1", user.port)):
        assert f"cannot listen on port {user.port} of this computer" in user.error_line()
    assert not user.opened


def test_a_file_with_other_settings_is_not_overwritten(user: User) -> None:
    user.file.write_text('{"start_date": "2025-01-01"}')

    assert "holds more than credentials" in user.error_line()
    assert not user.opened


def test_an_unwritable_file_is_reported_before_the_browser_opens(user: User) -> None:
    file = str(user.folder / "nowhere" / "credentials.json")

    line = user.error_line("--credentials-file", file)

    assert f"{file} cannot be written (No such file or directory)" in line
    assert not user.opened


def test_authorizing_again_replaces_the_credentials(user: User) -> None:
    assert user.authorize().exit_code == 0
    before = user.file.read_text()

    assert user.authorize().exit_code == 0
    assert user.file.read_text() != before
