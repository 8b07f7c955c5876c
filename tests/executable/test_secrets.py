"""Tokens and the links that act for an invitee go where they belong, and are shown nowhere."""

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

TOKEN = "/oauth/token"  # noqa: S105 - the path's name
STATUSES = (201, 204, 301, 302, 400, 401, 403, 404, 408, 418, 424, 429, 500, 502, 503)

STRUCTURED = """
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
    """The environment of a run that tells all it can, also in a file and of its connections."""
    (tmp_path / "logging.yml").write_text(STRUCTURED)
    bug(tmp_path, "import http.client; http.client.HTTPConnection.debuglevel = 1")
    return {
        "TAP_CALENDLY_LOGLEVEL": "DEBUG",
        "SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.yml"),
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "default",
    }


def bug(folder: Path, code: str) -> None:
    """Have something go on in the run that nobody foresaw."""
    (folder / "sitecustomize.py").write_text(textwrap.dedent(code))


def told(result: subprocess.CompletedProcess[str], folder: Path) -> str:
    """Give all that a run has told, but for its records."""
    messages = [line for line in result.stdout.splitlines() if '"type":"RECORD"' not in line]
    return "\n".join([*messages, result.stderr, (folder / "structured.log").read_text()])


def links(sandbox: Sandbox) -> list[str]:
    """Give the links that act for invitees."""
    invitees = [row for rows in sandbox.calendly.invitees.values() for row in rows]
    return [row[name] for row in invitees for name in ("cancel_url", "reschedule_url")]


def secrets_of(sandbox: Sandbox) -> list[str]:
    """Give what nobody may read: the token, and the secret parts of the links."""
    return [sandbox.token, *(link.rsplit("/", 1)[-1] for link in links(sandbox))]


def test_a_run_that_tells_all_it_can_tells_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    result = run_tap(
        tmp_path, config=config(sandbox), environment={**verbose, "PYTHONDEVMODE": "1"}
    )

    assert result.returncode == 0
    assert all(link in result.stdout for link in links(sandbox))
    assert "GET /scheduled_events" in told(result, tmp_path)
    assert shown(told(result, tmp_path), secrets_of(sandbox)) == []


def test_links_that_are_not_selected_are_nowhere(sandbox: Sandbox, tmp_path: Path) -> None:
    selected = catalog({"event_invitees"})
    assert selected is not None
    for stream in selected["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] in (["cancel_url"], ["reschedule_url"]):
                entry["metadata"]["selected"] = False
    (tmp_path / "catalog.json").write_text(json.dumps(selected))

    result = run_tap(tmp_path, "--catalog", "catalog.json", config=config(sandbox))

    assert '"event_invitees","record"' in result.stdout
    assert not any(link in result.stdout + result.stderr for link in links(sandbox))


def test_the_tokens_of_oauth_are_in_their_store_alone_which_is_the_owners(
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
    said = {"error": "invalid_grant", "error_description": f"{credentials} are no good"}
    sandbox.faults.add(Fault(TOKEN, status=400, body=said))
    refused = run_tap(tmp_path, config=given, environment=verbose)
    result = run_tap(tmp_path, config=given, environment=verbose)

    assert (refused.returncode, result.returncode) == (1, 0)
    (kept,) = (tmp_path / "store").glob("*.json")
    tokens = json.loads(kept.read_text())
    secrets = [
        str(app.client_secret),
        first,
        tokens["access_token"],
        tokens["refresh_token"],
        *secrets_of(sandbox)[1:],
    ]
    assert len(set(secrets[:4])) == 4
    for run in (refused, result):
        assert shown(told(run, tmp_path), secrets) == []
    holders = [
        file
        for file in tmp_path.rglob("*")
        if file.is_file() and shown(file.read_text(), secrets[2:4])
    ]
    assert holders == [kept]
    for file in (tmp_path / "store").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700


def test_tokens_that_are_got_under_way_are_secrets_too() -> None:
    tokens = token_store.Tokens("an-access-token-of-today", "a-refresh-token-of-today", 0.0)

    said = f"{tokens.access_token} and {tokens.refresh_token} in {tokens}"

    assert redaction.clean(said).startswith("****** and ****** in Tokens(renew_at=0.0")


LINK = "https://calendly.com/cancellations/2f6f0d4c-1111-4222-8333-944445555666"


@pytest.mark.parametrize("status", STATUSES)
def test_what_an_answer_repeats_is_not_told(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    sandbox: Sandbox = request.getfixturevalue("empty_sandbox")
    request.getfixturevalue("waits")
    echo = f"Authorization: Bearer {sandbox.token} {LINK}"
    body = {
        "title": f"Sent: {echo}",
        "message": "x" * 450 + echo,  # which is cut within the token
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


def test_a_connection_test_repeats_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    for path, status in (("/teams", 400), ("/groups", 403), ("/routing_forms", 418)):
        sandbox.faults.add(Fault(path, status=status, body={"message": sandbox.token}, times=None))

    result = run_tap(tmp_path, "--test", config=config(sandbox), environment=verbose)

    assert "teams: failed: teams: Calendly answered 400 to GET /teams (******)" in result.stdout
    assert shown(told(result, tmp_path), secrets_of(sandbox)) == []


BUGS = {
    "an error, shown with all variables": """
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
    "a log, and a thread that ends": """
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
def test_a_fault_of_the_tap_itself_tells_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str], code: str
) -> None:
    bug(tmp_path, code)
    selected = catalog({"event_invitees"})
    (tmp_path / "catalog.json").write_text(json.dumps(selected))

    result = run_tap(
        tmp_path, "--catalog", "catalog.json", config=config(sandbox), environment=verbose
    )

    assert "LookupError" in result.stderr
    assert shown(told(result, tmp_path), secrets_of(sandbox)) == []


def test_a_stream_map_that_fails_tells_no_link(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    maps = {"event_invitees": {"number": "int(cancel_url)", "__filter__": "reschedule_url"}}

    result = run_tap(tmp_path, config=config(sandbox, stream_maps=maps), environment=verbose)

    assert result.returncode == 1
    assert "of `stream_maps` failed on a row (ValueError)" in result.stderr
    assert shown(told(result, tmp_path), secrets_of(sandbox)) == []


def test_a_stopped_run_tells_no_secret(
    sandbox: Sandbox, tmp_path: Path, verbose: dict[str, str]
) -> None:
    # A pipe that nobody reads would be full before the run has begun.
    (tmp_path / "logging.yml").write_text(STRUCTURED.replace(", console", ""))
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

ASTRAY: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, str]]] = {
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
    "in addresses": (
        (),
        {
            "api_url": f"https://{SECRET}@api.calendly.com",
            "auth_url": f"https://auth.calendly.com?token={SECRET}",
        },
        {},
    ),
    "of another type": ((), {"personal_access_token": {"token": [SECRET]}}, {}),
    "in place of a file": (("--config", json.dumps({"personal_access_token": SECRET})), {}, {}),
    "with another word": (
        ("--config", "ENV"),
        {"personal_access_token": None},
        {"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": f"Bearer {SECRET}"},
    ),
    "of an app, as no JSON": (
        ("--config", "ENV"),
        {"personal_access_token": None},
        {"TAP_CALENDLY_OAUTH_CREDENTIALS": f"client_secret={SECRET}"},
    ),
    "in the state": (("--state", "state.json"), {"organization": "AAAA"}, {}),
}


@pytest.mark.parametrize(("arguments", "given", "environment"), ASTRAY.values(), ids=ASTRAY)
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


def test_about_tells_no_secret(tmp_path: Path) -> None:
    result = run_tap(
        tmp_path,
        *("--about", "--format", "json"),
        config={"personal_access_token": SECRET},
        environment={"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": SECRET},
    )

    assert '"settings"' in result.stdout
    assert shown(result.stdout + result.stderr, [SECRET]) == []


class Elsewhere(ThreadingHTTPServer):
    """Another host, which notes what it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        """Begin to listen."""
        super().__init__(("127.0.0.1", 0), _Noting)
        self.host = f"127.0.0.1:{self.server_port}"
        self.sent: list[str] = []


