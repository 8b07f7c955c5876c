"""Whatever goes wrong: the run recovers, or ends in one line and the next run catches up."""

from __future__ import annotations

import itertools
import re
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from sandbox.demo import company
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tap_calendly.api import throttle
from tap_calendly.api.client import Client
from tap_calendly.reporting.errors import CalendlyError, FatalError, StreamsError
from tap_calendly.streams import STREAMS
from tests import singer
from tests.cases import cases, crossed
from tests.conftest import NOW, PassingClock
from tests.singer import NOT_BY_DEFAULT, Warehouse, truth

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from _pytest.mark import ParameterSet

    from tests.singer import Tables

PAGE_SIZE = 3
TIMEOUT = 0.25
"""Seconds to wait for a response."""


@dataclass(frozen=True)
class Target:
    """Requests that go wrong.

    Attributes:
        stream: The stream that makes them.
        path: A glob that matches their paths.
        paged: Whether they fetch pages of a list.
        leading: The stream whose rows are read first: the parent, or the stream itself.
    """

    stream: str
    path: str
    paged: bool
    leading: str

    @property
    def pattern(self) -> str:
        """The path as a regular expression."""
        return self.path.replace("*", "[^/ ]+")


def _targets() -> Iterator[Target]:
    for stream in (stream for stream in STREAMS if stream.from_api):
        glob = re.sub(r"{\w+}", "*", stream.endpoint.path)
        paged = stream.endpoint.paged
        parent: Any = stream.parent_stream_type or stream
        yield Target(stream.name, glob, paged, parent.name)
        if stream.endpoint.with_details:
            yield Target(stream.name, f"{stream.endpoint.path}/*", paged=False, leading=stream.name)


TARGETS = {f"{target.stream} {target.path}": target for target in _targets()}
CORE = [name for name, target in TARGETS.items() if target.stream in singer.STREAMS]
LISTS = [name for name, target in TARGETS.items() if target.paged]
PARENTS = {stream.name: stream.parent for stream in STREAMS if stream.parent is not None}
CHILDREN = [name for name, target in TARGETS.items() if target.stream in PARENTS]
BY_KEY = [
    name
    for name, target in TARGETS.items()
    for stream in STREAMS
    if stream.name == target.stream
    and {*stream.primary_keys}.difference(
        stream.derived, stream.parent.columns if stream.parent else ()
    )
]
"""Targets whose rows get their key from the API, at least in part."""


@dataclass(frozen=True)
class Kind:
    """A way in which requests go wrong.

    Attributes:
        fault: What the sandbox does.
        message: A pattern for the error if the fault lasts.
    """

    fault: Fault
    message: str


