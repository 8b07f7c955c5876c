"""Tokens and the links that act for an invitee go only where they belong, and are never logged."""

from __future__ import annotations

import base64
import json
import logging
import signal
import stat
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from typing_extensions import override

from sandbox.http.faults import Fault
from tap_calendly.auth import token_store
from tap_calendly.reporting import redaction
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.reporting.redaction import PIECE
from tests.command import complaints, run_tap, start_tap
from tests.secrecy import shown
from tests.singer import catalog, config, sync, truth

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.http.server import Sandbox

TOKEN = "/oauth/token"  # noqa: S105 - a path
STATUSES = (201, 204, 301, 302, 400, 401, 403, 404, 408, 418, 424, 429, 500, 502, 503)

LOG_CONFIG = """
version: 1
disable_existing_loggers: false
formatters:
  structured:
    (): singer_sdk.logging.StructuredFormatter
handlers:
  file:
    class: logging.FileHandler
    filename: structured.log
    formatter: structured
  console:
    class: logging.StreamHandler
root:
  level: DEBUG
  handlers: [file, console]
"""


@pytest.fixture
def verbose(tmp_path: Path) -> dict[str, str]:
    """The environment of a run that logs all it can, to a file too, with its connections."""
    (tmp_path / "logging.yml").write_text(LOG_CONFIG)
    add_bug(tmp_path, "import http.client; http.client.HTTPConnection.debuglevel = 1")
    return {
        "TAP_CALENDLY_LOGLEVEL": "DEBUG",
        "SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.yml"),
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "default",
    }


def add_bug(folder: Path, code: str) -> None:
    """Add code that runs when the tap's Python starts."""
    (folder / "sitecustomize.py").write_text(textwrap.dedent(code))


def output_of(result: subprocess.CompletedProcess[str], folder: Path) -> str:
    """Return everything that a run has output, except its records."""
    messages = [line for line in result.stdout.splitlines() if '"type":"RECORD"' not in line]
    return "\n".join([*messages, result.stderr, (folder / "structured.log").read_text()])


def invitee_links(sandbox: Sandbox) -> list[str]:
    """Return the links that act for invitees."""
    invitees = [row for rows in sandbox.calendly.invitees.values() for row in rows]
    return [row[name] for row in invitees for name in ("cancel_url", "reschedule_url")]


def secrets_of(sandbox: Sandbox) -> list[str]:
    """Return what nobody may see: the token, and the secret parts of the links."""
    return [sandbox.token, *(link.rsplit("/", 1)[-1] for link in invitee_links(sandbox))]


def test_the_most_verbose_run_shows_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    result = run_tap(
        tmp_path, config=config(sandbox), environment={**verbose, "PYTHONDEVMODE": "1"}
    )

    assert result.returncode == 0
    assert all(link in result.stdout for link in invitee_links(sandbox))
    assert "GET /scheduled_events" in output_of(result, tmp_path)
    assert shown(output_of(result, tmp_path), secrets_of(sandbox)) == []


