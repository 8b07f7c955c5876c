"""OAuth: refresh tokens are good for one use, and yet every run can go on from the one before."""

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
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.settings import OAuthCredentials
from tap_calendly.tap import TapCalendly
from tests.command import complaints, run_tap, start_tap
from tests.singer import Run, config, sync, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.organization.clock import SimulatedClock
    from tap_calendly.api.authenticator import Authenticator

TOKEN = "/oauth/token"  # noqa: S105 - the path's name
AUTHORIZE_AGAIN = "`tap-calendly --authorize`"


@dataclass
class Client:
    """An app that may read a sandbox, and what a user configures for it.

    Attributes:
        sandbox: Calendly's place.
        app: The app.
        folder: Where its tokens are kept.
        refresh_token: The one that is configured.
    """

    sandbox: Sandbox
    app: App
    folder: Path
    refresh_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Have the user allow it."""
        self.refresh_token = self.refresh_token or self.sandbox.oauth.grant(self.app)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of every run."""
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
        """The same, as a file holds it."""
        return config(self.sandbox, **self.settings)

    @property
    def exchanges(self) -> int:
        """How often tokens were asked for."""
        return self.sandbox.requests_by_path().get(TOKEN, 0)

    @property
    def kept(self) -> dict[str, Any]:
        """What the store holds."""
        (file,) = self.folder.glob("*.json")
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    @property
    def store(self) -> TokenStore:
        """Where a run keeps its tokens."""
        app = OAuthCredentials(self.app.client_id, self.refresh_token)
        return TokenStore.of(app, str(self.folder))

    def authenticator(self) -> Authenticator:
        """What authenticates the requests of one more run."""
        settings = TapCalendly(config=self.config).run.settings
        pace = throttle.Throttle(None, throttle.SystemClock())
        return methods.authenticator(settings, pace, TapCalendly.logger)

    def sync(self, **settings: object) -> Run:
        """Run the tap."""
        return sync(self.sandbox, **{**self.settings, **settings})

    def loads_everything(self) -> bool:
        """Run the tap, and tell whether its tables are Calendly's."""
        return self.sync().tables() == truth(self.sandbox)


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path) -> Client:
    return Client(sandbox, sandbox.oauth.register(), tmp_path / "store")


@pytest.fixture
def slow_client(sandbox: Sandbox, tmp_path: Path) -> Iterator[Client]:
    """A client of a sandbox whose answers take so long that requests are side by side."""
    with Sandbox(sandbox.calendly, latency=0.01) as slow:
        yield Client(slow, slow.oauth.register(), tmp_path / "store")


@pytest.fixture
def same_clock(clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """The sandbox's clock, which the tap goes by too."""
    monkeypatch.setattr(token_endpoint, "now", lambda: clock.now().timestamp())
    return clock


@pytest.mark.parametrize("native", [False, True], ids=["web", "native"])
def test_a_run_loads_everything_with_either_kind_of_app(
    sandbox: Sandbox, tmp_path: Path, *, native: bool
) -> None:
    client = Client(sandbox, sandbox.oauth.register(native=native), tmp_path / "store")

    assert client.loads_everything()
    assert client.exchanges == 1


def test_whose_token_it_is_comes_with_the_token(client: Client) -> None:
    client.sync(select={"scheduled_events"})

    assert "/users/me" not in client.sandbox.requests_by_path()


def test_runs_within_two_hours_share_an_access_token(
    client: Client, same_clock: SimulatedClock
) -> None:
    for _ in range(4):
        assert client.loads_everything()
        same_clock.advance(timedelta(minutes=25))

    assert client.exchanges == 1


def test_ten_runs_in_a_row_go_on_with_an_unchanged_configuration(
    client: Client, same_clock: SimulatedClock
) -> None:
    for _ in range(10):
        assert client.loads_everything()
        same_clock.advance(timedelta(hours=3))

    assert client.exchanges == 10
    assert {request.status for request in client.sandbox.requests} == {200}


def test_a_run_killed_after_the_exchange_and_before_its_first_request_is_continued(
    client: Client, tmp_path: Path
) -> None:
    target = strike(client, signal.SIGKILL, lambda path: path != TOKEN)
    with started(client, tmp_path) as process:
        target.put(process.pid)
        assert process.wait(60) == -signal.SIGKILL
    assert client.exchanges == 1

    assert run_tap(tmp_path, config=client.config).returncode == 0
    assert client.exchanges == 1
    client.sandbox.oauth.revoke_access_tokens()
    assert run_tap(tmp_path, config=client.config).returncode == 0
    assert client.exchanges == 2


def test_a_run_killed_during_the_exchange_holds_up_no_other(client: Client, tmp_path: Path) -> None:
    """The operating system releases its lock; what it asked for never comes."""
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "200"}))
    process = start_tap(tmp_path, client.config)
    assert process.stderr is not None
    next(line for line in process.stderr if "trying again in 20" in line)
    with pytest.raises(AssertionError, match="held"), client.store.locked(_is_held):
        pytest.fail("two at once")
    process.kill()
    process.communicate()

    assert process.returncode == -signal.SIGKILL
    with client.store.locked(_is_held):
        assert mode(client.store.path.with_suffix(".lock")) == 0o600
    assert run_tap(tmp_path, config=client.config).returncode == 0


