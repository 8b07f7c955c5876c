"""A malformed catalog, state or stream map ends the run in one line; harmless ones are ignored."""

from __future__ import annotations

import copy
import json
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SimulatedClock
from tests import singer
from tests.cases import cases
from tests.command import complaints, run_here, run_tap
from tests.conftest import NOW
from tests.singer import Run, config, truth

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Edit = Callable[[dict[str, Any]], object]

SECRET = "c2VjcmV0"  # noqa: S105 - made up
STREAM = "event_types"


@pytest.fixture(scope="module")
def quiet() -> Iterator[Sandbox]:
    """A sandbox that should get no request."""
    clock = SimulatedClock(NOW)
    with Sandbox(Calendly(clock, seed=1, plan="enterprise"), clock=clock) as sandbox:
        yield sandbox


def _catalog(*edits: Edit, of: str = STREAM, select: bool = True) -> dict[str, Any]:
    """Return a catalog of one stream, with edits made to its entry."""
    whole = singer.catalog({of} if select else set())
    assert whole is not None
    (entry,) = (entry for entry in whole["streams"] if entry["tap_stream_id"] == of)
    for edit in edits:
        edit(entry)
    return {"streams": [entry]}


def _with(**fields: object) -> Edit:
    return lambda entry: entry.update(fields)


def _without(*fields: str) -> Edit:
    return lambda entry: [entry.pop(field) for field in fields]


def _columns(**columns: object) -> Edit:
    return lambda entry: entry["schema"]["properties"].update(columns)


def _drop(column: str) -> Edit:
    return lambda entry: entry["schema"]["properties"].pop(column)


def _metadata(breadcrumb: object, **fields: object) -> Edit:
    """Replace the metadata for a breadcrumb."""

    def edit(entry: dict[str, Any]) -> None:
        others = [part for part in entry["metadata"] if part["breadcrumb"] != breadcrumb]
        entry["metadata"] = [*others, {"breadcrumb": breadcrumb, "metadata": fields}]

    return edit


