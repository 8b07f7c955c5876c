"""OAuth: a refresh token works only once, yet every run can continue from the one before."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import stat
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.faults import Fault
from sandbox.http.oauth import App
from sandbox.http.server import Sandbox
from tap_calendly.api import throttle
from tap_calendly.auth import methods, token_endpoint
from tap_calendly.auth.token_store import TokenStore
from tap_calendly.reporting.errors import CalendlyError, StreamsError
from tap_calendly.settings import OAuthCredentials
from tap_calendly.tap import TapCalendly
from tests.command import complaints, run_tap, start_tap
from tests.singer import Run, config, sync, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.organization.clock import SimulatedClock
    from tap_calendly.api.authenticator import Authenticator

TOKEN = "/oauth/token"  # noqa: S105 - a path
AUTHORIZE_AGAIN = "`tap-calendly --authorize`"


@dataclass
class Client:
    """An OAuth app, and what a user configures for it.

    Attributes:
        sandbox: Stands in for Calendly.
        app: The app.
        folder: The token store.
        refresh_token: The configured refresh token; empty for a new one.
    """

    sandbox: Sandbox
    app: App
    folder: Path
    refresh_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Have the user authorize the app."""
        self.refresh_token = self.refresh_token or self.sandbox.oauth.grant(self.app)

    @property
    def settings(self) -> dict[str, Any]:
        """The OAuth settings of every run."""
        credentials = {"client_id": self.app.client_id, "refresh_token": self.refresh_token}
        if self.app.client_secret is not None:
            credentials["client_secret"] = self.app.client_secret
        return {
            "personal_access_token": None,
            "oauth_credentials": credentials,
            "oauth_store": str(self.folder),
            "auth_url": self.sandbox.url,
        }

    @property
    def config(self) -> dict[str, Any]:
        """The configuration file with these settings."""
        return config(self.sandbox, **self.settings)

    @property
    def exchanges(self) -> int:
        """The number of token requests."""
        return self.sandbox.requests_by_path().get(TOKEN, 0)

    @property
    def stored(self) -> dict[str, Any]:
        """The contents of the store."""
        (file,) = self.folder.glob("*.json")
        contents: dict[str, Any] = json.loads(file.read_text())
        return contents

    @property
    def store(self) -> TokenStore:
        """The token store of a run."""
        app = OAuthCredentials(self.app.client_id, self.refresh_token)
        return TokenStore.of(app, str(self.folder))

    def authenticator(self) -> Authenticator:
        """Return the authenticator of another run."""
        settings = TapCalendly(config=self.config).run.settings
        limit = throttle.Throttle(None, throttle.SystemClock())
        return methods.authenticator(settings, limit, TapCalendly.logger)

    def sync(self, **settings: object) -> Run:
        """Run the tap."""
        return sync(self.sandbox, **{**self.settings, **settings})

    def loads_everything(self) -> bool:
        """Run the tap, and return whether its tables equal Calendly."""
        return self.sync().tables() == truth(self.sandbox)


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path) -> Client:
    return Client(sandbox, sandbox.oauth.register(), tmp_path / "store")


@pytest.fixture
def slow_client(sandbox: Sandbox, tmp_path: Path) -> Iterator[Client]:
    """A client of a sandbox that responds so slowly that requests overlap."""
    with Sandbox(sandbox.calendly, latency=0.01) as slow:
        yield Client(slow, slow.oauth.register(), tmp_path / "store")