def test_deselected_links_appear_nowhere(sandbox: Sandbox, tmp_path: Path) -> None:
    selected = catalog({"event_invitees"})
    assert selected is not None
    for stream in selected["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] in (["cancel_url"], ["reschedule_url"]):
                entry["metadata"]["selected"] = False
    (tmp_path / "catalog.json").write_text(json.dumps(selected))

    result = run_tap(tmp_path, "--catalog", "catalog.json", config=config(sandbox))

    assert '"event_invitees","record"' in result.stdout
    assert not any(link in result.stdout + result.stderr for link in invitee_links(sandbox))


def test_oauth_tokens_are_only_in_their_store_which_only_its_owner_can_read(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    app = sandbox.oauth.register()
    first = sandbox.oauth.grant(app)
    credentials = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": first,
    }
    given = config(
        sandbox,
        personal_access_token=None,
        oauth_credentials=credentials,
        oauth_store=str(tmp_path / "store"),
        auth_url=sandbox.url,
    )
    body = {"error": "invalid_grant", "error_description": f"{credentials} are no good"}
    sandbox.faults.add(Fault(TOKEN, status=400, body=body))
    refused = run_tap(tmp_path, config=given, environment=verbose)
    result = run_tap(tmp_path, config=given, environment=verbose)

    assert (refused.returncode, result.returncode) == (1, 0)
    (store,) = (tmp_path / "store").glob("*.json")
    tokens = json.loads(store.read_text())
    secrets = [
        str(app.client_secret),
        first,
        tokens["access_token"],
        tokens["refresh_token"],
        *secrets_of(sandbox)[1:],
    ]
    assert len(set(secrets[:4])) == 4
    for run in (refused, result):
        assert shown(output_of(run, tmp_path), secrets) == []
    files = [
        file
        for file in tmp_path.rglob("*")
        if file.is_file() and shown(file.read_text(), secrets[2:4])
    ]
    assert files == [store]
    for file in (tmp_path / "store").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700


def test_tokens_obtained_during_a_run_are_redacted_too() -> None:
    tokens = token_store.Tokens("an-access-token-of-today", "a-refresh-token-of-today", 0.0)

    text = f"{tokens.access_token} and {tokens.refresh_token} in {tokens}"

    assert redaction.clean(text).startswith("****** and ****** in Tokens(renew_at=0.0")


LINK = "https://calendly.com/cancellations/2f6f0d4c-1111-4222-8333-944445555666"


@pytest.mark.parametrize("status", STATUSES)
def test_secrets_that_a_response_echoes_are_not_shown(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    sandbox: Sandbox = request.getfixturevalue("empty_sandbox")
    request.getfixturevalue("waits")
    echo = f"Authorization: Bearer {sandbox.token} {LINK}"
    body = {
        "title": f"Sent: {echo}",
        "message": "x" * 450 + echo,  # cut off within the token
        "details": [{"parameter": echo, "message": echo}],
        "required_scopes": [echo],
        "error": echo,
        "collection": [{echo: echo}],
        "pagination": {"next_page": echo},
    }
    headers = {"X-Request-Id": sandbox.token, "Retry-After": sandbox.token}
    sandbox.faults.add(Fault("/teams", status=status, body=body, headers=headers, times=None))
    caplog.set_level(logging.DEBUG)

    with pytest.raises(CalendlyError) as raised:
        sync(sandbox, select={"teams"}, on_unavailable="fail")

    text = f"{raised.value}\n{caplog.text}"

    assert f"Calendly answered {status} to GET /teams" in text
    assert shown(text, [sandbox.token, LINK.rsplit("/", 1)[-1]]) == []


def test_a_connection_test_shows_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    for path, status in (("/teams", 400), ("/groups", 403), ("/routing_forms", 418)):
        body = {"title": "No", "message": sandbox.token}
        sandbox.faults.add(Fault(path, status=status, body=body, times=None))

    result = run_tap(tmp_path, "--test", config=config(sandbox), environment=verbose)

    assert "teams: failed: teams: Calendly answered 400 to GET /teams (No ******)" in result.stdout
    assert shown(output_of(result, tmp_path), secrets_of(sandbox)) == []


BUGS = {
    "an exception, logged with all variables": """
        import logging, traceback
        from tap_calendly.singer.stream import CalendlyStream
        def with_variables(self, info):
            return "".join(traceback.TracebackException(*info, capture_locals=True).format())
        def post_process(self, row, context=None):
            settings = dict(self.config)
            if self.name == "event_invitees":
                raise LookupError(f"{row} of {settings}") from ValueError(row)
            return row
        logging.Formatter.formatException = with_variables
        CalendlyStream.post_process = post_process
    """,
    "a log message, and an exception in a thread": """
        import logging
        from tap_calendly.singer.stream import CalendlyStream
        from tap_calendly.singer.progress import Progress
        def tell(self):
            raise LookupError(self._client._authenticator.token(None))
        def post_process(self, row, context=None):
            logging.getLogger("elsewhere").warning("%s and %d", row, dict(self.config))
            return row
        CalendlyStream.post_process = post_process
        Progress._report = tell
    """,
}


@pytest.mark.parametrize("code", BUGS.values(), ids=BUGS)
def test_a_bug_in_the_tap_shows_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str], code: str
) -> None:
    add_bug(tmp_path, code)
    selected = catalog({"event_invitees"})
    (tmp_path / "catalog.json").write_text(json.dumps(selected))

    result = run_tap(
        tmp_path, "--catalog", "catalog.json", config=config(sandbox), environment=verbose
    )

    assert "LookupError" in result.stderr
    assert shown(output_of(result, tmp_path), secrets_of(sandbox)) == []