CATALOGS: dict[str, tuple[object, str]] = {
    "not JSON": ("{'streams': []}", "it is not JSON"),
    "an empty file": ("", "it is not JSON"),
    "a list": ([], "`tap-calendly --discover`"),
    "no streams": ({}, "`tap-calendly --discover`"),
    "streams by name": ({"streams": {STREAM: {}}}, "`tap-calendly --discover`"),
    "a duplicate key": ('{"streams": [], "streams": []}', 'has "streams" twice'),
    "an empty list of streams": ({"streams": []}, "selects no stream"),
    "a stream that is a string": ({"streams": [STREAM]}, "entry 1 of `streams`"),
    "a stream without a name": (_catalog(_without("tap_stream_id")), "`tap_stream_id`"),
    "a stream that is a number": (_catalog(_with(tap_stream_id=5)), "`tap_stream_id`"),
    "no stream selected": (_catalog(select=False), "selects no stream"),
    "an unknown stream only": (_catalog(_with(tap_stream_id="x", stream="x")), "selects no stream"),
    "a stream twice": ({"streams": _catalog()["streams"] * 2}, f"{STREAM}: there must be only one"),
    "another name": (_catalog(_with(stream="kinds")), f"{STREAM}: `stream` must"),
    "a name that is a list": (_catalog(_with(stream=["kinds"])), f"{STREAM}: `stream` must"),
    "no schema": (_catalog(_without("schema")), f"{STREAM}: `schema` must"),
    "a schema that is a string": (_catalog(_with(schema="any")), f"{STREAM}: `schema` must"),
    "columns as a list": (
        _catalog(_with(schema={"properties": ["uri"]})),
        f"{STREAM}: `schema` must",
    ),
    "a column without a schema": (_catalog(_columns(name=True)), f"{STREAM}: `schema` must"),
    "items without a schema": (
        _catalog(_columns(name={"type": "array", "items": "string"})),
        f"{STREAM}: `schema` must",
    ),
    "no key": (_catalog(_drop("uri")), f"{STREAM}: the schema must have the column uri"),
    "no replication key": (
        _catalog(_drop("updated_at")),
        f"{STREAM}: the schema must have the column updated_at",
    ),
    "no primary key of a child": (
        _catalog(_drop("id"), of="user_busy_times"),
        "user_busy_times: the schema must have the column id",
    ),
    "metadata as an object": (_catalog(_with(metadata={})), f"{STREAM}: `metadata` must"),
    "metadata of numbers": (_catalog(_with(metadata=[5])), f"{STREAM}: `metadata` must"),
    "metadata without a breadcrumb": (
        _catalog(_with(metadata=[{"metadata": {"selected": True}}])),
        f"{STREAM}: `metadata` must",
    ),
    "an empty entry of metadata": (
        _catalog(_with(metadata=[{"breadcrumb": []}])),
        f"{STREAM}: `metadata` must",
    ),
    "a breadcrumb that is a string": (
        _catalog(_metadata("properties.name", selected=False)),
        f"{STREAM}: `metadata` must",
    ),
    "a breadcrumb to nowhere": (
        _catalog(_metadata(["properties", "nmae"], selected=False)),
        f"{STREAM}: `metadata` must name columns of the schema, not properties.nmae",
    ),
    "selected as a string": (
        _catalog(_metadata([], selected="false")),
        f"{STREAM}: `selected` of the",
    ),
    "a column selected as a string": (
        _catalog(_metadata(["properties", "name"], selected="no")),
        f"{STREAM}: `selected` of properties.name",
    ),
    "an unknown inclusion": (
        _catalog(_metadata(["properties", "name"], inclusion=["available"])),
        f"{STREAM}: `inclusion` of properties.name in `metadata` must be one of available",
    ),
    "a deselected primary key": (
        _catalog(_metadata(["properties", "uri"], inclusion="available", selected=False)),
        f"{STREAM}: the column uri must be selected",
    ),
    "another key": (_catalog(_with(key_properties=["name"])), f"{STREAM}: `key_properties` must"),
    "a primary key that is a string": (
        _catalog(_with(key_properties="uri")),
        f"{STREAM}: `key_properties` must",
    ),
    "no key properties": (
        _catalog(_without("key_properties"), _metadata([], selected=True)),
        f"{STREAM}: `key_properties` must be uri",
    ),
    "another replication key": (
        _catalog(_with(replication_key="created_at")),
        f"{STREAM}: `replication_key` must be updated_at",
    ),
    "a replication key for a full table": (
        _catalog(_with(replication_key="created_at"), of="groups"),
        "groups: `replication_key` must be left out",
    ),
    "an unknown replication method": (
        _catalog(_with(replication_method="LOG_BASED")),
        f"{STREAM}: `replication_method` must be one of FULL_TABLE, INCREMENTAL",
    ),
}
"""Catalogs, and what the error about each says."""

START_OVER = "start without this stream's state"
TIME = "2026-03-04T09:00:00Z"
SCOPE = "organization AAAA"
ENTRY = {"scope": SCOPE, "layout": 1, "replication_key_value": TIME, "start_date": None}
SWEPT_ENTRY = {**ENTRY, "full_scan": TIME, "window_start": None, "earliest": None}
SWEEP = {
    "streams": ["scheduled_events"],
    "began": TIME,
    "full": True,
    "window_start": None,
    "start_date": None,
    "earliest": None,
    "remaining": [[None, TIME]],
}


def _state(**fields: object) -> dict[str, Any]:
    return {"bookmarks": {STREAM: {**ENTRY, **fields}}}


def _whole(**fields: object) -> dict[str, Any]:
    return {"bookmarks": {"scheduled_events": {**SWEPT_ENTRY, **fields}}}


def _sweep(**fields: object) -> dict[str, Any]:
    return _whole(sweep={**SWEEP, **fields})


def _damaged(field: str, stream: str = STREAM) -> str:
    return f"{stream}: the state cannot be read, as its `{field}` is damaged: {START_OVER}"