@pytest.fixture
def same_clock(clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """The sandbox's clock, which the tap uses as well."""
    monkeypatch.setattr(token_endpoint, "now", lambda: clock.now().timestamp())
    return clock


@pytest.mark.parametrize("native", [False, True], ids=["web", "native"])
def test_spaces_around_credentials_and_store_are_ignored(
    sandbox: Sandbox, tmp_path: Path, *, native: bool
) -> None:
    client = Client(sandbox, sandbox.oauth.register(native=native), tmp_path / "store")
    parts = {"client_secret": "", **client.settings["oauth_credentials"]}
    padded = {name: f" {part}\n" for name, part in parts.items()}

    client.sync(oauth_credentials=padded, oauth_store=f" {client.folder} ")

    assert client.loads_everything()
    assert client.exchanges == 1


@pytest.mark.parametrize("native", [False, True], ids=["web", "native"])
def test_a_run_loads_everything_with_either_kind_of_app(
    sandbox: Sandbox, tmp_path: Path, *, native: bool
) -> None:
    client = Client(sandbox, sandbox.oauth.register(native=native), tmp_path / "store")

    assert client.loads_everything()
    assert client.exchanges == 1


def test_the_token_response_says_whose_token_it_is(client: Client) -> None:
    client.sync(select={"scheduled_events"})

    assert "/users/me" not in client.sandbox.requests_by_path()


def test_runs_within_two_hours_share_an_access_token(
    client: Client, same_clock: SimulatedClock
) -> None:
    for _ in range(4):
        assert client.loads_everything()
        same_clock.advance(timedelta(minutes=25))

    assert client.exchanges == 1


def test_ten_runs_in_a_row_work_with_an_unchanged_configuration(
    client: Client, same_clock: SimulatedClock
) -> None:
    for _ in range(10):
        assert client.loads_everything()
        same_clock.advance(timedelta(hours=3))

    assert client.exchanges == 10
    assert {request.status for request in client.sandbox.requests} == {200}


def test_a_run_killed_between_the_exchange_and_its_first_request_loses_no_token(
    client: Client, tmp_path: Path
) -> None:
    target = signal_at_request(client, signal.SIGKILL, lambda path: path != TOKEN)
    with started(client, tmp_path) as process:
        target.put(process.pid)
        assert process.wait(60) == -signal.SIGKILL
    assert client.exchanges == 1

    assert run_tap(tmp_path, config=client.config).returncode == 0
    assert client.exchanges == 1
    client.sandbox.oauth.revoke_access_tokens()
    assert run_tap(tmp_path, config=client.config).returncode == 0
    assert client.exchanges == 2


def test_a_run_killed_during_the_exchange_blocks_no_other(client: Client, tmp_path: Path) -> None:
    """The operating system releases its lock; its request never completes."""
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "200"}))
    process = start_tap(tmp_path, client.config)
    assert process.stderr is not None
    next(line for line in process.stderr if "trying again in 20" in line)
    with pytest.raises(AssertionError, match="held"), client.store.locked(_fail_as_held):
        pytest.fail("two at once")
    process.kill()
    process.communicate()

    assert process.returncode == -signal.SIGKILL
    with client.store.locked(_fail_as_held):
        assert mode(client.store.path.with_suffix(".lock")) == 0o600
    assert run_tap(tmp_path, config=client.config).returncode == 0


def test_a_file_system_without_locks_ends_the_run_before_the_exchange(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that does not hold would let two runs use the same refresh token."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", flock)

    with pytest.raises(CalendlyError, match=r"the tokens cannot be kept in .* not implemented"):
        client.sync()
    assert client.exchanges == 0


def test_a_run_stopped_during_the_exchange_keeps_the_new_tokens(
    client: Client, tmp_path: Path
) -> None:
    target = signal_at_request(client, signal.SIGTERM, lambda path: path == TOKEN)
    with started(client, tmp_path) as process:
        target.put(process.pid)
        assert process.wait(60) == 128 + signal.SIGTERM

    assert run_tap(tmp_path, config=client.config).returncode == 0
    assert client.exchanges == 1


def test_two_runs_started_together_share_one_exchange(client: Client, tmp_path: Path) -> None:
    client.sandbox.faults.add(Fault(TOKEN, delay=1.5))
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()

    with started(client, folders[0]) as one, started(client, folders[1]) as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)

    assert client.exchanges == 1


def test_two_concurrent_runs_renew_once(client: Client, same_clock: SimulatedClock) -> None:
    client.sync()
    client.sandbox.forget_requests()
    another = threading.Thread(target=client.sync)

    def start_another_when_the_token_expires() -> None:
        same_clock.advance(timedelta(minutes=118))
        another.start()

    after_requests(client, 4, start_another_when_the_token_expires)

    assert client.loads_everything()
    another.join(60)
    assert client.exchanges == 1


def test_a_run_whose_token_another_run_replaced_uses_the_new_one(client: Client) -> None:
    one, other = client.authenticator(), client.authenticator()
    stop = threading.Event()
    token = one.token(stop)
    assert other.token(stop) == token

    assert other.replaced(token, 401, stop)
    assert one.replaced(token, 401, stop)

    assert one.token(stop) == other.token(stop) == client.stored["access_token"]
    assert client.exchanges == 2