def test_a_file_system_without_locks_ends_the_run_before_the_exchange(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that only looks like one would let two runs use up one refresh token."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", flock)

    with pytest.raises(CalendlyError, match=r"the tokens cannot be kept in .* not implemented"):
        client.sync()
    assert client.exchanges == 0


def test_a_run_told_to_stop_during_the_exchange_keeps_what_comes_of_it(
    client: Client, tmp_path: Path
) -> None:
    target = strike(client, signal.SIGTERM, lambda path: path == TOKEN)
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


def test_two_runs_side_by_side_renew_once(client: Client, same_clock: SimulatedClock) -> None:
    client.sync()
    client.sandbox.forget_requests()
    another = threading.Thread(target=client.sync)

    def begin_another_when_the_token_ends() -> None:
        same_clock.advance(timedelta(minutes=118))
        another.start()

    after(client, 4, begin_another_when_the_token_ends)

    assert client.loads_everything()
    another.join(60)
    assert client.exchanges == 1


def test_a_run_whose_token_another_run_has_replaced_takes_up_the_new_one(client: Client) -> None:
    one, other = client.authenticator(), client.authenticator()
    stop = threading.Event()
    token = one.token(stop)
    assert other.token(stop) == token

    assert other.replaced(token, 401, stop)
    assert one.replaced(token, 401, stop)

    assert one.token(stop) == other.token(stop) == client.kept["access_token"]
    assert client.exchanges == 2


def test_a_token_is_renewed_in_mid_run_before_it_ends_and_once(
    slow_client: Client, same_clock: SimulatedClock
) -> None:
    after(slow_client, 12, lambda: same_clock.advance(timedelta(minutes=118)))

    assert slow_client.loads_everything()
    assert slow_client.sandbox.highest_concurrency > 2
    assert slow_client.exchanges == 2
    assert {request.status for request in slow_client.sandbox.requests} == {200}


def test_a_token_that_ends_unexpectedly_is_renewed_once_by_all_threads(
    slow_client: Client, clock: SimulatedClock
) -> None:
    after(slow_client, 12, lambda: clock.advance(timedelta(hours=2)))

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
def test_a_token_refused_again_ends_the_run_in_one_line(
    client: Client, tmp_path: Path, path: str
) -> None:
    client.sandbox.faults.add(Fault(path, status=401, times=None))

    line = fails(client, tmp_path)

    assert "Calendly answered 401 to GET /" in line
    assert "renewed and is refused again" in line
    assert AUTHORIZE_AGAIN in line
    assert client.exchanges == 2


def test_a_used_up_refresh_token_ends_in_one_line_that_says_how_to_get_another(
    client: Client, tmp_path: Path
) -> None:
    client.sandbox.oauth.revoke_grants()

    line = fails(client, tmp_path)

    assert "OAuth: Calendly answered 400 to POST /oauth/token (invalid_grant)" in line
    assert AUTHORIZE_AGAIN in line


def test_another_machine_s_use_of_the_token_ends_in_that_line(
    client: Client, tmp_path: Path
) -> None:
    client.sync()

    with pytest.raises(CalendlyError, match=r"^OAuth: .*invalid_grant.* used up"):
        client.sync(oauth_store=str(tmp_path / "elsewhere"))


def test_a_wrong_secret_ends_in_one_line(client: Client, tmp_path: Path) -> None:
    client.app = App(client.app.client_id, client.app.redirect_uri, "guessed")

    line = fails(client, tmp_path)

    assert "(invalid_client): `client_id` or `client_secret`" in line