FULL_TABLES_DAMAGED = "the state cannot be read, as its `full_tables` is damaged: remove it from"


STATES: dict[str, tuple[object, str]] = {
    "not JSON": ("bookmarks", "it is not JSON"),
    "an empty file": ("", "it is not JSON"),
    "truncated": (json.dumps(_state())[:-9], "it is not JSON"),
    "two states": (f"{json.dumps(_state())}\n{json.dumps(_state())}", "see line 2"),
    "a list": ([_state()], "`bookmarks`"),
    "a whole message": ({"type": "STATE", "value": _state()}, "the `value` of a run's last STATE"),
    "as Meltano stores it": ({"singer_state": _state()}, "`bookmarks`"),
    "bookmarks at the top": ({STREAM: TIME}, "`bookmarks`"),
    "bookmarks of null": ({"bookmarks": None}, "`bookmarks`"),
    "bookmarks as a list": ({"bookmarks": [ENTRY]}, "`bookmarks`"),
    "a bookmark that is a string": ({"bookmarks": {STREAM: TIME}}, f"{STREAM}: its entry"),
    "a bookmark of null": ({"bookmarks": {STREAM: None}}, f"{STREAM}: its entry"),
    "another tap's entry that is a string": ({"bookmarks": {"x": "2020"}}, "x: its entry"),
    "a name with a line break": ({"bookmarks": {"x\ny": "2020"}}, "x y: its entry"),
    "a duplicate stream": (
        f'{{"bookmarks": {{"{STREAM}": {{}}, "{STREAM}": {{}}}}}}',
        f'has "{STREAM}" twice',
    ),
    "full tables as a list": ({"bookmarks": {}, "full_tables": ["groups"]}, FULL_TABLES_DAMAGED),
    "full tables with half a character": (
        {"bookmarks": {}, "full_tables": {SCOPE: ["\ud800"]}},
        FULL_TABLES_DAMAGED,
    ),
    "full tables of null": ({"bookmarks": {}, "full_tables": None}, FULL_TABLES_DAMAGED),
    "full tables without a scope": (
        {"bookmarks": {}, "full_tables": {"groups": True}},
        FULL_TABLES_DAMAGED,
    ),
    "full tables that are numbers": (
        {"bookmarks": {}, "full_tables": {SCOPE: [1]}},
        FULL_TABLES_DAMAGED,
    ),
    "a later layout": (_state(layout=2), f"{STREAM}: the state was written by a later version"),
    "a huge layout": (_state(layout=10**30), f"{STREAM}: the state was written by a later version"),
    "a negative layout": (_state(layout=-1), _damaged("layout")),
    "a layout that is a string": (_state(layout="1"), _damaged("layout")),
    "a layout of null": (_state(layout=None), _damaged("layout")),
    "a layout that is a boolean": (_state(layout=True), _damaged("layout")),
    "a scope that is a list": (_state(scope=[SCOPE]), _damaged("scope")),
    "a Unix timestamp": (
        _state(replication_key_value=1_772_614_800),
        _damaged("replication_key_value"),
    ),
    "a date as a number": (
        _state(replication_key_value=20260304),
        _damaged("replication_key_value"),
    ),
    "not a date": (_state(replication_key_value="yesterday"), _damaged("replication_key_value")),
    "a relative date": (_state(replication_key_value="now"), _damaged("replication_key_value")),
    "a time of day": (_state(replication_key_value="09:00"), _damaged("replication_key_value")),
    "the year 1": (
        _state(replication_key_value="0001-01-01T00:00:00Z"),
        _damaged("replication_key_value"),
    ),
    "the year 9999": (
        _state(replication_key_value="9999-12-31T23:59:59Z"),
        _damaged("replication_key_value"),
    ),
    "a start date that is a number": (_state(start_date=2025), _damaged("start_date")),
    "an empty start date": (
        {"bookmarks": {STREAM: {**ENTRY, "start_date": ""}}},
        _damaged("start_date"),
    ),
    "a full scan of null": (_whole(full_scan=None), _damaged("full_scan", "scheduled_events")),
    "a window that is a boolean": (
        _whole(window_start=False),
        _damaged("window_start", "scheduled_events"),
    ),
    "a sweep that is a list": (_whole(sweep=[]), _damaged("sweep", "scheduled_events")),
    "a sweep that never began": (_sweep(began=None), _damaged("began", "scheduled_events")),
    "a sweep that is half full": (_sweep(full="half"), _damaged("full", "scheduled_events")),
    "a sweep with an invalid window": (
        _sweep(window_start=5),
        _damaged("window_start", "scheduled_events"),
    ),
    "a sweep with an invalid start date": (
        _sweep(start_date={}),
        _damaged("start_date", "scheduled_events"),
    ),
    "a sweep with an invalid earliest start": (
        _sweep(earliest="x"),
        _damaged("earliest", "scheduled_events"),
    ),
    "a sweep whose streams are a number": (
        _sweep(streams=5),
        _damaged("streams", "scheduled_events"),
    ),
    "a sweep without ranges": (_sweep(remaining=None), _damaged("remaining", "scheduled_events")),
    "a sweep of half a range": (
        _sweep(remaining=[[TIME]]),
        _damaged("remaining", "scheduled_events"),
    ),
    "a sweep with a range of three times": (
        _sweep(remaining=[[TIME, TIME, TIME]]),
        _damaged("remaining", "scheduled_events"),
    ),
    "a sweep of strings": (_sweep(remaining=["ab"]), _damaged("remaining", "scheduled_events")),
    "a sweep with an invalid range": (
        _sweep(remaining=[[None, "x"]]),
        _damaged("remaining", "scheduled_events"),
    ),
}
"""States, and what the error about each says."""