def test_a_failing_stream_map_shows_no_link(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    maps = {"event_invitees": {"number": "int(cancel_url)", "__filter__": "reschedule_url"}}

    result = run_tap(tmp_path, config=config(sandbox, stream_maps=maps), environment=verbose)

    assert result.returncode == 1
    assert "of `stream_maps` failed on a row (ValueError)" in result.stderr
    assert shown(output_of(result, tmp_path), secrets_of(sandbox)) == []


def test_a_stopped_run_shows_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    # Without the console, as a pipe that nobody reads would fill up before the run starts.
    (tmp_path / "logging.yml").write_text(LOG_CONFIG.replace(", console", ""))
    process = start_tap(tmp_path, config(sandbox), verbose)
    assert process.stdout is not None
    for line in process.stdout:
        if '"event_invitees"' in line:
            break
    process.send_signal(signal.SIGTERM)
    rest, log = process.communicate(timeout=10)

    assert process.returncode == 128 + signal.SIGTERM
    messages = [line for line in rest.splitlines() if '"type":"RECORD"' not in line]
    text = "\n".join([*messages, log, (tmp_path / "structured.log").read_text()])
    assert "Stopped by SIGTERM" in text
    assert shown(text, secrets_of(sandbox)) == []


SECRET = "8Wq-71hZ_token-that-nobody-may-see_Xk29vQ"  # noqa: S105 - made up

MISPLACED: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, str]]] = {
    "in other settings": (
        (),
        {
            "user_agent": f"me {SECRET}",
            "auth_url": f"https://auth.calendly.com/{SECRET}",
            "organization": SECRET,
            "stream_maps": {"event_types": {"__filter__": f"name != '{SECRET}'"}},
            "oauth_store": f"/nowhere/{SECRET}",
        },
        {},
    ),
    "in URLs": (
        (),
        {
            "api_url": f"https://{SECRET}@api.calendly.com",
            "auth_url": f"https://auth.calendly.com?token={SECRET}",
        },
        {},
    ),
    "of the wrong type": ((), {"personal_access_token": {"token": [SECRET]}}, {}),
    "in place of a file": (("--config", json.dumps({"personal_access_token": SECRET})), {}, {}),
    "after another word": (
        ("--config", "ENV"),
        {"personal_access_token": None},
        {"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": f"Bearer {SECRET}"},
    ),
    "of an app, not as JSON": (
        ("--config", "ENV"),
        {"personal_access_token": None},
        {"TAP_CALENDLY_OAUTH_CREDENTIALS": f"client_secret={SECRET}"},
    ),
    "in the state": (("--state", "state.json"), {"organization": "AAAA"}, {}),
}


@pytest.mark.parametrize(("arguments", "given", "environment"), MISPLACED.values(), ids=MISPLACED)
def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(
    tmp_path: Path, arguments: tuple[str, ...], given: dict[str, Any], environment: dict[str, str]
) -> None:
    entry = {"replication_key_value": SECRET, "scope": "organization AAAA", "layout": 1}
    (tmp_path / "state.json").write_text(json.dumps({"bookmarks": {"activity_log_entries": entry}}))

    result = run_tap(
        tmp_path,
        *arguments,
        config={"personal_access_token": SECRET, "api_url": "http://127.0.0.1:9", **given},
        environment={**environment, "TAP_CALENDLY_LOGLEVEL": "DEBUG"},
    )

    assert result.returncode == 1
    assert "| ERROR " in complaints(result)[-1]
    if "user_agent" in given:
        assert all(f"Setting `{name}` holds a secret" in result.stderr for name in given)
    assert shown(result.stderr, [SECRET]) == []


def test_about_shows_no_secret(tmp_path: Path) -> None:
    result = run_tap(
        tmp_path,
        *("--about", "--format", "json"),
        config={"personal_access_token": SECRET},
        environment={"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": SECRET},
    )

    assert '"settings"' in result.stdout
    assert shown(result.stdout + result.stderr, [SECRET]) == []


