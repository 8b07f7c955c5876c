"""docs/personal-data.md is right about where personal data is, the recipes, and erasures.

Each recipe is run exactly as printed there.
"""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml

from tests.command import run_tap
from tests.documents import personal
from tests.documents.generated import PERSONAL_DATA, ROOT, catalog_entries
from tests.pipelines import pipeline
from tests.singer import NOT_BY_DEFAULT, Row, Run, config, key_of, sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.http.server import Sandbox
    from sandbox.organization.clock import SimulatedClock
    from tests.inbox import Inbox


SALT = "5f0c8a"
ADA = "ada@example.com"
ADAS_DATA = "(?i)lovelace|ada@example.com"
ADAS_OR_ERASED = f"{ADAS_DATA}|@deleted.calendly.com"
ALL = tuple(catalog_entries())
PERSONAL = [
    (stream, path)
    for kind in (personal.VISITORS, personal.MEMBERS)
    for stream, paths in kind.items()
    for path in paths
]
ACCESS = [(stream, path) for stream, paths in personal.ACCESS.items() for path in paths]


@pytest.fixture
def company_size() -> int:
    """As many meetings as it takes for everything personal that there may be to be found."""
    return 60


@pytest.fixture
def inbox(inbox: Inbox) -> Inbox:
    """An inbox with deliveries about Ada and somebody else."""
    inbox.receive(name="Ada Lovelace", email=ADA, cancel_url="https://calendly.com/c/1")
    inbox.receive(name="Charles Babbage", email="charles@example.com")
    return inbox


def test_every_field_is_classified_as_personal_or_not() -> None:
    """After a new field: classify it in `tests/documents/personal.py`, then run `make docs`."""
    found = {
        f"{stream}.{path}"
        for stream, entry in catalog_entries().items()
        for path in personal.fields(entry["schema"])
    }
    declared = [f"{stream}.{path}" for stream, path in PERSONAL + ACCESS]
    sensitive = {path for path in found if personal.is_among(path, declared)}
    plain = {path for path in found if {path, _last(path)} & personal.NOT_PERSONAL}

    assert found - plain - sensitive == set()
    assert [
        one for one in declared if not any(personal.is_among(path, [one]) for path in found)
    ] == []
    assert personal.NOT_PERSONAL - plain - {_last(path) for path in plain} == set()


def test_the_sandbox_fills_every_field_with_personal_data(sandbox: Sandbox, inbox: Inbox) -> None:
    run = sync(_with_ada(sandbox), select=ALL, inbox_url=inbox.url)

    assert {field for field in PERSONAL + ACCESS if not _values(run, *field)} == set()


def test_the_pseudonym_recipe_leaves_no_personal_data_in_any_table(
    sandbox: Sandbox, inbox: Inbox
) -> None:
    run = sync(_with_ada(sandbox), select=ALL, inbox_url=inbox.url, **_pseudonyms())

    assert all(run.rows(stream) for stream, _ in PERSONAL)
    for stream, path in PERSONAL:
        assert [value for value in _values(run, stream, path) if not _is_hash(value)] == [], path
    assert ADA not in json.dumps(run.messages).lower()


def test_the_pseudonym_recipe_names_only_columns_that_exist() -> None:
    """A map for a column that does not exist would protect nobody, without an error."""
    entries = catalog_entries()

    for stream, columns in _pseudonyms()["stream_maps"].items():
        assert columns.keys() <= entries[stream]["schema"]["properties"].keys(), stream


def test_a_pseudonym_is_the_same_in_all_tables_and_differs_with_another_salt(
    sandbox: Sandbox, inbox: Inbox
) -> None:
    run = sync(_with_ada(sandbox), select=ALL, inbox_url=inbox.url, **_pseudonyms())
    other = sync(sandbox, select=ALL, inbox_url=inbox.url, **_pseudonyms("another"))
    uri = next(
        row["uri"]
        for invitees in sandbox.calendly.invitees.values()
        for row in invitees
        if row["email"] == ADA
    )

    (hashed,) = {row["email"] for row in run.rows("event_invitees") if row["uri"] == uri}
    for stream, path in (
        ("contacts", "emails.email"),
        ("scheduled_events", "event_guests.email"),
        ("meeting_recaps", "attendees.user_email"),
        ("outgoing_communications", "to"),
    ):
        assert hashed in _values(run, stream, path), stream
    assert hashed not in json.dumps(other.messages)