@pytest.mark.parametrize(
    ("option", "content", "error"),
    [
        pytest.param(option, content, error, id=f"{option[2:]}: {what}")
        for option, table in (("--catalog", CATALOGS), ("--state", STATES))
        for what, (content, error) in table.items()
    ],
)
def test_an_unusable_file_ends_the_run_in_one_line_before_any_request(
    tmp_path: Path, quiet: Sandbox, option: str, content: object, error: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))

    assert error in _refusal(file, option, quiet)


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("folder", "cannot be read (Is a directory)"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"{", "line 1, column 2"),
        (b"5", "it must "),
        (b'{"a": 1e999999, "a": NaN}', "its JSON cannot be used"),
        (b'{"a": {"b": 1, "b": 2}}', 'has "b" twice'),
        (b"[" * 100_000, "its JSON cannot be used"),
    ],
    ids=["missing", "folder", "UTF-16", "cut", "number", "no number", "duplicate", "too deep"],
)
def test_an_unreadable_file_ends_the_run_in_one_line(
    tmp_path: Path, quiet: Sandbox, option: str, content: bytes | str | None, error: str
) -> None:
    file = tmp_path / "broken.json"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        file.mkdir()

    assert error in _refusal(file, option, quiet)


def _refusal(file: Path, option: str, sandbox: Sandbox) -> str:
    """Pass a file to the tap, which refuses it, and return the error."""
    sandbox.forget_requests()
    result = run_here(file.parent, option, str(file), config=config(sandbox))
    _assert_refused(result, sandbox)
    (line,) = complaints(result)
    assert f"{file.name} given to {option}: " in line
    return line