class OtherHost(ThreadingHTTPServer):
    """Another host, which records what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        """Start listening."""
        super().__init__(("127.0.0.1", 0), _RecordingHandler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.sent: list[str] = []


class _RecordingHandler(BaseHTTPRequestHandler):
    server: OtherHost

    def do_GET(self) -> None:
        self.server.sent.append(f"{self.requestline}\n{self.headers}")
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_CONNECT = do_GET  # noqa: N815 - as the methods are called

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def elsewhere() -> Iterator[OtherHost]:
    with OtherHost() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("to_itself", [False, True], ids=["elsewhere", "to itself"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    empty_sandbox: Sandbox, elsewhere: OtherHost, status: int, *, to_itself: bool
) -> None:
    target = empty_sandbox.url if to_itself else f"http://{elsewhere.host}"
    fault = Fault("/teams", status=status, headers={"Location": f"{target}/groups"}, times=None)
    empty_sandbox.faults.add(fault)

    with pytest.raises(CalendlyError, match=rf"^teams: .* {status} .* the token is not sent there"):
        sync(empty_sandbox, select={"teams"})

    assert elsewhere.sent == []
    assert "/groups" not in empty_sandbox.requests_by_path()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_receives_the_refresh_token(
    empty_sandbox: Sandbox, elsewhere: OtherHost, tmp_path: Path, status: int
) -> None:
    app = empty_sandbox.oauth.register()
    location = {"Location": f"http://{elsewhere.host}{TOKEN}"}
    empty_sandbox.faults.add(Fault(TOKEN, status=status, headers=location, times=None))
    credentials = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": empty_sandbox.oauth.grant(app),
    }

    with pytest.raises(CalendlyError, match=rf"^OAuth: .* {status} .*no secret is sent there"):
        sync(
            empty_sandbox,
            personal_access_token=None,
            oauth_credentials=credentials,
            oauth_store=str(tmp_path),
            auth_url=empty_sandbox.url,
        )

    assert elsewhere.sent == []


NEXT_PAGES = {
    "another host": "http://{elsewhere}/teams",
    "another scheme": "https://{host}/teams",
    "another name of the same computer": "http://localhost:{port}/teams",
    "another port": "http://127.0.0.1:9/teams",
    "Calendly's host as the user name": "http://{host}@{elsewhere}/teams",
    "Calendly's host after a backslash": "http://{elsewhere}\\@{host}/teams",
    "a host after a line break": "http://{host}\n@{elsewhere}/teams",
    "a host with the same beginning": "http://{host}.evil.example/teams",
    "a host with a tab": "http://127.0.0.1\t.evil.example:{port}/teams",
    "a dot after the host": "http://127.0.0.1.:{port}/teams",
    "a host in circled letters": "http://\u24db\u24de\u24d2al.example/teams",
    "credentials": "http://user:word@{host}/teams",
    "api.calendly.com as the user name": "https://api.calendly.com@{elsewhere}/teams",
    "api.calendly.com after a backslash": "http://{elsewhere}\\@api.calendly.com/teams",
    "a host that begins like api.calendly.com": "https://api.calendly.com.evil.example/teams",
    "no scheme": "//{elsewhere}/teams",
    "no host": "/teams",
    "no valid URL": "http://[",
    "an invalid port": "http://127.0.0.1:99999/teams",
    "empty": "",
}


@pytest.mark.parametrize("url", NEXT_PAGES.values(), ids=NEXT_PAGES)
def test_a_next_page_elsewhere_is_not_requested(
    empty_sandbox: Sandbox, elsewhere: OtherHost, url: str
) -> None:
    host = empty_sandbox.url.removeprefix("http://")
    next_page = url.format(elsewhere=elsewhere.host, host=host, port=host.rpartition(":")[2])
    body = {"collection": [], "pagination": {"next_page": next_page}}
    empty_sandbox.faults.add(Fault("/teams", status=200, body=body))

    with pytest.raises(CalendlyError, match=r"^teams: .* the token is not sent there"):
        sync(empty_sandbox, select={"teams"})

    assert elsewhere.sent == []
    assert empty_sandbox.requests_by_path()["/teams"] == 1


@pytest.mark.parametrize("path", ["/\\@{}/teams", "//{}/teams", "/@{}/teams", "/../@{}/teams"])
def test_a_next_page_on_calendlys_own_host_is_requested_from_the_configured_one_alone(
    empty_sandbox: Sandbox, elsewhere: OtherHost, path: str
) -> None:
    next_page = f"https://api.calendly.com{path.format(elsewhere.host)}"
    body = {"collection": [], "pagination": {"next_page": next_page}}
    empty_sandbox.faults.add(Fault("/teams", status=200, body=body))

    with pytest.raises(CalendlyError, match=r"^teams: Calendly answered 40[04] to GET "):
        sync(empty_sandbox, select={"teams"})

    assert elsewhere.sent == []
    assert len(empty_sandbox.requests) > 1


@pytest.mark.parametrize(
    "uri",
    ["http://{}/meeting_recaps/A", "@{}/A", "\\@{}/A", ".evil.example/A", "http://[/A", "//{}/A"],
)
def test_details_are_requested_from_calendlys_host_whatever_the_rows_uri(
    empty_sandbox: Sandbox, elsewhere: OtherHost, uri: str
) -> None:
    body = {
        "collection": [{"uri": uri.format(elsewhere.host), "updated_at": "2026-03-01T00:00:00Z"}],
        "pagination": {"next_page": None},
    }
    empty_sandbox.faults.add(Fault("/meeting_recaps", status=200, body=body))

    sync(empty_sandbox, select={"meeting_recaps"})

    assert elsewhere.sent == []
    assert empty_sandbox.requests_by_path()["/meeting_recaps/{uuid}"] == 1


def test_a_proxy_sees_no_token(
    sandbox: Sandbox,
    elsewhere: OtherHost,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{elsewhere.host}")
    monkeypatch.setenv("no_proxy", "")

    assert sync(sandbox, select={"event_types"}).tables()
    assert elsewhere.sent == []
    with pytest.raises(CalendlyError, match=r"^current_user: no answer from api\.calendly\.com"):
        sync(sandbox, api_url="https://api.calendly.com")

    assert waits
    assert all(line.startswith("CONNECT api.calendly.com:443 ") for line in elsewhere.sent)
    assert shown("\n".join(elsewhere.sent), [sandbox.token]) == []


def test_netrc_credentials_are_not_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    tables = sync(sandbox, select={"event_types"}).tables()

    assert tables["event_types"] == truth(sandbox)["event_types"]
    assert {request.status for request in sandbox.requests} == {200}


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda secret: quote(secret, safe=""),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"an app:{secret}".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"app:{secret}".encode()).decode(),
    ],
    ids=["plain", "in a URL", "Base64", "Base64 after a name", "Base64 in a URL"],
)
def test_a_secret_is_redacted_in_every_form_in_which_it_is_sent(
    form: Callable[[str], str],
) -> None:
    secret = "~~~?>?>?>/+/+/+===&&&§§§"  # noqa: S105 - made up
    redaction.remember(secret)

    assert len(redaction.clean(f"<{form(secret)}>")) <= 2 * PIECE


class Unprintable:
    """An object that fails to convert itself to a string."""

    @override
    def __str__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    ("message", "values"),
    [("%d", ("x",)), ("%s %s", ("x",)), ("%(y)s", ({"x": 1},)), ("%s", (Unprintable(),))],
)
def test_a_log_line_that_cannot_be_formatted_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    message: str,
    values: tuple[object, ...],
) -> None:
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    redaction.guard_logs()
    try:
        logging.getLogger("elsewhere").warning(message, *values)
    finally:
        logging.setLogRecordFactory(factory)

    (line,) = caplog.messages
    assert line.startswith(message)


def test_links_are_redacted_however_they_are_written() -> None:
    for link in (
        "https://calendly.com/cancellations/AAAA-bb",
        "https://api.calendly.com/scheduled_events/BBBB/invitees/AAAA-bb",
        "https%3A%2F%2Fcalendly.com%2Freschedulings%2FAAAA-bb",
        "https:\\/\\/calendly.com\\/cancellations\\/AAAA-bb",
    ):
        assert "AAAA" not in redaction.clean(f"{{'cancel_url': '{link}', 'name': 'x'}}")
        assert redaction.clean(f"{link}' and so on").endswith("' and so on")