def test_the_pseudonym_recipe_keeps_keys_intact_and_runs_incremental(
    sandbox: Sandbox, inbox: Inbox
) -> None:
    plain, plain_requests = _run(_with_ada(sandbox), inbox)
    run, requests = _run(sandbox, inbox, **_pseudonyms())
    again, requests_again = _run(sandbox, inbox, state=run.state, **_pseudonyms())
    plain_again, plain_requests_again = _run(sandbox, inbox, state=plain.state)

    assert (requests, requests_again) == (plain_requests, plain_requests_again)
    assert requests_again < requests
    for stream in ALL:
        keys = [key_of(stream, row) for row in run.rows(stream)]
        assert keys == [key_of(stream, row) for row in plain.rows(stream)], stream
        assert len(again.rows(stream)) == len(plain_again.rows(stream)), stream
    for one in ("event_uri", "routing_form_submission", "old_invitee", "new_invitee"):
        values = [row[one] for row in run.rows("event_invitees")]
        assert values == [row[one] for row in plain.rows("event_invitees")]


def test_the_state_holds_no_personal_data(sandbox: Sandbox, inbox: Inbox) -> None:
    run = sync(_with_ada(sandbox), select=ALL, inbox_url=inbox.url)
    texts = {
        value
        for field in PERSONAL + ACCESS
        for value in _values(run, *field)
        if isinstance(value, str)
    }
    state = json.dumps(run.of("STATE"))

    assert [text for text in texts if len(text) > 3 and text in state] == []