def test_a_token_is_renewed_once_mid_run_before_it_expires(
    slow_client: Client, same_clock: SimulatedClock
) -> None:
    after_requests(slow_client, 12, lambda: same_clock.advance(timedelta(minutes=118)))

    assert slow_client.loads_everything()
    assert slow_client.sandbox.highest_concurrency > 2
    assert slow_client.exchanges == 2
    assert {request.status for request in slow_client.sandbox.requests} == {200}


def test_a_token_that_expires_unexpectedly_is_renewed_once_for_all_threads(
    slow_client: Client, clock: SimulatedClock
) -> None:
    after_requests(slow_client, 12, lambda: clock.advance(timedelta(hours=2)))

    assert slow_client.loads_everything()
    assert slow_client.exchanges == 2
    assert 401 in {request.status for request in slow_client.sandbox.requests}


def test_a_revoked_access_token_is_renewed_once(client: Client) -> None:
    client.sync()
    client.sandbox.oauth.revoke_access_tokens()
    client.sandbox.forget_requests()

    assert client.loads_everything()
    assert client.exchanges == 1
    assert [request.status for request in client.sandbox.requests].count(401) == 1


@pytest.mark.parametrize("path", ["/event_types", "/scheduled_events/*/invitees"])
def test_a_renewed_token_that_is_refused_ends_the_run_in_one_line(
    client: Client, tmp_path: Path, path: str
) -> None:
    client.sandbox.faults.add(Fault(path, status=401, times=None))

    line = error_line(client, tmp_path)

    assert "Calendly answered 401 to GET /" in line
    assert "renewed and is refused again" in line
    assert AUTHORIZE_AGAIN in line
    assert client.exchanges == 2


def test_a_revoked_refresh_token_ends_in_one_line_that_says_how_to_get_another(
    client: Client, tmp_path: Path
) -> None:
    client.sandbox.oauth.revoke_grants()

    line = error_line(client, tmp_path)

    assert "OAuth: Calendly answered 400 to POST /oauth/token (invalid_grant)" in line
    assert AUTHORIZE_AGAIN in line


def test_a_refresh_token_used_on_another_machine_ends_the_run_in_one_line(
    client: Client, tmp_path: Path
) -> None:
    client.sync()

    with pytest.raises(CalendlyError, match=r"^OAuth: .*invalid_grant.* used up"):
        client.sync(oauth_store=str(tmp_path / "elsewhere"))


def test_a_wrong_client_secret_ends_the_run_in_one_line(client: Client, tmp_path: Path) -> None:
    client.app = App(client.app.client_id, client.app.redirect_uri, "guessed")

    line = error_line(client, tmp_path)

    assert "(invalid_client): `client_id` or `client_secret`" in line


def test_missing_scopes_are_named(
    client: Client, caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    client.refresh_token = client.sandbox.oauth.grant(client.app, scopes={"users:read"})

    with pytest.raises(StreamsError) as ended:
        client.sync()

    skipped = next(line for line in caplog.messages if line.startswith("Skipped: event_types"))
    (failed,) = ended.value.lines
    for line, scope in ((skipped, "event_types:read"), (failed, "scheduled_events:read")):
        assert f"tick the scopes {scope}" in line
        assert AUTHORIZE_AGAIN in line
        assert "or deselect the stream" in line
    assert waits


def test_an_unreachable_authorization_host_ends_the_run_in_one_line(
    client: Client, waits: list[float]
) -> None:
    with pytest.raises(CalendlyError, match=r"^OAuth: no answer from 127\.0\.0\.1:9 .*`auth_url`"):
        client.sync(auth_url="http://127.0.0.1:9")
    assert sum(waits) == pytest.approx(300, abs=1)
    assert not list(client.folder.glob("*.new"))


def test_a_server_error_is_retried(client: Client, waits: list[float]) -> None:
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "21"}))
    client.sandbox.faults.add(Fault(TOKEN, status=200, body="<html>a proxy's greeting</html>"))

    assert client.loads_everything()
    assert waits == [pytest.approx(21.5, abs=0.5), pytest.approx(4.5, abs=0.5)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(TOKEN, status=503, times=None), r"answered 503 .*run again later"),
        (Fault(TOKEN, status=200, body={}, times=None), r"is not what Calendly sends.*`auth_url`"),
        (Fault(TOKEN, status=302, headers={"Location": "/x"}), r"302.*no secret is sent there"),
        (Fault(TOKEN, status=404), r"answered 404 .*check `auth_url`"),
        (Fault(TOKEN, status=404, body="<html>", times=None), r"answer 404 .*check .*`auth_url`"),
    ],
)
def test_a_failed_exchange_ends_the_run_in_one_line(
    client: Client, waits: list[float], fault: Fault, message: str
) -> None:
    client.sandbox.faults.add(fault)

    with pytest.raises(CalendlyError, match=f"^OAuth: .*{message}"):
        client.sync()
    assert sum(waits) == (pytest.approx(300, abs=1) if fault.times is None else 0)