MAPS: dict[str, tuple[object, str]] = {
    "a string": (SECRET, "stream_maps"),
    "an unknown stream": ({"event_type": {}}, "stream_maps.event_type"),
    "a pattern without a stream": ({"event_x*": None}, "stream_maps.event_x*"),
    "an unknown source": ({"kinds": {"__source__": "x"}}, "stream_maps.kinds"),
    "a source that is a number": ({"kinds": {"__source__": 5}}, "stream_maps.kinds"),
    "a stream that is a number": ({STREAM: 5}, f"stream_maps.{STREAM}"),
    "a stream that is an expression": ({STREAM: SECRET}, f"stream_maps.{STREAM}"),
    "the other streams as a string": ({"__else__": SECRET}, "stream_maps.__else__"),
    "an unknown option": (
        {STREAM: {"__fliter__": "active"}},
        f"stream_maps.{STREAM}.__fliter__",
    ),
    "the other columns as a string": (
        {STREAM: {"__else__": SECRET}},
        f"stream_maps.{STREAM}.__else__",
    ),
    "an alias that is a number": ({STREAM: {"__alias__": 5}}, f"stream_maps.{STREAM}.__alias__"),
    "an alias with a space": ({STREAM: {"__alias__": "a b"}}, f"stream_maps.{STREAM}.__alias__"),
    "a filter that is not an expression": (
        {STREAM: {"__filter__": f"name = '{SECRET}'"}},
        f"stream_maps.{STREAM}.__filter__",
    ),
    "a filter on an unknown column": (
        {STREAM: {"__filter__": f"nmae == '{SECRET}'"}},
        f"stream_maps.{STREAM}.__filter__",
    ),
    "a primary key that is a string": (
        {STREAM: {"__key_properties__": "uri"}},
        f"stream_maps.{STREAM}.__key_properties__",
    ),
    "a primary key of an unknown column": (
        {STREAM: {"__key_properties__": ["id"]}},
        f"stream_maps.{STREAM}.__key_properties__",
    ),
    "a primary key of lists": (
        {STREAM: {"__key_properties__": [["uri"]]}},
        f"stream_maps.{STREAM}.__key_properties__",
    ),
    "the primary key left out": ({STREAM: {"uri": None}}, f"stream_maps.{STREAM}.uri"),
    "an unknown column left out": (
        {"event_invitees": {"emial": "__NULL__"}},
        "stream_maps.event_invitees.emial",
    ),
    "a column that is a number": ({STREAM: {"name": 5}}, f"stream_maps.{STREAM}.name"),
    "an empty expression": ({STREAM: {"name": ""}}, f"stream_maps.{STREAM}.name"),
    "two words": ({STREAM: {"name": f"name {SECRET}"}}, f"stream_maps.{STREAM}.name"),
    "a statement": ({STREAM: {"name": "import os"}}, f"stream_maps.{STREAM}.name"),
    "an expression with NUL": ({STREAM: {"name": f"{SECRET}\x00"}}, f"stream_maps.{STREAM}.name"),
    "an endless expression": ({STREAM: {"name": "-" * 99_999}}, f"stream_maps.{STREAM}.name"),
    "an unknown function": (
        {STREAM: {"name": f"md6('{SECRET}' + name)"}},
        f"stream_maps.{STREAM}.name",
    ),
    "an unknown column": ({STREAM: {"name": "md5(nmae)"}}, f"stream_maps.{STREAM}.name"),
}
"""Stream maps, and the setting that the error names."""


@pytest.mark.parametrize(("given", "setting"), MAPS.values(), ids=MAPS)
def test_an_unusable_stream_map_ends_the_run_in_one_line_before_any_request(
    tmp_path: Path, quiet: Sandbox, given: object, setting: str
) -> None:
    quiet.forget_requests()

    result = run_here(tmp_path, config=config(quiet, stream_maps=given))

    _assert_refused(result, quiet)
    (line,) = complaints(result)
    assert f"Setting `{setting}` " in line
    assert SECRET not in result.stderr


