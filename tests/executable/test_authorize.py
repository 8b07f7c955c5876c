"""`tap-calendly --authorize`: from the browser to a file that `--config` takes."""

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

TOKEN = "/oauth/token"  # noqa: S105 - the path's name


@dataclass
class User:
    """Somebody with a browser, who wants an app to read a sandbox.

    Attributes:
        sandbox: Calendly's place.
        folder: Where everything is written.
        port: Where the command may wait for the browser.
        app: The app.
        visit: What happens to the address that the browser is given.
        opened: The addresses so far.
    """

    sandbox: Sandbox
    folder: Path
    port: int
    app: App
    visit: Callable[[str], object]
    opened: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """Where the credentials are to be."""
        return self.folder / "credentials.json"

    @property
    def state(self) -> str:
        """What must come back from the address that was opened last."""
        return parse_qs(urlsplit(self.opened[-1]).query)["state"][0]

    def open(self, address: str) -> bool:
        """Stand in for `webbrowser.open`."""
        self.opened.append(address)
        self.visit(address)
        return True

    def authorize(self, *more: str, typed: str | None = None) -> Result:
        """Run the command in this process.

        Args:
            *more: Options beside the usual ones.
            typed: What is typed; None where the settings name the app.
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

    def fails(self, *more: str, typed: str | None = None) -> str:
        """Give the one line in which the command ends; nothing is written then."""
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
    """One whose browser goes where it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    app = sandbox.oauth.register(redirect_uri=f"http://localhost:{port}")
    user = User(sandbox, tmp_path, port, app, lambda address: requests.get(address, timeout=10))
    monkeypatch.setattr(webbrowser, "open", user.open)
    return user


def test_the_command_ends_in_a_file_that_a_run_can_use(user: User) -> None:
    visitor = user.folder / "visitor.py"
    visitor.write_text("import sys, requests\nrequests.get(sys.argv[1], timeout=10)\n")
    base = {"api_url": user.sandbox.url, "auth_url": user.sandbox.url, "oauth_store": "store"}
    named = {"client_id": user.app.client_id, "client_secret": user.app.client_secret}

    result = run_tap(
        user.folder,
        *("--authorize", "--redirect-port", str(user.port)),
        config={**base, "oauth_credentials": named},
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


def test_the_address_that_is_opened_holds_a_challenge_and_no_secret(user: User) -> None:
    result = user.authorize()

    assert result.exit_code == 0
    (address,) = user.opened
    assert address in result.output
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) > 30
    assert str(user.app.client_secret) not in address


@pytest.mark.parametrize("native", [False, True], ids=["web", "native"])
@pytest.mark.parametrize("named", [False, True], ids=["asked for", "by option"])
def test_the_app_is_asked_for_when_no_setting_names_it(
    user: User, *, native: bool, named: bool
) -> None:
    user.app = app = user.sandbox.oauth.register(
        native=native, redirect_uri=f"http://localhost:{user.port}"
    )
    option = ("--client-id", app.client_id) if named else ()
    typed = [*([] if named else [app.client_id]), app.client_secret or ""]

    result = user.authorize(*option, typed="".join(f"{line}\n" for line in typed))

    assert result.exit_code == 0
    kept = json.loads(user.file.read_text())["oauth_credentials"]
    assert kept["client_id"] == app.client_id
    assert kept.get("client_secret") == app.client_secret
    assert app.client_secret is None or app.client_secret not in result.output


def test_an_app_with_another_redirect_uri_takes_the_pasted_address(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.app = user.sandbox.oauth.register(redirect_uri="https://windmill.example/calendly")
    landed: SimpleQueue[str] = SimpleQueue()

    def visit(address: str) -> None:
        answer = requests.get(address, allow_redirects=False, timeout=10)
        landed.put(answer.headers["Location"])

    user.visit = visit
    monkeypatch.setattr(click, "prompt", lambda _: landed.get(timeout=10))

    assert user.authorize("--redirect-uri", user.app.redirect_uri).exit_code == 0
    assert user.file.exists()


def test_an_address_without_a_code_ends_it_in_one_line(user: User) -> None:
    user.visit = lambda _: None
    typed = f"{user.app.client_id}\n{user.app.client_secret}\nhttps://windmill.example\n"

    line = user.fails("--redirect-uri", "https://windmill.example", typed=typed)

    assert "the address holds no `code`" in line


def test_a_user_who_refuses_ends_it_in_one_line(user: User) -> None:
    user.sandbox.oauth.consents = False

    assert user.fails() == "OAuth: access was denied; no credentials were saved."


def test_an_answer_to_another_question_ends_it_in_one_line(user: User) -> None:
    forged = f"http://localhost:{user.port}/?code=forged&state=guessed"
    user.visit = lambda _: requests.get(forged, timeout=10)

    assert "`state` differs" in user.fails()
    assert TOKEN not in user.sandbox.requests_by_path()


def test_a_code_that_is_not_accepted_ends_it_in_one_line(user: User) -> None:
    user.visit = lambda _: requests.get(
        f"http://localhost:{user.port}/?code=made-up&state={user.state}", timeout=10
    )

    assert "(invalid_grant): the code was not accepted" in user.fails()


def test_a_question_that_calendly_does_not_ask_ends_it_in_one_line(user: User) -> None:
    user.visit = lambda _: requests.get(
        f"http://localhost:{user.port}/?error=invalid_scope&state={user.state}", timeout=10
    )

    assert "gave no code (invalid_scope)" in user.fails()


def test_other_requests_of_the_browser_do_no_harm(user: User) -> None:
    def visit(address: str) -> None:
        with socket.create_connection(("127.0.0.1", user.port)):  # and says nothing
            icon = requests.get(f"http://localhost:{user.port}/favicon.ico", timeout=10)
            assert icon.status_code == 404
            assert "Done" in requests.get(address, timeout=10).text

    user.visit = visit

    assert user.authorize().exit_code == 0


def test_a_browser_that_does_not_come_back_ends_it_in_one_line(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "TIMEOUT", 0)
    user.visit = lambda _: None

    assert "no answer came from the browser" in user.fails()


def test_a_port_that_is_taken_ends_it_in_one_line(user: User) -> None:
    with socket.create_server(("127.0.0.1", user.port)):
        assert f"cannot listen on port {user.port} of this computer" in user.fails()
    assert not user.opened


def test_a_file_that_holds_other_settings_is_not_overwritten(user: User) -> None:
    user.file.write_text('{"start_date": "2025-01-01"}')

    assert "holds more than credentials" in user.fails()
    assert not user.opened


def test_a_file_that_cannot_be_written_is_found_before_anybody_is_asked(user: User) -> None:
    file = str(user.folder / "nowhere" / "credentials.json")

    line = user.fails("--credentials-file", file)

    assert f"{file} cannot be written (No such file or directory)" in line
    assert not user.opened


def test_credentials_are_replaced(user: User) -> None:
    assert user.authorize().exit_code == 0
    before = user.file.read_text()

    assert user.authorize().exit_code == 0
    assert user.file.read_text() != before
