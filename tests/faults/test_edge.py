"""A refusal that is not Calendly's own is tried again, and blames neither token nor plan."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from sandbox.demo import company
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.api import throttle
from tests.cases import crossed
from tests.command import complaints, run_here
from tests.conftest import NOW, PassingClock
from tests.singer import Run, config, truth

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.singer import Tables

TOKEN = "/oauth/token"  # noqa: S105 - a path
CODE = "error code: 1010"
PAGE = "<!DOCTYPE html><title>Just a moment...</title>"
ANSWERS: dict[str, tuple[int, object]] = {
    "403 with a code": (403, CODE),
    "403 with a challenge page": (403, PAGE),
    "403 with a list": (403, ["Go away"]),
    "403 without a title": (403, {"message": "Go away"}),
    "401 with a code": (401, CODE),
    "404 with a challenge page": (404, PAGE),
    "404 with nothing": (404, ""),
}


class Place(NamedTuple):
    """Requests that are refused; `lost` are the streams whose tables then lack something."""

    stream: str
    path: str
    lost: set[str]


PLACES = {
    "the user": Place("current_user", "/users/me", {"*"}),
    "a list": Place("groups", "/groups", {"groups"}),
    "a parent": Place("event_types", "/event_types", {"event_types", "event_type_*"}),
    "the meetings": Place(
        "scheduled_events", "/scheduled_events", {"scheduled_events", "event_invitees"}
    ),
    "a meeting's invitees": Place(
        "event_invitees", "/scheduled_events/{uuid}/invitees", {"event_invitees"}
    ),
    "a row's details": Place("meeting_recaps", "/meeting_recaps/*", {"meeting_recaps"}),
    "the token endpoint": Place("OAuth", TOKEN, {"*"}),
}


class Site(NamedTuple):
    """An organization, and a folder for the files of a run."""

    sandbox: Sandbox
    folder: Path
    waits: list[float]

    def refuse(self, place: Place, answer: str, *, times: int | None) -> None:
        """Let something in front of the API refuse requests."""
        status, body = ANSWERS[answer]
        uuid = self.meeting.rsplit("/", 1)[-1]
        path = place.path.format(uuid=uuid)
        self.sandbox.faults.add(Fault(path, status=status, body=body, times=times))

    @property
    def meeting(self) -> str:
        """The URI of the meeting whose invitees are refused."""
        return list(self.sandbox.calendly.events)[3]

    def oauth(self) -> dict[str, Any]:
        """Return the settings of a new app."""
        app = self.sandbox.oauth.register(native=True)
        parts = {"client_id": app.client_id, "refresh_token": self.sandbox.oauth.grant(app)}
        return {
            "personal_access_token": None,
            "oauth_credentials": parts,
            "oauth_store": str(self.folder / "store"),
            "auth_url": self.sandbox.url,
        }

    def run(self, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return run_here(self.folder, config=config(self.sandbox, **settings))


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    """A small company that never changes."""
    calendly = Calendly(SimulatedClock(NOW), seed=1, plan="enterprise")
    company.populate(calendly, seed=56, size=8, until=NOW)
    with Sandbox(calendly, requests_per_minute=100_000) as sandbox:
        yield sandbox


@pytest.fixture
def site(organization: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    waits: list[float] = []
    clock = SimulatedClock(NOW)
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(clock, waits))
    organization.forget_requests()
    yield Site(organization, tmp_path, waits)
    organization.faults.clear()


EACH_ONCE = list(zip(PLACES, ANSWERS, strict=True))
EVERYWHERE = crossed(PLACES, ANSWERS, quick=lambda *pair: pair in EACH_ONCE)


@pytest.mark.parametrize(("place", "answer"), EVERYWHERE)
def test_a_single_refusal_costs_a_retry_and_nothing_else(
    site: Site, place: str, answer: str
) -> None:
    stream, path, _ = PLACES[place]
    status, _ = ANSWERS[answer]
    site.refuse(PLACES[place], answer, times=1)

    result = site.run(**(site.oauth() if path == TOKEN else {}))

    assert result.returncode == 0
    assert _tables(result) == truth(site.sandbox)
    (line,) = complaints(result)
    assert f"{stream}: the answer {status} is not Calendly's; trying again in " in line
    assert len(site.waits) == 1


@pytest.mark.parametrize(("place", "answer"), EVERYWHERE)
def test_a_lasting_refusal_fails_the_stream_and_names_the_cause(
    site: Site, place: str, answer: str
) -> None:
    stream, path, lost = PLACES[place]
    status, body = ANSWERS[answer]
    site.refuse(PLACES[place], answer, times=None)

    result = site.run(**(site.oauth() if path == TOKEN else {}))

    assert result.returncode == 1
    assert sum(site.waits) == pytest.approx(300, abs=1)
    line = result.stderr.splitlines()[-1]
    method, setting = ("POST", "auth_url") if path == TOKEN else ("GET", "api_url")
    at = re.escape(path).replace(r"\*", "[^/ ]+").replace(r"\{uuid\}", _id_in(site.meeting))
    shown = re.escape(f" ({CODE})") if body == CODE else ""
    assert re.search(
        rf"\| ERROR .* {stream}: the answer {status} to {method} {at} is not Calendly's{shown}"
        r"( \[request \S+\])?: something in front of its API refuses the requests, .*`user_agent`, "
        rf"a proxy, or the network's address; check these and `{setting}`, then run again\.$",
        line,
    )
    for blamed in ("Skipped", "skipped", "the token", "moment", "Go away"):
        assert blamed not in result.stderr
    whole = {name: rows for name, rows in truth(site.sandbox).items() if not _is_in(name, lost)}
    assert {name: rows for name, rows in _tables(result).items() if name in whole} == whole


def test_a_refusal_uses_up_no_refresh_token(site: Site) -> None:
    """Or each refusal would renew a token that Calendly has not refused."""
    site.refuse(PLACES["a list"], "401 with a code", times=1)

    assert site.run(**site.oauth()).returncode == 0
    assert site.sandbox.requests_by_path()[TOKEN] == 1


def test_a_refused_exchange_leaves_the_refresh_token_usable(site: Site) -> None:
    site.refuse(PLACES["the token endpoint"], "403 with a code", times=None)
    oauth = site.oauth()

    assert site.run(**oauth).returncode == 1
    site.sandbox.faults.clear()
    assert site.run(**oauth).returncode == 0


@pytest.mark.parametrize("answer", ["403 with a code", "404 with nothing"])
def test_a_refusal_does_not_pass_for_a_deleted_meeting(site: Site, answer: str) -> None:
    """Its invitees are not found, and the request that checks whether it exists is refused."""
    path = urlsplit(site.meeting).path
    site.sandbox.faults.add(Fault(f"{path}/invitees", status=404, times=None))
    site.refuse(Place("event_invitees", path, set()), answer, times=None)

    result = site.run()

    assert result.returncode == 1
    assert f"to GET {path} is not Calendly's" in result.stderr.splitlines()[-1]


def test_calendlys_own_refusals_mean_what_they_say(site: Site) -> None:
    for path, status in (("/groups", 403), ("/event_types", 404)):
        site.sandbox.faults.add(Fault(path, status=status, times=None))

    result = site.run()

    assert not site.waits
    assert "Skipped: groups: Calendly answered 403 to GET /groups" in result.stderr
    assert "event_types: Calendly answered 404 to GET /event_types" in result.stderr


def _tables(result: subprocess.CompletedProcess[str]) -> Tables:
    return Run([json.loads(line) for line in result.stdout.splitlines()]).tables()


def _is_in(stream: str, globs: set[str]) -> bool:
    return any(fnmatchcase(stream, glob) for glob in globs)


def _id_in(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]