def test_a_lost_response_is_named_as_the_cause_in_that_run_and_the_next(
    client: Client, waits: list[float]
) -> None:
    client.sandbox.faults.add(Fault(TOKEN, truncate=5))

    for _ in range(2):
        with pytest.raises(CalendlyError, match=r"^OAuth: .*invalid_grant.* was broken off"):
            client.sync()
    assert len(waits) == 1


def test_tokens_that_were_written_but_not_moved_into_place_are_used(client: Client) -> None:
    """A run that was killed in between had already used the refresh token."""
    client.sync()
    (stored,) = client.folder.glob("*.json")
    stored.rename(stored.with_suffix(".new"))

    assert client.loads_everything()
    assert stored.exists()


def test_new_credentials_take_effect(client: Client) -> None:
    client.sync()
    client.sandbox.oauth.revoke_grants()
    client.refresh_token = client.sandbox.oauth.grant(client.app)

    assert client.loads_everything()


def test_an_unwritable_store_ends_the_run_before_the_exchange(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    client.folder = tmp_path / "file" / "store"

    line = error_line(client, tmp_path)

    assert f"the tokens cannot be kept in {client.folder} (Not a directory)" in line
    assert "`oauth_store`" in line
    assert client.exchanges == 0


def test_a_store_whose_file_cannot_be_replaced_ends_the_run_before_the_exchange(
    client: Client,
) -> None:
    # A folder cannot be replaced by a file, not even by root.
    client.store.path.with_suffix(".new").mkdir(parents=True)

    with pytest.raises(CalendlyError, match="the tokens cannot be kept in"):
        client.sync()
    assert client.exchanges == 0


def test_only_the_user_can_read_the_store(client: Client) -> None:
    client.sync()

    assert mode(client.folder) == 0o700
    assert {mode(file) for file in client.folder.iterdir()} == {0o600}
    assert sorted(file.suffix for file in client.folder.iterdir()) == [".json", ".lock"]


@pytest.mark.parametrize("relative", [False, True])
def test_the_store_is_in_the_users_state_directory(
    client: Client, tmp_path: Path, *, relative: bool
) -> None:
    state = "relative" if relative else str(tmp_path / "state")
    environment = {"XDG_STATE_HOME": state, "HOME": str(tmp_path / "home")}

    result = run_tap(
        tmp_path, config={**client.config, "oauth_store": None}, environment=environment
    )

    assert result.returncode == 0
    folder = tmp_path / "home" / ".local" / "state" if relative else tmp_path / "state"
    assert list((folder / "tap-calendly").glob("*.json"))


def test_a_damaged_store_is_treated_as_missing(client: Client) -> None:
    client.folder.mkdir()
    client.store.path.write_text('{"access_token": ')

    assert client.loads_everything()


def test_a_thread_that_waits_for_tokens_can_be_stopped(client: Client) -> None:
    authenticator = client.authenticator()
    stop, ended = threading.Event(), threading.Event()

    def get_token() -> None:
        with contextlib.suppress(throttle.StoppedError):
            authenticator.token(stop)
            return
        ended.set()

    with client.store.locked(lambda: None):
        threading.Thread(target=get_token).start()
        stop.set()
        assert ended.wait(10)
    assert client.exchanges == 0
    assert authenticator.token(threading.Event()) == client.stored["access_token"]


def test_a_run_that_waits_for_another_can_be_stopped(client: Client, tmp_path: Path) -> None:
    with client.store.locked(lambda: None):
        status = stop_after("another run is renewing the tokens", client, tmp_path)

    assert status == 128 + signal.SIGTERM
    assert client.exchanges == 0


def test_a_run_that_waits_to_retry_the_exchange_can_be_stopped(
    client: Client, tmp_path: Path
) -> None:
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "200"}))

    assert stop_after("trying again in 20", client, tmp_path) == 128 + signal.SIGTERM