def test_a_stream_map_for_an_unselected_stream_does_no_harm(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    maps = {"event_invitees": {"email": "md5(email)"}, "groups": {"name": None}}
    (tmp_path / "catalog.json").write_text(json.dumps(singer.catalog({STREAM})))
    settings = config(sandbox, stream_maps=maps)

    result = run_here(tmp_path, "--catalog", str(tmp_path / "catalog.json"), config=settings)

    assert result.returncode == 0
    assert _tables(result) == {STREAM: truth(sandbox)[STREAM]}


def test_stream_maps_support_what_the_sdk_documents(tmp_path: Path, sandbox: Sandbox) -> None:
    maps = {
        "?vent_types": {"name": "' '.join([one for one in str(self)])", "__filter__": "active"},
        "kinds": {"__source__": STREAM, "__key_properties__": ["id"], "id": "sha256(uri)"},
        "groups": {"__alias__": "circles", "__else__": None, "uri": "uri"},
    }

    (tmp_path / "catalog.json").write_text(json.dumps(singer.catalog({STREAM, "groups"})))
    settings = config(sandbox, stream_maps=maps)

    result = run_here(tmp_path, "--catalog", str(tmp_path / "catalog.json"), config=settings)

    assert result.returncode == 0
    assert complaints(result) == []
    assert len(_messages(result).rows("kinds")) == len(truth(sandbox)[STREAM])
    written = {message["stream"] for message in _messages(result).of("SCHEMA")}
    assert written == {STREAM, "kinds", "circles"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TAP_CALENDLY_LOOKBACK_DAYS", "a week"),
        ("TAP_CALENDLY_FLATTENING_ENABLED", "perhaps"),
        ("TAP_CALENDLY_STREAM_MAPS", "[]"),
        ("TAP_CALENDLY_OAUTH_CREDENTIALS", SECRET),
        ("TAP_CALENDLY_LOGLEVEL", "chatty"),
        ("LOGLEVEL", "5"),
    ],
)
def test_an_unusable_environment_variable_ends_the_run_in_one_line(
    tmp_path: Path, quiet: Sandbox, variable: str, value: str
) -> None:
    quiet.forget_requests()

    result = run_here(
        tmp_path, "--config", "ENV", config=config(quiet), environment={variable: value}
    )

    _assert_refused(result, quiet)
    (line,) = complaints(result)
    assert f"Environment variable `{variable}` must be " in line
    assert value not in line


def _assert_refused(result: subprocess.CompletedProcess[str], sandbox: Sandbox) -> None:
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "unexpectedly" not in result.stderr
    assert not sandbox.requests


def test_every_problem_in_a_file_gets_its_own_line(tmp_path: Path, quiet: Sandbox) -> None:
    state = {
        "bookmarks": {STREAM: {**ENTRY, "layout": 9}, "contacts": {**ENTRY, "layout": 0}, "x": 5}
    }
    (tmp_path / "state.json").write_text(json.dumps(state))

    result = run_tap(tmp_path, "--state", "state.json", config=config(quiet))

    assert result.returncode == 1
    assert result.stdout == ""
    streams = [line.split("given to --state: ")[1].split(":")[0] for line in complaints(result)]
    assert streams == [STREAM, "contacts", "x"]


