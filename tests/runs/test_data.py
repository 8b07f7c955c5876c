"""Whatever Calendly returns is loaded without loss, or the loss is counted; nothing breaks.

Values in a form other than the documented one are served in the sandbox's own rows, one odd value
per row, so that a table shows what became of each.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sandbox.http.faults import Fault
from tap_calendly.reading.conform import (
    NOT_A_TIMESTAMP,
    NOT_OF_TYPE,
    TOO_LARGE,
    TRUNCATED,
    Columns,
)
from tap_calendly.reporting.errors import CalendlyError
from tap_calendly.streams import STREAMS as CLASSES
from tests.command import complaints, run_tap
from tests.pipelines.pipeline import (
    Project,
    in_duckdb,
    in_postgres,
    sqlalchemy,
    typed,
    without_empty_strings,
)
from tests.singer import STREAMS, Row, Tables, Warehouse, catalog, config, key_of, sync

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox

BEYOND_A_FLOAT = "a number that Python cannot write"
"""Replaced by the number 1e400 in what is served."""

YES, NO = True, False
DEEP: Any = 0
for _ in range(100):
    DEEP = [{"in": DEEP}]
NOTES = '1st line\r\n\t"2nd", 3rd; 😀 שלום\n' * 60_000  # more than 2 MB


class Case(NamedTuple):
    """An odd value in a field of an event type.

    Attributes:
        field: The field.
        returned: What Calendly returns.
        loaded: What the table holds.
        problem: What the summary says; None if nothing is lost.
    """

    field: str
    returned: object
    loaded: object
    problem: str | None = None


def same(field: str, *values: object) -> list[Case]:
    """Return cases in which values are loaded as they are."""
    return [Case(field, value, value) for value in values]


def null(field: str, problem: str, *values: object) -> list[Case]:
    """Return cases in which values are lost."""
    return [Case(field, value, None, problem) for value in values]


TEXTS = [
    Case("name", "NUL \0", "NUL \ufffd"),
    Case("name", "the first half of a pair \ud800", "the first half of a pair \ufffd"),
    Case("name", "the second \udc00, and both 😀", "the second \ufffd, and both 😀"),
    *same("name", "👩\u200d🚀 🇪🇺 𠜎 e\u0301", "\u200d \u200b \ufeff \u2028 \u2029"),
    *same("name", "\u202eright\u202c to \u200fleft\u2069 שָׁלוֹם مرحبا", "\x85 \x01 \x7f \uffff"),
    *same("name", '\\ \\N \\u0000 NULL ,",""', " #'|;\t\r\n", ""),
    *same("description_plain", NOTES),
    *same("description_html", NOTES),
    *same("kind", "duo"),
    *same("pooling_type", "a kind yet to come"),
    Case("slug", 30, "30"),
    Case("slug", 1.5, "1.5"),
    Case("slug", YES, "true"),
    Case("slug", {"a": [1, None]}, '{"a":[1,null]}'),
    Case("slug", BEYOND_A_FLOAT, "1e400"),
]
NUMBERS = [
    Case("duration", "30", 30),
    Case("duration", "-1.5e1", -15),
    *same("duration", 22.5, -0.0, 2**53),
    *null("duration", NOT_OF_TYPE["number"], "", "half an hour", "Infinity", [30]),
    *null("duration", NOT_OF_TYPE["number"], YES, BEYOND_A_FLOAT, 10**400),
    Case("position", "7", 7),
    Case("position", 7.0, 7),
    Case("position", -0.0, 0),
    *same("position", 2**63 - 1, -(2**63)),
    *null("position", TOO_LARGE, 2**63, "-9223372036854775809", 1e300),
    *null("position", NOT_OF_TYPE["integer"], 7.5, "7.5", "seven", "", YES),
    Case("active", "true", YES),
    Case("active", "False", NO),
    Case("active", 1, YES),
    Case("active", 0, NO),
    *null("active", NOT_OF_TYPE["boolean"], "perhaps", "", 2, []),
]
TIMESTAMPS = [
    *same("deleted_at", "2026-03-04T09:30:00Z", "2026-03-04T09:30:00.123Z", "2024-02-29T00:00:00Z"),
    *same("deleted_at", "2025-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z"),
    *same("deleted_at", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    Case("deleted_at", "2026-01-01T00:30:00.25+02:00", "2025-12-31T22:30:00.250000Z"),
    Case("deleted_at", "2025-12-31T22:30:00-0330", "2026-01-01T02:00:00Z"),
    Case("deleted_at", "2026-03-04T09:30:00", "2026-03-04T09:30:00Z"),
    Case("deleted_at", "2026-03-04 09:30:00Z", "2026-03-04T09:30:00Z"),
    Case("deleted_at", "2026-03-04", "2026-03-04T00:00:00Z"),
    Case("deleted_at", "2026-03-04T09:30:00.123456000Z", "2026-03-04T09:30:00.123456Z"),
    Case("deleted_at", "2026-03-04T09:30:00.123456789Z", "2026-03-04T09:30:00.123456Z", TRUNCATED),
    *null(
        "deleted_at", NOT_A_TIMESTAMP, "soon", "now", "", "2026-02-30T00:00:00Z", "2026", 1772616600
    ),
    *null(
        "deleted_at", NOT_A_TIMESTAMP, "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", {}
    ),
]
JSON = [
    *same("profile", {}, {"new": {"deep": [1, None, {"x": 2**70, "y": -0.0}]}, "owner": None}),
    *same("profile", {"new": DEEP}),
    Case("profile", {"new": BEYOND_A_FLOAT, "name": 5}, {"new": "1e400", "name": "5"}),
    Case("profile", {"n\0w": "\ud83d"}, {"n\ufffdw": "\ufffd"}),
    *null("profile", NOT_OF_TYPE["object"], [], [{"name": "x"}], "text", 1, YES),
    *same("locations", [], [None], [{"kind": None, "more": [None, {}]}, None]),
    *null("locations", NOT_OF_TYPE["array"], {}, {"0": {"kind": "physical"}}, "physical"),
    Case("locations", ["physical"], [None], NOT_OF_TYPE["object"]),
    Case(
        "custom_questions",
        [{"position": "3", "enabled": "true", "answer_choices": [None, 1], "new": "3"}],
        [{"position": 3, "enabled": True, "answer_choices": [None, "1"], "new": "3"}],
    ),
    Case("duration_options", [30, None, "45", 60.0], [30, None, 45, 60]),
]
CASES = [*TEXTS, *NUMBERS, *TIMESTAMPS, *JSON]

REQUIRED = {"uri", "event_uri", "start_time"}
"""Keys, and what a sweep depends on."""


def serve(sandbox: Sandbox, path: str, rows: list[Row]) -> None:
    """Let the sandbox return these rows, as they are, in place of its own."""
    page = {"collection": rows, "pagination": {"next_page": None}}
    body = json.dumps(page).replace(json.dumps(BEYOND_A_FLOAT), "1e400")
    sandbox.faults.add(Fault(path, body=body, times=None))


def _marks(value: object) -> set[str]:
    """Return what in a value only the slower of the two parsers can read."""
    text = json.dumps(value)
    return {mark for mark in ("\\ud8", "\\udc", "u0000", BEYOND_A_FLOAT) if mark in text}


def odd_rows(row: Row, cases: list[Case]) -> tuple[list[Row], list[Row]]:
    """Return an event type for each case, as Calendly returns it and as it is loaded."""
    uris = [f"{row['uri']}-{number}" for number in range(len(cases))]
    pairs = list(zip(uris, cases, strict=True))
    returned = [{**row, "uri": uri, case.field: case.returned} for uri, case in pairs]
    return returned, [{**row, "uri": uri, case.field: case.loaded} for uri, case in pairs]


def rows_with_nulls(row: Row) -> list[Row]:
    """Return rows with a null in one field each, and one with nulls at every depth."""
    fields = sorted(row.keys() - REQUIRED)
    rows = [{**row, "uri": f"{row['uri']}-{field}", field: None} for field in fields]
    return [*rows, {**row, **{field: _with_nulls(row[field]) for field in fields}}]


def _with_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _with_nulls(inner) for name, inner in value.items()}
    return [None, *map(_with_nulls, value)] if isinstance(value, list) else None


@pytest.fixture
def expected(sandbox: Sandbox) -> Tables:
    """The tables as they should be once the sandbox serves odd rows, as it does from now on."""
    truth = sandbox.calendly.truth()
    originals = {name: truth[name][0] for name in STREAMS}
    named = originals["scheduled_events"]["event_type"]  # which has to be in the list
    event_type = next(row for row in truth["event_types"] if row["uri"] == named)
    originals["event_types"] = event_type
    rows = {name: rows_with_nulls(row) for name, row in originals.items()}
    returned, loaded = odd_rows(event_type, CASES)
    unknown = {**event_type, "uri": f"{event_type['uri']}-unknown", "brand_new": {"x": 1}}
    served = {**rows, "event_types": [*rows["event_types"], *returned, unknown]}
    rows["event_types"] += [*loaded, unknown]

    meeting = rows["scheduled_events"][-1]["uri"]
    serve(
        sandbox,
        f"/scheduled_events/{meeting.rsplit('/', 1)[-1]}/invitees",
        served.pop("event_invitees"),
    )
    serve(sandbox, "/scheduled_events/*/invitees", [])
    for name, page in served.items():
        serve(sandbox, f"/{name}", page)
    for invitee in rows["event_invitees"]:
        invitee["event_uri"] = meeting
    return typed({name: {key_of(name, row): row for row in each} for name, each in rows.items()})


def losses(cases: list[Case]) -> set[str]:
    """Return the lines that say what is lost."""
    counted = Counter((case.field, case.problem) for case in cases if case.problem is not None)
    return {
        f"{number} value of event_types.{field}: {problem}."
        if number == 1
        else f"{number} values of event_types.{field}: {problem}."
        for (field, problem), number in counted.items()
    }


def assert_every_loss_is_reported(log: str) -> None:
    assert [line for line in losses(CASES) if line not in log] == []
    assert log.count(" value of ") + log.count(" values of ") == len(losses(CASES))
    assert f"event_types: {len(CASES) + 30} rows, 1 request, 5 texts cleaned" in log
    assert "does not know are left out: brand_new." in log


@pytest.mark.exhaustive
def test_postgres_holds_what_calendly_returns_or_the_summary_reports_the_loss(
    tmp_path: Path, sandbox: Sandbox, expected: Tables, postgres: str
) -> None:
    with psycopg.connect(postgres, autocommit=True) as database:  # with a time zone other than UTC
        name = psycopg.sql.Identifier(database.info.dbname)
        database.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET timezone = 'Asia/Tokyo'").format(name)
        )

    log = Project(tmp_path, sandbox).run(
        "target-postgres",
        TARGET_POSTGRES_SQLALCHEMY_URL=sqlalchemy(postgres),
        TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="odd",
    )

    assert in_postgres(postgres, "odd") == expected
    assert_every_loss_is_reported(log)


@pytest.mark.exhaustive
def test_duckdb_holds_what_calendly_returns_or_the_summary_reports_the_loss(
    tmp_path: Path, sandbox: Sandbox, expected: Tables
) -> None:
    project = Project(tmp_path, sandbox)

    log = project.run("target-duckdb")

    assert in_duckdb(project) == without_empty_strings(expected)
    assert_every_loss_is_reported(log)


def test_a_page_without_damaged_texts_is_loaded_the_same_way(sandbox: Sandbox) -> None:
    event_type = sandbox.calendly.truth()["event_types"][0]
    sound = [case for case in CASES if case.returned == case.loaded or not _marks(case.returned)]
    returned, loaded = odd_rows(event_type, sound)
    serve(sandbox, "/event_types", returned)

    rows = sync(sandbox, select={"event_types"}).rows("event_types")

    assert len(sound) > len(CASES) - 10
    assert rows == loaded


def test_an_unreadable_timestamp_does_not_hide_new_rows(sandbox: Sandbox) -> None:
    """Event types come newest first by `updated_at`, and reading stops at the bookmark."""
    event_type = sandbox.calendly.truth()["event_types"][0]
    state = sync(sandbox, select={"event_types"}).state
    timestamps: tuple[object, ...] = (
        None,
        "soon",
        1772616600,
        [],
        "2099-01-01T00:00:00+14:00",
        "2000-01-01T00:00:00",
    )
    rows = [{**event_type, "uri": f"{n}", "updated_at": each} for n, each in enumerate(timestamps)]
    serve(sandbox, "/event_types", rows)

    run = sync(sandbox, select={"event_types"}, state=state)

    assert [row["uri"] for row in run.rows("event_types")] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("start", [None, "soon", "", 5, {}])
def test_a_meeting_without_a_start_time_ends_the_run_in_one_line(
    sandbox: Sandbox, start: object
) -> None:
    meeting = sandbox.calendly.truth()["scheduled_events"][0]
    serve(sandbox, "/scheduled_events", [{**meeting, "start_time": start}])

    with pytest.raises(CalendlyError) as error:
        sync(sandbox, select={"scheduled_events", "event_invitees"})

    assert str(error.value) == (
        f"scheduled_events: Calendly returned the meeting {meeting['uri']} without a readable "
        "`start_time`: report this line."
    )


def test_a_member_without_a_user_ends_the_run_in_one_line_where_the_user_is_needed(
    sandbox: Sandbox,
) -> None:
    member = sandbox.calendly.truth()["organization_memberships"][0]
    serve(sandbox, "/organization_memberships", [{**member, "user": None}])

    alone = sync(sandbox, select={"organization_memberships"})
    with pytest.raises(CalendlyError, match="without the `user` for which user_locations are read"):
        sync(sandbox, select={"organization_memberships", "user_locations"})

    assert [row["user"] for row in alone.rows("organization_memberships")] == [None]


def test_an_unreadable_key_ends_the_run_in_one_line(sandbox: Sandbox) -> None:
    event_type = sandbox.calendly.truth()["event_types"][0]
    serve(sandbox, "/event_types", [{**event_type, "active": "true"}])
    page = {"collection": [{"start_time": "soon"}]}
    sandbox.faults.add(Fault("/event_type_available_times", body=page, times=None))

    with pytest.raises(CalendlyError, match="the key `start_time` of a row cannot be read"):
        sync(sandbox, select={"event_type_available_times"})


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9998-12-31T23:59:59Z"])
def test_a_meeting_in_an_extreme_year_does_not_stop_later_runs(sandbox: Sandbox, year: str) -> None:
    meeting = sandbox.calendly.truth()["scheduled_events"][0]
    serve(sandbox, "/scheduled_events", [{**meeting, "start_time": year}])
    serve(sandbox, "/scheduled_events/*/invitees", [])
    warehouse = Warehouse(sandbox)

    for _ in range(3):
        run = warehouse.run(select={"scheduled_events", "event_invitees"})
        assert {row["start_time"] for row in run.rows("scheduled_events")} == {year}
    queries = [
        parse_qs(each.query) for each in sandbox.requests if each.path == "/scheduled_events"
    ]
    bounds = [bound for query in queries for bound in query.get("min_start_time", [])]
    assert {len(bound) for bound in bounds} == {len("2026-03-04T09:30:00.000000Z")}


@pytest.mark.parametrize("key", [None, "", 5, [], {}])
def test_a_row_without_a_key_ends_the_run_in_one_line(
    sandbox: Sandbox, key: object, waits: list[float]
) -> None:
    event_type = sandbox.calendly.truth()["event_types"][0]
    serve(sandbox, "/event_types", [{**event_type, "uri": key}])

    with pytest.raises(CalendlyError, match="GET /event_types is not what Calendly's API sends"):
        sync(sandbox, select={"event_types"})

    assert waits


NAN = '{"collection": [{"uri": "x", "duration": NaN}], "pagination": {"next_page": null}}'


@pytest.mark.parametrize("body", [NAN, "[" * 100_000], ids=["NaN", "nested too deeply"])
def test_invalid_json_ends_the_run_in_one_line(
    sandbox: Sandbox, body: str, waits: list[float]
) -> None:
    sandbox.faults.add(Fault("/event_types", body=body, times=None))

    with pytest.raises(CalendlyError, match="GET /event_types is not what Calendly's API sends"):
        sync(sandbox, select={"event_types"})

    assert waits


def test_a_row_nested_too_deeply_to_be_written_ends_the_run_in_one_line(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    event_type = sandbox.calendly.truth()["event_types"][0]
    for _ in range(800):
        event_type["profile"] = {"in": event_type["profile"]}
    serve(sandbox, "/event_types", [event_type])
    (tmp_path / "catalog.json").write_text(json.dumps(catalog({"event_types"})))

    run = run_tap(tmp_path, "--catalog", "catalog.json", config=config(sandbox))

    assert run.returncode == 1
    *_, line = complaints(run)
    assert "event_types: Calendly returned a row that is nested too deep" in line


def test_columns_flattened_from_nested_fields_are_coerced(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    meeting = sandbox.calendly.truth()["scheduled_events"][0]
    meeting["invitees_counter"] = {"total": "3", "active": 2**63, "limit": 1}
    meeting["cancellation"] = {"reason": 5, "created_at": "2026-03-04T09:30:00+02:00"}
    serve(sandbox, "/scheduled_events", [meeting])

    (nested,) = sync(sandbox, select={"scheduled_events"}).rows("scheduled_events")
    (row,) = sync(
        sandbox, select={"scheduled_events"}, flattening_enabled=True, flattening_max_depth=1
    ).rows("scheduled_events")

    assert row["invitees_counter__total"] == 3
    assert row["invitees_counter__active"] is None
    assert row["cancellation__reason"] == "5"
    assert row["cancellation__created_at"] == "2026-03-04T07:30:00Z"
    assert nested["invitees_counter"] == {"total": 3, "active": 2**63, "limit": 1}
    assert nested["cancellation"] == {"reason": "5", "created_at": "2026-03-04T09:30:00+02:00"}
    lines = [line for line in caplog.messages if " of scheduled_events." in line]
    assert lines == [f"1 value of scheduled_events.invitees_counter.active: {TOO_LARGE}."]


@pytest.mark.parametrize("settings", [{}, {"flattening_enabled": True, "flattening_max_depth": 2}])
def test_valid_values_stay_verbatim_beside_coerced_ones(
    sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    meeting = sandbox.calendly.truth()["scheduled_events"][0]
    valid = {"start_time": "2026-03-04T09:30:00.000000Z", "end_time": "2026-03-04T10:00:00.50Z"}
    serve(sandbox, "/scheduled_events", [{**meeting, **valid, "name": 5}])

    (row,) = sync(sandbox, select={"scheduled_events"}, **settings).rows("scheduled_events")

    assert {name: row[name] for name in valid} == valid
    assert row["name"] == "5"


@pytest.mark.parametrize("amount", ["20.50", 20.5, 20])
def test_a_field_that_may_be_a_number_or_a_text_is_left_as_it_is(
    sandbox: Sandbox, amount: object
) -> None:
    meeting = sandbox.calendly.truth()["scheduled_events"][0]
    invitee = sandbox.calendly.truth()["event_invitees"][0]
    serve(sandbox, "/scheduled_events", [meeting])
    serve(
        sandbox,
        "/scheduled_events/*/invitees",
        [{**invitee, "payment": {"amount": amount}, "name": 5}],
    )

    (row,) = sync(sandbox, select={"event_invitees"}).rows("event_invitees")

    assert row["payment"] == {"amount": amount}
    assert row["name"] == "5"


SCALARS = [
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.datetimes().map(str),
    st.integers().map(str),
]
NAMES = st.sampled_from(["name", "uri", "total", "position", "x"])
ANYTHING = st.recursive(
    st.one_of(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
SCHEMAS = [{**cls.schema, "required": []} for cls in CLASSES if cls.name in STREAMS]


@pytest.mark.parametrize("schema", SCHEMAS, ids=STREAMS)
@given(data=st.data())
def test_any_row_is_coerced_to_its_schema(schema: dict[str, Any], data: st.DataObject) -> None:
    """As a target validates a row before it loads it."""
    fields = sorted(schema["properties"].keys() - REQUIRED)
    row = data.draw(st.dictionaries(st.sampled_from(fields), ANYTHING, max_size=4))
    columns = Columns(schema, 0)

    coerced, coercion_issues = columns.coerce(row)

    assert Draft202012Validator(schema).is_valid(coerced)
    assert columns.coerce(coerced) == (coerced, [])
    assert coerced.keys() == row.keys()
    lost = {name for name, value in row.items() if value is not None and coerced[name] is None}
    assert lost <= {issue.field for issue in coercion_issues}