def test_without_the_salt_the_run_fails_and_hashes_no_address(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    maps = {"stream_maps": _pseudonyms()["stream_maps"]}

    result = run_tap(tmp_path, config=config(_with_ada(sandbox), **maps))

    rows = [json.loads(line).get("record", {}) for line in result.stdout.splitlines()]
    assert result.returncode == 1
    hashed = ("email", "emails", "to", "event_guests")
    assert [row for row in rows if any(row.get(column) for column in hashed)] == []
    assert "@" not in json.dumps(rows)


def test_the_recipe_for_harmless_answers_keeps_only_those(sandbox: Sandbox) -> None:
    expression = _document().split('`questions_and_answers: "')[1].split('"`')[0]
    maps = {"event_invitees": {"questions_and_answers": expression}}

    run = sync(sandbox, select={"event_invitees"}, stream_maps=maps)

    kept = _values(run, "event_invitees", "questions_and_answers.question")
    assert set(kept) == {"Which topics?"}


def test_the_report_recipe_keeps_only_the_columns_it_names(sandbox: Sandbox) -> None:
    maps = _recipe("Keep only what a report needs")["config"]["stream_maps"]
    select = set(maps)

    plain, run = sync(sandbox, select=select), sync(sandbox, select=select, stream_maps=maps)

    for stream, columns in maps.items():
        kept = columns.keys() - {"__else__"}
        assert run.rows(stream)
        assert {name for row in run.rows(stream) for name in row} == kept
        before, after = _columns(plain, stream), _columns(run, stream)
        assert after.keys() == kept
        for name in kept:
            assert {*after[name]["type"], "null"} == {*before[name]["type"], "null"}, name


def test_the_link_recipe_leaves_out_everything_that_grants_access() -> None:
    patterns = _recipe("Leave out links and secrets")["select"]
    usual = _extractor(ROOT / "meltano.yml")["select"]

    assert patterns[: len(usual)] == usual
    assert sorted(patterns[len(usual) :]) == sorted(f"!{stream}.{path}" for stream, path in ACCESS)


@pytest.mark.exhaustive
def test_the_link_and_pseudonym_recipes_work_in_postgres(
    tmp_path: Path, sandbox: Sandbox, postgres: str
) -> None:
    project = pipeline.Project(tmp_path, _with_ada(sandbox))
    del project.environment["TAP_CALENDLY__SELECT"]
    links, pseudonyms = (
        _recipe("Leave out links and secrets"),
        _recipe("Replace people with pseudonyms"),
    )
    _paste(tmp_path / "meltano.yml", links, pseudonyms)

    log = project.run(
        "target-postgres",
        TARGET_POSTGRES_SQLALCHEMY_URL=_sqlalchemy(postgres),
        TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="pseudonyms",
        TAP_CALENDLY_STREAM_MAP_CONFIG_SALT=SALT,
    )

    tables = _tables(postgres, "pseudonyms")
    assert tables.keys() == set(ALL) - set(NOT_BY_DEFAULT)
    for stream, path in PERSONAL:
        values = [one for row in tables.get(stream, []) for one in personal.values(row, path)]
        assert [one for one in values if one is not None and not _is_hash(one)] == [], path
    for stream, path in (one for one in ACCESS if one[0] not in NOT_BY_DEFAULT):
        assert tables[stream]
        assert [one for row in tables[stream] for one in personal.values(row, path) if one] == []
    assert SALT not in log
    assert ADA not in log
    meetings = {row["uri"] for row in tables["scheduled_events"]}
    assert {row["event_uri"] for row in tables["event_invitees"]} <= meetings
    (query,) = re.findall(r"`(SELECT encode[^`]+)`", _document())
    with psycopg.connect(postgres) as database:
        (hashed,) = database.execute(query.replace("SALT", SALT).encode()).fetchone() or (None,)
    assert hashed in {row["email"] for row in tables["event_invitees"]}


def test_a_recipe_does_not_clean_tables_that_were_loaded_before(
    tmp_path: Path, sandbox: Sandbox, postgres: str
) -> None:
    select = {"event_invitees"}
    plain = sync(_with_ada(sandbox), select=select)
    _load(tmp_path, postgres, plain, sync(sandbox, select=select, **_pseudonyms()))

    rows = _tables(postgres, "calendly")["event_invitees"]
    assert all(_is_hash(row["email"]) for row in rows)
    assert "Ada Lovelace" in [row["name"] for row in rows]

    (statement,) = re.findall(r"`(DROP SCHEMA [^`]+)`", _document())
    _execute(postgres, statement)
    assert _tables(postgres, "calendly") == {}


def test_an_erasure_by_calendly_shows_in_postgres_and_the_rest_can_be_erased_by_hand(
    tmp_path: Path, sandbox: Sandbox, inbox: Inbox, clock: SimulatedClock, postgres: str
) -> None:
    select = {stream for stream in ALL if f"calendly.{stream}" in _sql("Erase a person by hand")}
    first = sync(_with_ada(sandbox), select=select, inbox_url=inbox.url)
    uris = {row["uri"] for row in first.rows("event_invitees") if row["email"] == ADA}
    clock.advance(timedelta(days=4))
    sandbox.calendly.scrub_invitee(email=ADA)

    second = sync(sandbox, select=select, state=first.state, inbox_url=inbox.url)
    _load(tmp_path, postgres, first, second)

    shown = _tables(postgres, "calendly")
    erased = [row for row in shown["event_invitees"] if row["uri"] in uris]
    assert len(erased) == len(uris) > 1
    active = next(row for row in erased if row["status"] == "active")
    assert active["email"].endswith("@deleted.calendly.com")
    assert (active["name"], active["questions_and_answers"]) == (None, [])
    for table in ("scheduled_events", "contacts", "outgoing_communications", "webhook_events"):
        assert ADA in json.dumps(shown[table]).lower(), table

    _execute(postgres, _sql("Erase a person by hand"))

    left = _tables(postgres, "calendly")
    assert left.keys() == select
    assert [name for name, rows in left.items() if re.search(ADAS_DATA, json.dumps(rows))] == []
    assert "george@example.com" in json.dumps(
        left["scheduled_events"]
    )  # whom somebody else brought
    for table in ("event_invitees", "contacts", "routing_form_submissions", "webhook_events"):
        others = [row for row in shown[table] if not re.search(ADAS_OR_ERASED, json.dumps(row))]
        assert others
        assert [row for row in others if row not in left[table]] == [], table
    _execute(postgres, "DROP SCHEMA calendly CASCADE")


def test_a_meeting_that_calendly_deleted_stays_unmarked_until_it_is_deleted_by_hand(
    tmp_path: Path, sandbox: Sandbox, clock: SimulatedClock, postgres: str
) -> None:
    select = {"scheduled_events", "event_invitees"}
    first = sync(sandbox, select=select)
    gone = next(iter(sandbox.calendly.events))
    clock.advance(timedelta(days=8))
    sandbox.calendly.delete_event_data(event=gone)

    _load(tmp_path, postgres, first, sync(sandbox, select=select, state=first.state))

    rows = _tables(postgres, "calendly")["scheduled_events"]
    assert [row["_sdc_deleted_at"] for row in rows if row["uri"] == gone] == [None]

    with psycopg.connect(postgres) as database:
        (began,) = database.execute("SELECT now() AT TIME ZONE 'UTC'").fetchone() or ("",)
    _load(tmp_path, postgres, sync(sandbox, select=select))
    statements = _sql("Rows that Calendly no longer has")
    _execute(postgres, statements.replace("2026-03-04 09:30", str(began)))

    tables, truth = _tables(postgres, "calendly"), sandbox.calendly.truth()
    for stream in select:
        assert {row["uri"] for row in tables[stream]} == {row["uri"] for row in truth[stream]}
    _execute(postgres, "DROP SCHEMA calendly CASCADE")


def _document() -> str:
    return PERSONAL_DATA.read_text("utf-8")


def _block(heading: str, kind: str) -> str:
    part = _document().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{kind}\n(.*?)```", part, re.DOTALL)
    return str(block)


def _recipe(heading: str) -> dict[str, Any]:
    recipe: dict[str, Any] = yaml.safe_load(textwrap.dedent(_block(heading, "yaml")))
    return recipe


def _sql(heading: str) -> str:
    return _block(heading, "sql")


def _pseudonyms(salt: str = SALT) -> dict[str, Any]:
    maps = _recipe("Replace people with pseudonyms")["config"]["stream_maps"]
    return {"stream_maps": maps, "stream_map_config": {"salt": salt}}


def _extractor(file: Path) -> dict[str, Any]:
    extractor, *_ = yaml.safe_load(file.read_text("utf-8"))["plugins"]["extractors"]
    return dict(extractor)


def _paste(file: Path, *recipes: Mapping[str, Any]) -> None:
    """Paste recipes into a project as docs/personal-data.md describes."""
    project = yaml.safe_load(file.read_text("utf-8"))
    extractor, *_ = project["plugins"]["extractors"]
    for recipe in recipes:
        settings = extractor["settings"] + recipe.get("settings", [])
        extractor |= {**recipe, "settings": settings}
    file.write_text(yaml.safe_dump(project), "utf-8")


def _with_ada(sandbox: Sandbox) -> Sandbox:
    """Put data about Ada wherever it can be, so that no personal field is empty."""
    calendly, now = sandbox.calendly, sandbox.calendly.clock.now()
    owner = calendly.owner
    calendly.users[owner]["avatar_url"] = "https://pictures.example/owner.png"
    offered = next(
        uri
        for uri, hosts in calendly.event_type_hosts.items()
        if owner in hosts and calendly.event_types[uri]["active"]
    )
    event, invitee = calendly.book(
        event_type=offered,
        start=now - timedelta(hours=2),
        name="Ada Lovelace",
        email=ADA,
        answers={"Which topics?": "Engines"},
        text_reminder_number="+44 20 5550 1815",
    )
    calendly.edit_notes(event=event, plain="Mrs Lovelace wants an engine")
    calendly.send_message(
        invitee=invitee, subject="Lovelace and us", body="To cancel: https://calendly.com/c/1"
    )
    recap = calendly.start_recap(event=event)
    calendly.finish_recap(
        recap=recap,
        transcript="Lovelace: engines",
        summary="Mrs Lovelace",
        action_items="Write to Lovelace",
        discussion="Engines",
    )
    calendly.share_recap(recap=recap)
    calendly.recaps[recap] |= {
        "name": "Lovelace and us",
        "location": {
            "type": "zoom",
            "location": "Lovelace's",
            "additional_info": "Ring at Lovelace",
            "join_url": "https://zoom.example/j/1",
            "data": {"password": "engine"},
        },
    }
    _, left = calendly.book(
        event_type=offered, start=now + timedelta(days=2), name="Ada Lovelace", email=ADA
    )
    calendly.cancel(invitee=left, by="invitee", reason="Lovelace is ill")
    calendly.book(
        event_type=offered,
        start=now + timedelta(days=3),
        name="Charles Babbage",
        email="charles@example.com",
        guests=[ADA.title(), "george@example.com"],
    )
    contact = calendly.add_contact(
        user=owner,
        email=ADA.title(),
        name="Ada Lovelace",
        timezone="Europe/London",
        country="United Kingdom",
        state="England",
        linkedin="https://linkedin.example/lovelace",
    )
    calendly.add_note(contact=contact, title="Lovelace", body="Mrs Lovelace likes engines")
    form = next(iter(calendly.routing_forms))
    calendly.submit_form(
        form=form,
        answers={"Name": "Ada Lovelace", "E-mail": ADA},
        result={"type": "external_url", "value": f"https://example.com/?who={ADA}"},
        tracking={"salesforce_uuid": "003Lovelace"},
    )
    return sandbox


def _values(run: Run, stream: str, path: str) -> list[Any]:
    """Return the values at a path in the rows of a stream that are not null."""
    found = [value for row in run.rows(stream) for value in personal.values(row, path)]
    return [value for value in found if value is not None]


def _columns(run: Run, stream: str) -> dict[str, Any]:
    (message,) = run.of("SCHEMA", stream)
    return dict(message["schema"]["properties"])


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _run(sandbox: Sandbox, inbox: Inbox, **settings: Any) -> tuple[Run, int]:  # noqa: ANN401 - as `sync` takes them
    """Run the tap, and return its messages and the number of its requests."""
    sandbox.forget_requests()
    run = sync(sandbox, select=ALL, inbox_url=inbox.url, **settings)
    return run, sum(sandbox.requests_by_path().values())


def _load(folder: Path, address: str, *runs: Run) -> None:
    """Load the messages of runs in turn into the schema that the SQL in the docs uses."""
    target = ROOT / ".meltano" / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres"
    settings = folder / "target.json"
    settings.write_text(
        json.dumps(
            {
                "sqlalchemy_url": _sqlalchemy(address),
                "default_target_schema": "calendly",
                "add_record_metadata": True,
            }
        )
    )
    result = subprocess.run(  # noqa: S603 - the target that Meltano installed
        [target, "--config", settings],
        input="\n".join(json.dumps(message) for run in runs for message in run.messages),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def _tables(address: str, schema: str) -> dict[str, list[Row]]:
    """Return the rows of all tables in a schema."""
    with psycopg.connect(address, row_factory=psycopg.rows.dict_row) as database:
        names = database.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema]
        ).fetchall()
        return {
            name: [
                one["row"]
                for one in database.execute(
                    psycopg.sql.SQL("SELECT to_jsonb(t) AS row FROM {} AS t").format(
                        psycopg.sql.Identifier(schema, name)
                    )
                )
            ]
            for name in (row["table_name"] for row in names)
        }


def _execute(address: str, statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(statements.encode())


def _sqlalchemy(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)