def test_missing_scopes_are_named(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.refresh_token = client.sandbox.oauth.grant(client.app, scopes={"users:read"})

    client.sync()

    line = next(line for line in caplog.messages if line.startswith("Skipped: scheduled_events"))
    assert "tick the scopes scheduled_events:read" in line
    assert AUTHORIZE_AGAIN in line


def test_an_authorization_host_that_is_not_there_ends_in_one_line(
    client: Client, waits: list[float]
) -> None:
    with pytest.raises(CalendlyError, match=r"^OAuth: no answer from 127\.0\.0\.1:9 .*`auth_url`"):
        client.sync(auth_url="http://127.0.0.1:9")
    assert sum(waits) == pytest.approx(300, abs=1)
    assert not list(client.folder.glob("*.new"))


def test_a_server_error_is_tried_again(client: Client, waits: list[float]) -> None:
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "21"}))
    client.sandbox.faults.add(Fault(TOKEN, status=200, body="<html>a proxy's greeting</html>"))

    assert client.loads_everything()
    assert waits == [pytest.approx(21.5, abs=0.5), pytest.approx(4.5, abs=0.5)]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(TOKEN, status=503, times=None), r"answered 503 .*run again later"),
        (Fault(TOKEN, status=200, body={}, times=None), r"is not what Calendly sends.*`auth_url`"),
        (Fault(TOKEN, status=302, headers={"Location": "/x"}), r"302.*no secret is sent there"),
        (Fault(TOKEN, status=404, body="<html>"), r"answered 404 .*check `auth_url`"),
    ],
)
def test_an_exchange_that_fails_ends_in_one_line(
    client: Client, waits: list[float], fault: Fault, says: str
) -> None:
    client.sandbox.faults.add(fault)

    with pytest.raises(CalendlyError, match=f"^OAuth: .*{says}"):
        client.sync()
    assert sum(waits) == (pytest.approx(300, abs=1) if fault.times is None else 0)


def test_a_lost_answer_is_named_as_the_cause_then_and_later(
    client: Client, waits: list[float]
) -> None:
    client.sandbox.faults.add(Fault(TOKEN, truncate=5))

    for _ in range(2):
        with pytest.raises(CalendlyError, match=r"^OAuth: .*invalid_grant.* was broken off"):
            client.sync()
    assert len(waits) == 1


def test_tokens_that_were_written_but_not_put_in_place_are_used(client: Client) -> None:
    """A run that was killed in between had used the refresh token up."""
    client.sync()
    (kept,) = client.folder.glob("*.json")
    kept.rename(kept.with_suffix(".new"))

    assert client.loads_everything()
    assert kept.exists()


def test_new_credentials_are_taken_up(client: Client) -> None:
    client.sync()
    client.sandbox.oauth.revoke_grants()
    client.refresh_token = client.sandbox.oauth.grant(client.app)

    assert client.loads_everything()


