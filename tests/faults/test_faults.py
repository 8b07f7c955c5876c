"""Whatever goes wrong: the run recovers, or ends in one line and the next run makes up for it."""

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

ROWS_A_PAGE = 3
PATIENCE = 0.25
"""Seconds for an answer."""


@dataclass(frozen=True)
class Target:
    """Requests that go wrong.

    Attributes:
        stream: The stream that makes them.
        path: A glob over their path.
        paged: Whether they are pages of a list.
        leading: The stream whose rows have to be read first, if any, or the stream itself.
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
    for stream in STREAMS:
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
"""Those whose key the API gives, at least in part."""


@dataclass(frozen=True)
class Kind:
    """A way in which requests go wrong.

    Attributes:
        fault: What the sandbox does.
        says: What the line says of it, should it last.
    """

    fault: Fault
    says: str


def _rows(row: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever an answer may hold
    """Answer with a row, whatever the envelope."""
    return {"resource": row, "collection": [row], "pagination": {"next_page": None}}


def _used_up(**headers: str) -> Fault:
    names = {f"X-RateLimit-{name.title()}": value for name, value in headers.items()}
    return Fault("*", status=429, headers=names)


NOT_CALENDLYS = (
    r"the answer 200 to GET (\S+) is not what Calendly's API sends \[request .*`api_url`"
)

SLOW = {
    "a stalled response": Fault("*", stall=True),
    "a stalled body": Fault("*", truncate=5, stall=True),
    "a slow drip": Fault("*", drip=0.05),
}

BRIEF = {
    "408": Kind(Fault("*", status=408), "answered 408"),
    "429, the reset in 37 s": Kind(_used_up(remaining="0", reset="37"), "answered 429"),
    "429, the reset at once": Kind(_used_up(remaining="0", reset="0"), "answered 429"),
    "429 without headers": Kind(_used_up(limit="", remaining="", reset=""), "answered 429"),
    "429, absurd": Kind(_used_up(limit="-1", remaining="x", reset="9" * 400), "answered 429"),
    "500": Kind(Fault("*", status=500), "answered 500"),
    "502 with a page": Kind(Fault("*", status=502, body="<html>"), "answered 502"),
    "503": Kind(Fault("*", status=503, headers={"Retry-After": "5"}), "answered 503"),
    "reset before the headers": Kind(Fault("*", reset=True), r"no answer .*broken off"),
    "reset after the headers": Kind(Fault("*", truncate=0, reset=True), "no answer"),
    "a body cut short": Kind(Fault("*", truncate=5), r"no answer .*cut short"),
    "an empty body": Kind(Fault("*", status=200, body=""), NOT_CALENDLYS),
    "invalid JSON": Kind(Fault("*", status=200, body='{"collection": [{'), NOT_CALENDLYS),
    "JSON of another shape": Kind(Fault("*", status=200, body=[]), NOT_CALENDLYS),
    "no collection": Kind(Fault("*", status=200, body={"pagination": {}}), NOT_CALENDLYS),
    "a row that is no object": Kind(Fault("*", status=200, body=_rows("row")), NOT_CALENDLYS),
}
"""What may pass, and at once."""

PASSING = {**{name: kind.fault for name, kind in BRIEF.items()}, **SLOW}
"""What may pass."""

LASTING = {
    **BRIEF,
    "a redirect": Kind(
        Fault("*", status=302, headers={"Location": "/x"}), "answered 302 .*`api_url`"
    ),
    "400": Kind(Fault("*", status=400), r"answered 400 .*\[request .*report it"),
    "404": Kind(Fault("*", status=404), r"answered 404 .*\[request .*just deleted"),
    "418": Kind(Fault("*", status=418, body={}), r"answered 418 .*\[request .*run again later"),
}
"""What lasts."""

KEYLESS = {
    "a row without its key": {"name": "nameless"},
    "a row whose key is null": {"uri": None, "start_time": None},
    "a row whose key is a number": {"uri": 7, "start_time": 7},
}
REPRESENTATIVES = {"organization_memberships", "event_invitees", "scheduled_events"}
"""A list with children, a child, and a sweep: they meet everything in the quick suite."""

PASSING_EVERYWHERE = {"429, the reset in 37 s", "reset after the headers"}
LASTING_EVERYWHERE = {"500", "no collection"}
"""What every stream meets in the quick suite."""


def represented(targets: Iterable[str]) -> list[ParameterSet]:
    """Give targets as parameters, of which the quick suite tries the representatives."""
    return cases(targets, quick={n for n in TARGETS if TARGETS[n].stream in REPRESENTATIVES})


def everywhere(kinds: Iterable[str], quick: Collection[str]) -> list[ParameterSet]:
    """Give each target beside each kind; representatives meet all of them in the quick suite."""
    return crossed(
        TARGETS,
        kinds,
        quick=lambda name, kind: TARGETS[name].stream in REPRESENTATIVES or kind in quick,
    )


@dataclass
class Site:
    """An organization, and a warehouse for one stream of it."""

    sandbox: Sandbox
    tables: Tables
    paths: list[str]
    target: Target
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with an empty warehouse."""
        self.warehouse = Warehouse(self.sandbox, self.settings)

    def run(self) -> None:
        """Run the tap for the stream alone, from where the last run has stopped."""
        self.warehouse.run(select={self.target.stream})

    def strike(self, fault: Fault, *, times: int | None) -> None:
        """Let something happen to the stream's second request, if it makes several."""
        after = min(len(self.paths) - 1, 1)
        self.sandbox.faults.add(replace(fault, path=self.target.path, times=times, after=after))

    def address(self, page_token: str) -> str:
        """Give the address of a further page of the list that is struck."""
        path = self.paths[min(len(self.paths) - 1, 1)]
        return f"{self.sandbox.url}{path}?page_token={page_token}"

    def fails(self) -> str:
        """Run the tap, and give the one line that it ends with."""
        with pytest.raises(CalendlyError) as ended:
            self.run()
        error = ended.value
        (line,) = error.lines if isinstance(error, StreamsError) else [str(error)]
        assert "\n" not in line
        assert self.sandbox.token not in line
        return line

    def fails_to_get(self, says: str) -> bool:
        """Run the tap, and tell whether its line names the stream, the request and what it was."""
        line = self.fails()
        named = re.match(rf"{self.target.stream}: {says}", line)
        return bool(named and re.search(rf" to GET {self.target.pattern}[ :]", line))

    def makes_up_for_it(self) -> bool:
        """Run the tap once more with all well, and tell whether the table is as it should be."""
        self.sandbox.faults.clear()
        self.run()
        return self.equals_calendly()

    def column_of_the_parent(self) -> str:
        """Give the column that names the row to which rows belong."""
        parent = PARENTS[self.target.stream]
        contexts = map(parent.context, truth(self.sandbox)[self.target.leading].values())
        uris = [context.uri for context in contexts if context is not None]
        rows = self.tables[self.target.stream].values()
        row = next(iter(rows))
        return next(name for name in row if all(one[name] in uris for one in rows))

    def equals_calendly(self) -> bool:
        """Tell whether the table is as it should be."""
        return self.warehouse.tables == self.tables


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    """A small company that fills several pages; nothing happens in it."""
    calendly = Calendly(SimulatedClock(NOW), seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=8, until=NOW)
    form = next(iter(calendly.routing_forms))
    invitee = next(invitee["uri"] for booked in calendly.invitees.values() for invitee in booked)
    for number in range(ROWS_A_PAGE * 2):
        calendly.submit_form(form=form, answers={}, result=None)
        calendly.send_message(invitee=invitee, body=f"See you in {number} days")
    with Sandbox(calendly, requests_per_minute=100_000) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[Tables, list[str]]]:
    """What a run finds with all well, and the paths of its requests of the kind, by target."""
    return {}