def test_no_secret_is_in_any_output(client: Client, tmp_path: Path) -> None:
    debug = {"TAP_CALENDLY_LOGLEVEL": "DEBUG"}
    secrets = [client.refresh_token, client.app.client_id, str(client.app.client_secret)]
    outputs = []

    def run(*arguments: str) -> int:
        result = run_tap(tmp_path, *arguments, config=client.config, environment=debug)
        outputs.append(result.stdout + result.stderr)
        secrets.extend([client.stored["access_token"], client.stored["refresh_token"]])
        return result.returncode

    assert run() == 0
    assert run("--about", "--format=json") == 0
    client.sandbox.oauth.revoke_access_tokens()
    assert run() == 0
    client.sandbox.faults.add(Fault("/event_types", status=401, times=None))
    assert run() == 1
    client.sandbox.oauth.revoke_grants()
    assert run() == 1

    assert len(set(secrets)) == 3 + 2 * 3
    for output in outputs:
        assert not [secret for secret in secrets if secret in output]
    assert "DEBUG" in outputs[0]


LIFETIMES: dict[str, tuple[dict[str, Any], float]] = {
    "the usual lifetime": ({"expires_in": 7200}, 6900),
    "a short lifetime": ({"expires_in": 60}, 30),
    "no lifetime": ({}, 6900),
    "a lifetime that is not a number": ({"expires_in": "soon"}, 6900),
}


@pytest.mark.parametrize(("response", "renew_at"), LIFETIMES.values(), ids=LIFETIMES)
def test_a_token_response_is_read_leniently_as_its_tokens_come_only_once(
    response: dict[str, Any], renew_at: float
) -> None:
    tokens = token_endpoint.tokens_in({"access_token": "a", "owner": 5, **response}, "sent", 0)

    assert tokens.renew_at == renew_at
    assert (tokens.refresh_token, tokens.user) == ("sent", None)


@pytest.mark.parametrize("response", [[], "x", {}, {"access_token": 5}, {"access_token": "a b"}])
def test_a_response_without_a_token_is_invalid(response: object) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError)):
        token_endpoint.tokens_in(response, "sent", 0)


# Helpers


@contextlib.contextmanager
def started(client: Client, folder: Path) -> Iterator[Any]:
    """A run in its own process, with its output discarded."""
    process = start_tap(folder, client.config)
    drains = [
        threading.Thread(target=stream.read)
        for stream in (process.stdout, process.stderr)
        if stream
    ]
    for drain in drains:
        drain.start()
    try:
        yield process
    finally:
        process.kill()
        for drain in drains:
            drain.join()
        process.communicate()


def signal_at_request(
    client: Client, number: signal.Signals, at: Callable[[str], bool]
) -> SimpleQueue[int]:
    """Signal the process put into the returned queue at a request, before its response."""
    target: SimpleQueue[int] = SimpleQueue()

    def before_response() -> None:
        if at(client.sandbox.requests[-1].path):
            client.sandbox.interrupt(None)
            os.kill(target.get(timeout=60), number)

    client.sandbox.interrupt(before_response)
    return target


def stop_after(words: str, client: Client, folder: Path) -> int:
    """Stop a run once it logs these words, and return its exit status."""
    process = start_tap(folder, client.config)
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def after_requests(client: Client, number: int, event: Callable[[], object]) -> None:
    """Call ``event`` after a number of requests."""

    def before_response() -> None:
        if len(client.sandbox.requests) == number:
            client.sandbox.interrupt(None)
            event()

    client.sandbox.interrupt(before_response)


def error_line(client: Client, folder: Path) -> str:
    """Run the tap, and return the one line in which it ends; it shows no secret."""
    result = run_tap(folder, config=client.config)
    assert result.returncode == 1
    (line,) = complaints(result)
    for secret in (client.refresh_token, str(client.app.client_secret)):
        assert secret not in result.stderr
    return line


def _fail_as_held() -> None:
    message = "held"
    raise AssertionError(message)


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)