def test_a_store_that_cannot_be_written_ends_the_run_before_the_exchange(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    client.folder = tmp_path / "file" / "store"

    line = fails(client, tmp_path)

    assert f"the tokens cannot be kept in {client.folder} (Not a directory)" in line
    assert "`oauth_store`" in line
    assert client.exchanges == 0


def test_a_store_without_room_ends_the_run_before_the_exchange(client: Client) -> None:
    client.store.path.with_suffix(".new").mkdir(
        parents=True
    )  # whoever runs the test, it cannot be replaced

    with pytest.raises(CalendlyError, match="the tokens cannot be kept in"):
        client.sync()
    assert client.exchanges == 0


def test_the_store_is_the_user_s_alone(client: Client) -> None:
    client.sync()

    assert mode(client.folder) == 0o700
    assert {mode(file) for file in client.folder.iterdir()} == {0o600}
    assert sorted(file.suffix for file in client.folder.iterdir()) == [".json", ".lock"]


@pytest.mark.parametrize("relative", [False, True])
def test_the_store_is_where_such_files_belong(
    client: Client, tmp_path: Path, *, relative: bool
) -> None:
    state = "relative" if relative else str(tmp_path / "state")
    environment = {"XDG_STATE_HOME": state, "HOME": str(tmp_path / "home")}

    result = run_tap(
        tmp_path, config={**client.config, "oauth_store": None}, environment=environment
    )

    assert result.returncode == 0
    there = tmp_path / "home" / ".local" / "state" if relative else tmp_path / "state"
    assert list((there / "tap-calendly").glob("*.json"))


def test_a_damaged_store_is_as_good_as_none(client: Client) -> None:
    client.folder.mkdir()
    client.store.path.write_text('{"access_token": ')

    assert client.loads_everything()


def test_whoever_waits_for_tokens_can_be_stopped(client: Client) -> None:
    authenticator = client.authenticator()
    stop, ended = threading.Event(), threading.Event()

    def ask() -> None:
        with contextlib.suppress(throttle.StoppedError):
            authenticator.token(stop)
            return
        ended.set()

    with client.store.locked(lambda: None):
        threading.Thread(target=ask).start()
        stop.set()
        assert ended.wait(10)
    assert client.exchanges == 0
    assert authenticator.token(threading.Event()) == client.kept["access_token"]


def test_a_run_that_waits_for_another_can_be_stopped(client: Client, tmp_path: Path) -> None:
    with client.store.locked(lambda: None):
        status = stopped_at("another run is renewing the tokens", client, tmp_path)

    assert status == 128 + signal.SIGTERM
    assert client.exchanges == 0


def test_a_run_that_waits_to_ask_for_tokens_again_can_be_stopped(
    client: Client, tmp_path: Path
) -> None:
    client.sandbox.faults.add(Fault(TOKEN, status=503, headers={"Retry-After": "200"}))

    assert stopped_at("trying again in 20", client, tmp_path) == 128 + signal.SIGTERM


def test_no_secret_is_in_any_output(client: Client, tmp_path: Path) -> None:
    debug = {"TAP_CALENDLY_LOGLEVEL": "DEBUG"}
    secrets = [client.refresh_token, client.app.client_id, str(client.app.client_secret)]
    outputs = []

    def run(*arguments: str) -> int:
        result = run_tap(tmp_path, *arguments, config=client.config, environment=debug)
        outputs.append(result.stdout + result.stderr)
        secrets.extend([client.kept["access_token"], client.kept["refresh_token"]])
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


LENIENT: dict[str, tuple[dict[str, Any], float]] = {
    "the usual life": ({"expires_in": 7200}, 6900),
    "a short life": ({"expires_in": 60}, 30),
    "no life": ({}, 6900),
    "a life that is no number": ({"expires_in": "soon"}, 6900),
}


@pytest.mark.parametrize(("answer", "renewed"), LENIENT.values(), ids=LENIENT)
def test_an_answer_is_read_leniently_as_its_tokens_come_once(
    answer: dict[str, Any], renewed: float
) -> None:
    tokens = token_endpoint.tokens_in({"access_token": "a", "owner": 5, **answer}, "sent", 0)

    assert tokens.renew_at == renewed
    assert (tokens.refresh_token, tokens.user) == ("sent", None)


@pytest.mark.parametrize("answer", [[], "x", {}, {"access_token": 5}, {"access_token": "a b"}])
def test_what_holds_no_token_is_no_answer(answer: object) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError)):
        token_endpoint.tokens_in(answer, "sent", 0)


# What these tests share


@contextlib.contextmanager
def started(client: Client, folder: Path) -> Iterator[Any]:
    """A run in a process of its own; its output goes nowhere."""
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


def strike(client: Client, number: signal.Signals, at: Callable[[str], bool]) -> SimpleQueue[int]:
    """Send a signal at a request, before that is answered, to the process that is put there."""
    target: SimpleQueue[int] = SimpleQueue()

    def interlude() -> None:
        if at(client.sandbox.requests[-1].path):
            client.sandbox.interrupt(None)
            os.kill(target.get(timeout=60), number)

    client.sandbox.interrupt(interlude)
    return target


def stopped_at(words: str, client: Client, folder: Path) -> int:
    """Stop a run once it has said something, and give its status."""
    process = start_tap(folder, client.config)
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def after(client: Client, requests_made: int, event: Callable[[], object]) -> None:
    """Let something happen in the middle of a run."""

    def interlude() -> None:
        if len(client.sandbox.requests) == requests_made:
            client.sandbox.interrupt(None)
            event()

    client.sandbox.interrupt(interlude)


def fails(client: Client, folder: Path) -> str:
    """Give the one line in which a run ends; it tells no secret."""
    result = run_tap(folder, config=client.config)
    assert result.returncode == 1
    (line,) = complaints(result)
    for secret in (client.refresh_token, str(client.app.client_secret)):
        assert secret not in result.stderr
    return line


def _is_held() -> None:
    message = "held"
    raise AssertionError(message)


def mode(path: Path) -> int:
    """Give who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)