def _response_with(row: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a response may hold
    """Return a body with this row in every kind of envelope."""
    return {"resource": row, "collection": [row], "pagination": {"next_page": None}}


def _rate_limited(**headers: str) -> Fault:
    names = {f"X-RateLimit-{name.title()}": value for name, value in headers.items()}
    return Fault("*", status=429, headers=names)


INVALID_RESPONSE = (
    r"the answer 200 to GET (\S+) is not what Calendly's API sends \[request .*`api_url`"
)

SLOW = {
    "a stalled response": Fault("*", stall=True),
    "a stalled body": Fault("*", truncate=5, stall=True),
    "a slow drip": Fault("*", drip=0.05),
}

IMMEDIATE = {
    "408": Kind(Fault("*", status=408), "answered 408"),
    "429 with a reset in 37 s": Kind(_rate_limited(remaining="0", reset="37"), "answered 429"),
    "429 with a reset now": Kind(_rate_limited(remaining="0", reset="0"), "answered 429"),
    "429 without headers": Kind(_rate_limited(limit="", remaining="", reset=""), "answered 429"),
    "429 with absurd headers": Kind(
        _rate_limited(limit="-1", remaining="x", reset="9" * 400), "answered 429"
    ),
    "500": Kind(Fault("*", status=500), "answered 500"),
    "502 with HTML": Kind(Fault("*", status=502, body="<html>"), "answered 502"),
    "503": Kind(Fault("*", status=503, headers={"Retry-After": "5"}), "answered 503"),
    "reset before the headers": Kind(Fault("*", reset=True), r"no answer .*broken off"),
    "reset after the headers": Kind(Fault("*", truncate=0, reset=True), "no answer"),
    "a body cut short": Kind(Fault("*", truncate=5), r"no answer .*cut short"),
    "an empty body": Kind(Fault("*", status=200, body=""), INVALID_RESPONSE),
    "invalid JSON": Kind(Fault("*", status=200, body='{"collection": [{'), INVALID_RESPONSE),
    "JSON of the wrong shape": Kind(Fault("*", status=200, body=[]), INVALID_RESPONSE),
    "no collection": Kind(Fault("*", status=200, body={"pagination": {}}), INVALID_RESPONSE),
    "a row that is not an object": Kind(
        Fault("*", status=200, body=_response_with("row")), INVALID_RESPONSE
    ),
}
"""Transient faults that show at once."""

TRANSIENT = {**{name: kind.fault for name, kind in IMMEDIATE.items()}, **SLOW}
"""All transient faults."""

LASTING = {
    **IMMEDIATE,
    "a redirect": Kind(
        Fault("*", status=302, headers={"Location": "/x"}), "answered 302 .*`api_url`"
    ),
    "400": Kind(Fault("*", status=400), r"answered 400 .*\[request .*report it"),
    "404": Kind(Fault("*", status=404), r"answered 404 .*\[request .*just deleted"),
    "418": Kind(Fault("*", status=418, body={}), r"answered 418 .*\[request .*run again later"),
}
"""Lasting faults."""

KEYLESS = {
    "a row without its key": {"name": "nameless"},
    "a row whose key is null": {"uri": None, "start_time": None},
    "a row whose key is a number": {"uri": 7, "start_time": 7},
}
REPRESENTATIVES = {"organization_memberships", "event_invitees", "scheduled_events"}
"""A list with children, a child, and a sweep: the quick suite tries every fault on them."""

TRANSIENT_EVERYWHERE = {"429 with a reset in 37 s"}
LASTING_EVERYWHERE = {"no collection"}
"""The faults that the quick suite tries on every stream."""


def represented(targets: Iterable[str]) -> list[ParameterSet]:
    """Return targets as parameters; the quick suite tries only the representatives."""
    return cases(targets, quick={n for n in TARGETS if TARGETS[n].stream in REPRESENTATIVES})


def everywhere(kinds: Iterable[str], quick: Collection[str]) -> list[ParameterSet]:
    """Return all pairs as parameters; representatives meet every kind in the quick suite."""
    return crossed(
        TARGETS,
        kinds,
        quick=lambda name, kind: TARGETS[name].stream in REPRESENTATIVES or kind in quick,
    )


@dataclass
class Site:
    """An organization, and a warehouse for one of its streams."""

    sandbox: Sandbox
    tables: Tables
    paths: list[str]
    target: Target
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with an empty warehouse."""
        self.warehouse = Warehouse(self.sandbox, self.settings)

    def run(self) -> None:
        """Run the tap for this stream only, from where the last run stopped."""
        self.warehouse.run(select={self.target.stream})

    def inject(self, fault: Fault, *, times: int | None) -> None:
        """Add a fault to the stream's second request, or to its only one."""
        after = min(len(self.paths) - 1, 1)
        self.sandbox.faults.add(replace(fault, path=self.target.path, times=times, after=after))

    def next_page_url(self, page_token: str) -> str:
        """Return the URL of another page of the list that has the fault."""
        path = self.paths[min(len(self.paths) - 1, 1)]
        return f"{self.sandbox.url}{path}?page_token={page_token}"

    def error_line(self) -> str:
        """Run the tap, and return the one line that it ends with."""
        with pytest.raises(CalendlyError) as ended:
            self.run()
        error = ended.value
        (line,) = error.lines if isinstance(error, StreamsError) else [str(error)]
        assert "\n" not in line
        assert self.sandbox.token not in line
        return line

    def fails_to_get(self, message: str) -> bool:
        """Run the tap, and return whether its error names the stream, the request and the cause."""
        line = self.error_line()
        named = re.match(rf"{self.target.stream}: {message}", line)
        return bool(named and re.search(rf" to GET {self.target.pattern}[ :]", line))

    def catches_up(self) -> bool:
        """Run the tap again without faults, and return whether the table equals Calendly."""
        self.sandbox.faults.clear()
        self.run()
        return self.equals_calendly()

    def parent_column(self) -> str:
        """Return the column that holds the URI of the parent row."""
        parent = PARENTS[self.target.stream]
        contexts = map(parent.context, truth(self.sandbox)[self.target.leading].values())
        uris = [context.uri for context in contexts if context is not None]
        rows = self.tables[self.target.stream].values()
        row = next(iter(rows))
        return next(name for name in row if all(one[name] in uris for one in rows))

    def equals_calendly(self) -> bool:
        """Return whether the table equals Calendly."""
        return self.warehouse.tables == self.tables


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    """A small company that fills several pages; it never changes."""
    calendly = Calendly(SimulatedClock(NOW), seed=1, plan="enterprise")
    company.populate(calendly, seed=56, size=8, until=NOW)
    form = next(iter(calendly.routing_forms))
    invitee = next(invitee["uri"] for booked in calendly.invitees.values() for invitee in booked)
    for number in range(PAGE_SIZE * 2):
        calendly.submit_form(form=form, answers={}, result=None)
        calendly.send_message(invitee=invitee, body=f"See you in {number} days")
    with Sandbox(calendly, requests_per_minute=100_000) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[Tables, list[str]]]:
    """The tables of a run without faults, and the paths of the requests that match, by target."""
    return {}