def test_an_expression_that_fails_on_a_row_names_the_column(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    maps = {STREAM: {"name": f"md5('{SECRET}' + deleted_at)"}}

    result = run_here(tmp_path, config=config(sandbox, stream_maps=maps))

    assert result.returncode == 1
    (line,) = _errors(result)
    assert f"{STREAM}: `name` of `stream_maps` failed on a row (TypeError)" in line
    assert SECRET not in line


@pytest.mark.parametrize("field", ["replication_key_value", "full_scan"])
def test_a_bookmark_ahead_of_calendlys_clock_is_refused_and_names_the_stream(
    tmp_path: Path, sandbox: Sandbox, field: str
) -> None:
    """It would leave out unseen changes; a clock that is off by a minute does no harm."""
    given = _final_state(_run(tmp_path, sandbox))
    names = [name for name, entry in given["bookmarks"].items() if field in entry]
    assert len(names) >= (8 if field == "replication_key_value" else 2)
    for name in names:
        state = copy.deepcopy(given)
        state["bookmarks"][name][field] = "2027-01-01T00:00:00Z"
        selected = singer.catalog({name})

        result = _run(tmp_path, sandbox, state=state, catalog=selected)

        assert result.returncode == 1
        (line,) = _errors(result)
        assert f"{name}: the state is from the future, by Calendly's clock: {START_OVER}" in line

        state["bookmarks"][name][field] = "2026-03-04T09:31:00Z"
        assert _run(tmp_path, sandbox, state=state, catalog=selected).returncode == 0


def test_an_interrupted_sweep_from_the_future_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    given = _final_state(_run(tmp_path, sandbox))
    entry = given["bookmarks"]["scheduled_events"]
    sweep = {**SWEEP, "began": "2027-01-01T00:00:00Z", "remaining": []}
    sweep["streams"] = ["scheduled_events", "event_invitees"]
    for rest in (entry, {"scope": entry["scope"], "layout": 1}):
        given["bookmarks"]["scheduled_events"] = {**rest, "sweep": sweep}

        result = _run(tmp_path, sandbox, state=given)

        assert result.returncode == 1
        (line,) = _errors(result)
        assert "scheduled_events: the state is from the future" in line


HARMLESS: dict[str, tuple[object, str | None]] = {
    "empty": ({}, None),
    "no bookmarks": ({"bookmarks": {}}, None),
    "empty entries": ({"bookmarks": {STREAM: {}, "groups": {}, "x": {}}}, None),
    "a stream in progress": ({"currently_syncing": STREAM, "bookmarks": {}}, None),
    "no stream in progress": ({"currently_syncing": None}, None),
    "another tap's bookmarks": (
        {"bookmarks": {"issues": {"since": TIME}, "repos": {"partitions": 5}}},
        "not tap-calendly's, which are ignored: issues, repos.",
    ),
    "a later version's stream": (
        {"bookmarks": {"lunches": {**ENTRY, "layout": 2}}},
        "not tap-calendly's, which are ignored: lunches.",
    ),
    "another tap's stream of the same name": (
        {"bookmarks": {STREAM: {"replication_key": "id", "replication_key_value": 17}}},
        f"did not write; these streams are read from the start: {STREAM}.",
    ),
    "another tap's partitions": (
        {"bookmarks": {STREAM: {"partitions": [{"context": {"user": "x"}, "since": TIME}]}}},
        f"did not write; these streams are read from the start: {STREAM}.",
    ),
    "another organization's": (_state(), None),
    "partitions beside tap-calendly's fields": (_state(partitions=5, progress_markers=[]), None),
}
"""States that cause no row to be left out, and the warning about each."""


@pytest.mark.parametrize("case", cases(HARMLESS, quick=[*HARMLESS][::3]))
def test_a_state_of_something_else_is_ignored_and_every_row_is_loaded(
    tmp_path: Path, sandbox: Sandbox, case: str
) -> None:
    state, text = HARMLESS[case]

    result = _run(tmp_path, sandbox, state=state)

    assert result.returncode == 0
    assert _tables(result) == truth(sandbox)
    assert [text in line for line in complaints(result) if text] == [True] * (text is not None)
    assert len(complaints(result)) == (text is not None)


def test_an_entry_counts_even_beside_one_of_an_unknown_stream(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    catalog = _catalog()
    state = _final_state(_run(tmp_path, sandbox, catalog=catalog))
    state["bookmarks"]["lunches"] = ENTRY

    result = _run(tmp_path, sandbox, catalog=catalog, state=state)

    assert result.returncode == 0
    assert '"RECORD"' not in result.stdout
    assert list(_final_state(result)["bookmarks"]) == [STREAM]


def test_an_unknown_stream_beside_known_ones_gets_a_warning(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    (unknown,) = _catalog(_with(tap_stream_id="lunches", stream="lunches"))["streams"]
    catalog = _catalog()
    catalog["streams"].append(unknown)

    result = _run(tmp_path, sandbox, catalog=catalog)

    assert result.returncode == 0
    (line,) = complaints(result)
    assert (
        "The catalog has streams that are not tap-calendly's, which are ignored: lunches." in line
    )
    assert _tables(result) == {STREAM: truth(sandbox)[STREAM]}


@pytest.mark.parametrize(
    "edit",
    [
        _without("stream"),
        _without("key_properties"),
        _without("metadata"),
        _without("replication_key"),
        _with(replication_method="FULL_TABLE"),
        _with(metadata=[{"breadcrumb": [], "metadata": {"selected": True}}]),
        _metadata(["properties", "uri"], inclusion="automatic", selected=False),
        _columns(lunch={"type": ["string", "null"]}),
    ],
    ids=[
        "no name beside the ID",
        "the primary key in the metadata only",
        "no metadata",
        "no replication key",
        "a forced replication method",
        "metadata of the stream only",
        "an automatic primary key",
        "an additional column",
    ],
)
def test_a_catalog_with_less_or_more_than_needed_loads_every_row(
    tmp_path: Path, sandbox: Sandbox, edit: Edit
) -> None:
    result = _run(tmp_path, sandbox, catalog=_catalog(edit))

    assert result.returncode == 0
    assert complaints(result) == []
    assert _tables(result) == {STREAM: truth(sandbox)[STREAM]}


def test_a_stream_is_loaded_even_if_the_catalog_lacks_its_parent(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    result = _run(tmp_path, sandbox, catalog=_catalog(of="event_invitees"))

    assert result.returncode == 0
    assert _tables(result) == {"event_invitees": truth(sandbox)["event_invitees"]}


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path, sandbox: Sandbox) -> None:
    """As Windows editors write it."""
    for name, content in (("catalog", _catalog()), ("state", {"bookmarks": {}})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8-sig")

    result = run_tap(
        tmp_path,
        *("--catalog", "catalog.json", "--state", "state.json"),
        config="\ufeff" + json.dumps(config(sandbox)),
    )

    assert result.returncode == 0
    assert _tables(result) == {STREAM: truth(sandbox)[STREAM]}


def test_files_can_be_pipes(tmp_path: Path, sandbox: Sandbox) -> None:
    """As a shell passes them for `--config <(…)`, so that no secret is on the disk."""
    contents = {
        "config": config(sandbox),
        "catalog": _catalog(),
        "state": {"bookmarks": {}},
    }
    options: list[str] = []
    with ExitStack() as pipes:
        for name, content in contents.items():
            reading, writing = os.pipe()
            pipes.callback(os.close, reading)
            with os.fdopen(writing, "w") as file:
                file.write(json.dumps(content))
            options += [f"--{name}", f"/dev/fd/{reading}"]

        result = run_here(tmp_path, *options, config={})

    assert result.returncode == 0
    assert _tables(result) == {STREAM: truth(sandbox)[STREAM]}


def test_an_sdk_setting_that_the_tap_lacks_changes_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The SDK would write batch files for it, and fail on the storage given here."""
    settings = config(sandbox, batch_config={"encoding": {"format": "jsonl"}, "storage": 5})

    result = run_here(tmp_path, config=settings)

    assert result.returncode == 0
    (line,) = complaints(result)
    assert "There is no setting `batch_config`" in line
    assert _tables(result) == truth(sandbox)


def _run(folder: Path, sandbox: Sandbox, **files: object) -> subprocess.CompletedProcess[str]:
    """Run the tap with a catalog, a state or both."""
    options: list[str] = []
    for name, content in files.items():
        file = folder / f"{name}.json"
        file.write_text(json.dumps(content))
        options += [f"--{name}", str(file)]
    return run_here(folder, *options, config=config(sandbox))


def _errors(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the errors at the end; a failed stream was reported before, as a warning."""
    return [line for line in complaints(result) if "| ERROR " in line]


def _messages(result: subprocess.CompletedProcess[str]) -> Run:
    return Run([json.loads(line) for line in result.stdout.splitlines()])


def _tables(result: subprocess.CompletedProcess[str]) -> Mapping[str, Mapping[str, Any]]:
    return _messages(result).tables()


def _final_state(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0
    return _messages(result).state