@pytest.fixture
def site(
    request: pytest.FixtureRequest,
    organization: Sandbox,
    undisturbed: dict[str, tuple[Tables, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    monkeypatch.setattr("tap_calendly.reading.endpoint.PAGE_SIZE", ROWS_A_PAGE)
    # Waits pass on a clock of their own: what is free in the next days stays the same.
    ticking = SimulatedClock(NOW)
    monkeypatch.setattr(throttle, "SystemClock", lambda: PassingClock(ticking, []))
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
    ("site", "kind"), everywhere(PASSING, PASSING_EVERYWHERE), indirect=["site"]
)
def test_what_passes_costs_nothing_but_time(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hurry(monkeypatch)
    site.strike(PASSING[kind], times=1)

    site.run()

    assert site.equals_calendly()
    assert len(site.sandbox.requests) > len(site.paths)


@pytest.mark.parametrize(
    ("site", "kind"), everywhere(LASTING, LASTING_EVERYWHERE), indirect=["site"]
)
def test_what_lasts_ends_in_one_line_and_the_next_run_makes_up_for_it(
    site: Site, kind: str
) -> None:
    site.strike(LASTING[kind].fault, times=None)

    assert site.fails_to_get(f".*{LASTING[kind].says}")
    assert site.makes_up_for_it()


@pytest.mark.parametrize("kind", SLOW)
@pytest.mark.parametrize("site", represented(CORE), indirect=True)
def test_what_never_ends_is_given_up_in_time(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the core streams, as each takes its time; the others ask in the same way."""
    site.strike(SLOW[kind], times=None)
    site.settings["retry_timeout"] = 20
    with monkeypatch.context() as hurried:
        _hurry(hurried)
        assert site.fails_to_get(r"no answer from .* \(no complete answer in time\)")
    assert site.makes_up_for_it()


@pytest.mark.parametrize("row", KEYLESS)
@pytest.mark.parametrize("site", represented(BY_KEY), indirect=True)
def test_a_row_without_its_key_is_no_answer(site: Site, row: str) -> None:
    site.strike(Fault("*", status=200, body=_rows(KEYLESS[row])), times=None)

    assert re.match(rf"{site.target.stream}: {NOT_CALENDLYS}", site.fails())
    assert site.makes_up_for_it()


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_list_that_is_refused_in_its_middle_is_not_taken_for_closed_or_ended(
    site: Site, status: int
) -> None:
    if len(site.paths) == 1:
        site.strike(_page(site.address("more")), times=1)
    site.strike(Fault("*", status=status), times=None)

    assert re.match(rf"{site.target.stream}: Calendly answered {status} to GET ", site.fails())
    assert site.makes_up_for_it()


@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_next_page_on_another_host_is_not_asked_for(site: Site) -> None:
    with Sandbox(site.sandbox.calendly) as other:
        site.strike(_page(f"{other.url}/event_types?page_token=x"), times=None)
        line = site.fails()

    assert re.match(rf"{site.target.stream}: .* is on {urlsplit(other.url).netloc}, not", line)
    assert not other.requests
    assert site.makes_up_for_it()


@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_next_page_that_repeats_itself_ends_the_run(site: Site) -> None:
    site.strike(_page(site.address("again")), times=None)

    assert f"{site.target.stream}: Calendly's pages go round in a circle" in site.fails()
    assert len(site.sandbox.requests) < 100
    assert site.makes_up_for_it()


@pytest.mark.parametrize("filled", [True, False], ids=["with rows", "without rows"])
@pytest.mark.parametrize("site", represented(LISTS), indirect=True)
def test_a_list_without_end_ends_the_run(
    site: Site, monkeypatch: pytest.MonkeyPatch, *, filled: bool
) -> None:
    """Every page leads to one that was never asked for; its rows come round, or there are none."""
    rows = list(site.tables[site.target.stream].values())[:2] if filled else []
    rows = [{name: value for name, value in row.items() if name != "id"} for row in rows]
    site.settings["max_concurrent_requests"] = 1
    for number in range(60):
        page = rows[number % 2 :][:1]
        site.strike(_page(site.address(str(number)), *page), times=1)

    with monkeypatch.context() as bounded:
        bounded.setattr("tap_calendly.reading.reader.LONGEST_LIST", 40)
        line = site.fails()

    assert f"{site.target.stream}: Calendly's pages go round in a circle" in line
    assert len(site.sandbox.requests) < 100
    assert site.makes_up_for_it()


@pytest.mark.parametrize("site", CHILDREN, indirect=True)
def test_what_belongs_to_a_row_that_is_gone_is_passed_over(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It was deleted after it was listed: nothing of it is found any more."""
    whole, column = site.tables[site.target.stream], site.column_of_the_parent()
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
def test_a_token_that_is_revoked_in_mid_run_ends_it_and_the_next_one_goes_on(site: Site) -> None:
    token = site.sandbox.access.issue(site.sandbox.calendly.owner)
    site.settings["personal_access_token"] = token
    site.strike(Fault("*", status=401), times=None)

    assert re.match(rf"{site.target.stream}: .* 401 .*`personal_access_token`", site.fails())
    site.settings["personal_access_token"] = site.sandbox.token
    assert site.makes_up_for_it()


def test_a_revoked_token_ends_the_whole_run(organization: Sandbox) -> None:
    token = organization.access.issue(organization.calendly.owner)
    warehouse = Warehouse(organization, {"personal_access_token": token})
    asked = itertools.count()

    def revoke() -> None:
        if next(asked) == 20:
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
def test_a_host_whose_name_cannot_be_resolved_is_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = itertools.count()
    resolve = socket.getaddrinfo

    def resolve_later(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the library
        if next(asked) < 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_later)

    site.run()

    assert site.equals_calendly()


@pytest.mark.parametrize("site", represented(TARGETS), indirect=True)
def test_a_host_that_cannot_be_reached_ends_in_one_line_and_the_next_run_makes_up_for_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.sandbox.url
    first = rf"({site.target.leading}|current_user): no answer from \S+ to GET /\S+"
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", _resolve_nothing)
        assert re.match(rf"{first} \(the host name cannot be resolved\)", site.fails())
    site.settings["api_url"] = "http://127.0.0.1:9"
    assert re.match(rf"{first} \(the connection was refused\): check the network", site.fails())
    site.settings["api_url"] = url.replace("http://", "https://")
    assert re.match(rf"{first} \(TLS failed\): check the network", site.fails())
    assert not site.warehouse.tables.get(site.target.stream)

    site.settings["api_url"] = url
    assert site.makes_up_for_it()


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tap wait a part of a second for answers, instead of whole ones."""
    timeout = property(lambda _: PATIENCE, lambda *_: None)
    monkeypatch.setattr(Client, "_timeouts", timeout, raising=False)


def _page(following: str, *rows: Any) -> Fault:  # noqa: ANN401 - whatever a page may hold
    """Answer with a page."""
    return Fault("*", status=200, body={"collection": rows, "pagination": {"next_page": following}})


def _resolve_nothing(*_: Any, **__: Any) -> None:  # noqa: ANN401 - those of the library
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