@pytest.fixture
def site(
    request: pytest.FixtureRequest,
    organization: Sandbox,
    undisturbed: dict[str, tuple[Tables, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", PAGE_SIZE)
    # Waits pass on a clock of their own, so that free and busy times stay the same.
    clock = SimulatedClock(NOW)
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(clock, []))
    target: Target = TARGETS[request.param]
    calendly = organization.calendly
    settings = {"organization": calendly.organization["uri"], "user": calendly.owner}
    if request.param not in undisturbed:
        warehouse = Warehouse(organization, {**settings, "max_concurrent_requests": 1})
        warehouse.run(select={target.stream})
        assert warehouse.tables[target.stream]
        assert target.stream in NOT_BY_DEFAULT or warehouse.equals_calendly()
        paths = [one.path for one in organization.requests]
        paths = [path for path in paths if re.fullmatch(target.pattern, path)]
        undisturbed[request.param] = (warehouse.tables, paths)
    yield Site(organization, *undisturbed[request.param], target, settings)
    organization.faults.clear()


@pytest.mark.parametrize(
    ("site", "kind"), everywhere(TRANSIENT, TRANSIENT_EVERYWHERE), indirect=["site"]
)
def test_a_transient_fault_costs_nothing_but_time(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shorten_timeouts(monkeypatch)
    site.inject(TRANSIENT[kind], times=1)

    site.run()

    assert site.equals_calendly()
    assert len(site.sandbox.requests) > len(site.paths)


@pytest.mark.parametrize(
    ("site", "kind"), everywhere(LASTING, LASTING_EVERYWHERE), indirect=["site"]
)
def test_a_lasting_fault_ends_the_run_in_one_line_and_the_next_run_catches_up(
    site: Site, kind: str
) -> None:
    site.inject(LASTING[kind].fault, times=None)

    assert site.fails_to_get(f".*{LASTING[kind].message}")
    assert site.catches_up()


@pytest.mark.parametrize(
    ("site", "kind"),
    crossed(CORE, SLOW, quick=lambda site, _: TARGETS[site].stream == "event_invitees"),
    indirect=["site"],
)
def test_a_response_that_never_ends_is_given_up_in_time(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the core streams only, as each takes seconds; the others make requests the same way."""
    site.inject(SLOW[kind], times=None)
    site.settings["retry_timeout"] = 20
    with monkeypatch.context() as patched_timeouts:
        _shorten_timeouts(patched_timeouts)
        assert site.fails_to_get(r"no answer from .* \(no complete answer in time\)")
    assert site.catches_up()


@pytest.mark.parametrize("row", KEYLESS)
@pytest.mark.parametrize("site", represented(BY_KEY), indirect=True)
def test_a_row_without_its_key_is_an_invalid_response(site: Site, row: str) -> None:
    site.inject(Fault("*", status=200, body=_response_with(KEYLESS[row])), times=None)

    assert re.match(rf"{site.target.stream}: {INVALID_RESPONSE}", site.error_line())
    assert site.catches_up()


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_list_refused_midway_counts_as_neither_unavailable_nor_complete(
    site: Site, status: int
) -> None:
    if len(site.paths) == 1:
        site.inject(_page(site.next_page_url("more")), times=1)
    site.inject(Fault("*", status=status), times=None)

    assert re.match(rf"{site.target.stream}: Calendly answered {status} to GET ", site.error_line())
    assert site.catches_up()


@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_next_page_on_another_host_is_not_requested(site: Site) -> None:
    with Sandbox(site.sandbox.calendly) as other:
        site.inject(_page(f"{other.url}/event_types?page_token=x"), times=None)
        line = site.error_line()

    assert re.match(rf"{site.target.stream}: .* is on {urlsplit(other.url).netloc}, not", line)
    assert not other.requests
    assert site.catches_up()


@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_next_page_that_repeats_itself_ends_the_run(site: Site) -> None:
    site.inject(_page(site.next_page_url("again")), times=None)

    assert f"{site.target.stream}: Calendly's pages form a loop" in site.error_line()
    assert len(site.sandbox.requests) < 100
    assert site.catches_up()


@pytest.mark.parametrize("filled", [True, False], ids=["with rows", "without rows"])
@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_an_endless_list_ends_the_run(
    site: Site, monkeypatch: pytest.MonkeyPatch, *, filled: bool
) -> None:
    """Every page leads to a new one; its rows repeat, or there are none."""
    rows = list(site.tables[site.target.stream].values())[:2] if filled else []
    rows = [{name: value for name, value in row.items() if name != "id"} for row in rows]
    site.settings["max_concurrent_requests"] = 1
    for number in range(60):
        page = rows[number % 2 :][:1]
        site.inject(_page(site.next_page_url(str(number)), *page), times=1)

    with monkeypatch.context() as bounded:
        bounded.setattr("tap_calendly.reading.reader.LONGEST_LIST", 40)
        line = site.error_line()

    assert f"{site.target.stream}: Calendly's pages form a loop" in line
    assert len(site.sandbox.requests) < 100
    assert site.catches_up()


@pytest.mark.parametrize("site", CHILDREN, indirect=True)
def test_children_of_a_deleted_row_are_skipped(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The row was deleted after it was listed."""
    whole, column = site.tables[site.target.stream], site.parent_column()
    gone = str(next(iter(whole.values()))[column])
    own, uuid = urlsplit(gone).path, gone.rsplit("/", 1)[-1]
    site.sandbox.faults.add(Fault(f"{own}*", status=404, times=None))
    site.sandbox.faults.add(Fault(site.target.path, query=uuid, status=404, times=None))

    site.run()

    left = site.warehouse.tables[site.target.stream]
    assert left == {key: row for key, row in whole.items() if row[column] != gone}
    assert len(left) < len(whole)
    (line,) = [line for line in caplog.messages if line.endswith("Nothing is read of it.")]
    assert line.startswith(f"{site.target.stream}: Calendly answered 404 to GET ")


@pytest.mark.parametrize("site", represented(TARGETS), indirect=True)
def test_a_token_revoked_mid_run_ends_the_run_and_the_next_run_catches_up(site: Site) -> None:
    token = site.sandbox.access.issue(site.sandbox.calendly.owner)
    site.settings["personal_access_token"] = token
    site.inject(Fault("*", status=401), times=None)

    assert re.match(rf"{site.target.stream}: .* 401 .*`personal_access_token`", site.error_line())
    site.settings["personal_access_token"] = site.sandbox.token
    assert site.catches_up()


def test_a_revoked_token_ends_the_whole_run(organization: Sandbox) -> None:
    token = organization.access.issue(organization.calendly.owner)
    warehouse = Warehouse(organization, {"personal_access_token": token})
    requests = itertools.count()

    def revoke() -> None:
        if next(requests) == 20:
            organization.access.revoke(token)

    organization.interrupt(revoke)
    try:
        with pytest.raises(FatalError, match=r"^\w+: Calendly answered 401 to GET .*create a new"):
            warehouse.run()
    finally:
        organization.interrupt(None)
    assert len(organization.requests) < 20 + 2 + 8

    warehouse.settings = {}
    warehouse.run()
    assert warehouse.equals_calendly()


@pytest.mark.parametrize("site", represented(TARGETS), indirect=True)
def test_a_host_name_that_does_not_resolve_is_retried(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = itertools.count()
    resolve = socket.getaddrinfo

    def resolve_later(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the library
        if next(lookups) < 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_later)

    site.run()

    assert site.equals_calendly()


@pytest.mark.parametrize("site", represented(TARGETS), indirect=True)
def test_an_unreachable_host_ends_the_run_in_one_line_and_the_next_run_catches_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.sandbox.url
    first = rf"({site.target.leading}|current_user): no answer from \S+ to GET /\S+"
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", _fail_to_resolve)
        assert re.match(rf"{first} \(the host name cannot be resolved\)", site.error_line())
    site.settings["api_url"] = "http://127.0.0.1:9"
    assert re.match(
        rf"{first} \(the connection was refused\): check the network", site.error_line()
    )
    site.settings["api_url"] = url.replace("http://", "https://")
    assert re.match(rf"{first} \(TLS failed\): check the network", site.error_line())
    assert not site.warehouse.tables.get(site.target.stream)

    site.settings["api_url"] = url
    assert site.catches_up()


def _shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tap wait for a fraction of a second, which the setting does not allow."""
    timeout = property(lambda _: TIMEOUT, lambda *_: None)
    monkeypatch.setattr(Client, "_timeouts", timeout, raising=False)


def _page(next_page: str, *rows: Any) -> Fault:  # noqa: ANN401 - whatever a page may hold
    """Return a fault that answers with this page."""
    return Fault("*", status=200, body={"collection": rows, "pagination": {"next_page": next_page}})


def _fail_to_resolve(*_: Any, **__: Any) -> None:  # noqa: ANN401 - those of the library
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