class _Noting(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.sent.append(f"{self.requestline}\n{self.headers}")
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_CONNECT = do_GET  # noqa: N815 - as the methods are called

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("to_itself", [False, True], ids=["elsewhere", "to itself"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    empty_sandbox: Sandbox, elsewhere: Elsewhere, status: int, *, to_itself: bool
) -> None:
    target = empty_sandbox.url if to_itself else f"http://{elsewhere.host}"
    fault = Fault("/teams", status=status, headers={"Location": f"{target}/groups"}, times=None)
    empty_sandbox.faults.add(fault)

    with pytest.raises(CalendlyError, match=rf"^teams: .* {status} .* the token is not sent there"):
        sync(empty_sandbox, select={"teams"})

    assert elsewhere.sent == []
    assert "/groups" not in empty_sandbox.requests_by_path()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_refresh_token_along(
    empty_sandbox: Sandbox, elsewhere: Elsewhere, tmp_path: Path, status: int
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


ADDRESSES = {
    "another host": "http://{elsewhere}/teams",
    "another scheme": "https://{own}/teams",
    "another name of the same computer": "http://localhost:{port}/teams",
    "another port": "http://127.0.0.1:9/teams",
    "a host with the own one before it": "http://{own}@{elsewhere}/teams",
    "a host that ends at a backslash": "http://{elsewhere}\\@{own}/teams",
    "a host after a line break": "http://{own}\n@{elsewhere}/teams",
    "a host that begins alike": "http://{own}.evil.example/teams",
    "a host that goes on after a tab": "http://127.0.0.1\t.evil.example:{port}/teams",
    "a dot after the host": "http://127.0.0.1.:{port}/teams",
    "a host in other letters": "http://\u24db\u24de\u24d2al.example/teams",
    "credentials of its own": "http://user:word@{own}/teams",
    "no scheme": "//{elsewhere}/teams",
    "no host": "/teams",
    "no address": "http://[",
    "a port that is none": "http://127.0.0.1:99999/teams",
    "nothing": "",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_a_next_page_elsewhere_gets_no_request(
    empty_sandbox: Sandbox, elsewhere: Elsewhere, address: str
) -> None:
    own = empty_sandbox.url.removeprefix("http://")
    following = address.format(elsewhere=elsewhere.host, own=own, port=own.rpartition(":")[2])
    body = {"collection": [], "pagination": {"next_page": following}}
    empty_sandbox.faults.add(Fault("/teams", status=200, body=body))

    with pytest.raises(CalendlyError, match=r"^teams: .* the token is not sent there"):
        sync(empty_sandbox, select={"teams"})

    assert elsewhere.sent == []
    assert empty_sandbox.requests_by_path()["/teams"] == 1


@pytest.mark.parametrize(
    "uri",
    ["http://{}/meeting_recaps/A", "@{}/A", "\\@{}/A", ".evil.example/A", "http://[/A", "//{}/A"],
)
def test_a_row_is_asked_for_at_the_own_host_whatever_its_uri(
    empty_sandbox: Sandbox, elsewhere: Elsewhere, uri: str
) -> None:
    body = {
        "collection": [{"uri": uri.format(elsewhere.host), "updated_at": "2026-03-01T00:00:00Z"}],
        "pagination": {"next_page": None},
    }
    empty_sandbox.faults.add(Fault("/meeting_recaps", status=200, body=body))

    sync(empty_sandbox, select={"meeting_recaps"})

    assert elsewhere.sent == []
    assert empty_sandbox.requests_by_path()["/meeting_recaps/{uuid}"] == 1


def test_a_proxy_reads_no_token(
    sandbox: Sandbox,
    elsewhere: Elsewhere,
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


def test_credentials_of_netrc_are_not_sent(
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
    ids=["as it is", "in a URL", "Base64", "Base64 behind a name", "Base64 in a URL"],
)
def test_a_secret_is_taken_out_in_every_form_in_which_it_travels(
    form: Callable[[str], str],
) -> None:
    secret = "~~~?>?>?>/+/+/+===&&&§§§"  # noqa: S105 - made up
    redaction.remember(secret)

    assert len(redaction.clean(f"<{form(secret)}>")) <= 2 * PIECE


class Unspeakable:
    """What cannot be written as a text, as it is broken."""

    @override
    def __str__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    ("message", "values"),
    [("%d", ("x",)), ("%s %s", ("x",)), ("%(y)s", ({"x": 1},)), ("%s", (Unspeakable(),))],
)
def test_a_line_that_cannot_be_written_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    message: str,
    values: tuple[object, ...],
) -> None:
    make = logging.getLogRecordFactory()
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    redaction.guard_logs()
    try:
        logging.getLogger("elsewhere").warning(message, *values)
    finally:
        logging.setLogRecordFactory(make)

    (line,) = caplog.messages
    assert line.startswith(message)


def test_links_are_taken_out_however_they_are_written() -> None:
    for link in (
        "https://calendly.com/cancellations/AAAA-bb",
        "https://api.calendly.com/scheduled_events/BBBB/invitees/AAAA-bb",
        "https%3A%2F%2Fcalendly.com%2Freschedulings%2FAAAA-bb",
        "https:\\/\\/calendly.com\\/cancellations\\/AAAA-bb",
    ):
        assert "AAAA" not in redaction.clean(f"{{'cancel_url': '{link}', 'name': 'x'}}")
        assert redaction.clean(f"{link}' and so on").endswith("' and so on")
