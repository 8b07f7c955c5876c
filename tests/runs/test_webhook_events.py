"""`webhook_events`: what Calendly posted to the inbox becomes rows, without a request."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.http.faults import Fault
from tap_calendly.api.decoding import decode
from tap_calendly.reporting.errors import CalendlyError, StreamsError
from tap_calendly.tap import TapCalendly
from tests import singer
from tests.command import complaints, run_here
from tests.inbox import INVITEE, MEETING, Inbox
from tests.singer import Run, Warehouse, config, sync

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from sandbox.http.server import Sandbox

ALONE = {"webhook_events"}


@pytest.fixture
def warehouse(empty_sandbox: Sandbox, inbox: Inbox) -> Warehouse:
    return Warehouse(empty_sandbox, {"inbox_url": inbox.url})


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "tap-calendly")
    return caplog


def _warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in log.records if record.levelno >= logging.WARNING]


def _receive(inbox: Inbox, number: int) -> None:
    for one in range(number):
        inbox.receive(name=f"Visitor {one}")


def _run_here(
    folder: Path, settings: dict[str, Any], *arguments: str, select: set[str]
) -> CompletedProcess[str]:
    """Run the command with a catalog."""
    file = folder / "catalog.json"
    file.write_text(json.dumps(singer.catalog(select)))
    return run_here(folder, *arguments, "--catalog", str(file), config=settings)


def test_deliveries_become_rows_in_the_order_in_which_they_came(
    warehouse: Warehouse, inbox: Inbox
) -> None:
    inbox.receive("invitee.created", questions_and_answers=[{"answer": "Engines"}])
    inbox.receive("invitee_no_show.created", uri="https://x/invitee_no_shows/N1", invitee=INVITEE)
    inbox.receive("routing_form_submission.created", uri="https://x/routing_form_submissions/S1")
    inbox.receive("an_event.of_the_future", anything={"at": [1, 2.5, None]})

    rows = warehouse.run(select=ALONE).rows("webhook_events")

    assert rows == inbox.rows
    about = [(row["scheduled_event_uri"], row["invitee_uri"]) for row in rows]
    assert about == [(MEETING, INVITEE)] * 2 + [(None, None)] * 2


def test_the_next_run_writes_only_deliveries_that_came_since(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture
) -> None:
    _receive(inbox, 3)
    warehouse.run(select=ALONE)
    inbox.pause()
    assert warehouse.run(select=ALONE).rows("webhook_events") == []
    later = inbox.receive("invitee.canceled")

    run = warehouse.run(select=ALONE)

    assert [row["id"] for row in run.rows("webhook_events")] == [later]
    assert list(warehouse.tables["webhook_events"].values()) == inbox.rows
    assert _warnings(log) == []


def test_an_identical_delivery_that_comes_again_is_one_row_with_the_later_time(
    warehouse: Warehouse, inbox: Inbox
) -> None:
    first = inbox.receive("invitee_no_show.deleted")
    inbox.receive("invitee.canceled")
    warehouse.run(select=ALONE)
    assert inbox.receive("invitee_no_show.deleted") == first

    again = warehouse.run(select=ALONE)

    assert again.rows("webhook_events") == inbox.rows[-1:]
    assert len(warehouse.tables["webhook_events"]) == 2


def test_alone_it_makes_no_request_in_a_run_nor_in_test_mode(
    tmp_path: Path, empty_sandbox: Sandbox, inbox: Inbox
) -> None:
    inbox.receive()
    settings = config(empty_sandbox, inbox_url=inbox.url)

    run = _run_here(tmp_path, settings, select=ALONE)
    test = _run_here(tmp_path, settings, "--test", select=ALONE)

    assert (run.returncode, test.returncode) == (0, 0)
    assert "webhook_events: 1 row, 0 requests" in run.stderr
    assert test.stdout.splitlines() == ["webhook_events: open"]
    assert complaints(run) == complaints(test) == []
    assert empty_sandbox.requests == []


def test_an_outage_of_calendly_does_not_stop_it(
    sandbox: Sandbox, inbox: Inbox, waits: list[float]
) -> None:
    inbox.receive()
    sandbox.faults.add(Fault("*", status=503, times=None))
    own = {"organization": sandbox.calendly.organization["uri"]}

    with pytest.raises(StreamsError):
        sync(
            sandbox,
            select={"contacts", "groups", "teams", "webhook_events"},
            into=(run := Run()),
            inbox_url=inbox.url,
            **own,
        )

    assert waits
    assert run.rows("webhook_events") == inbox.rows


def test_test_mode_tells_of_the_inbox_though_calendly_does_not_answer(
    empty_sandbox: Sandbox, inbox: Inbox, waits: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    empty_sandbox.faults.add(Fault("*", status=503, times=None))
    own = {"organization": empty_sandbox.calendly.organization["uri"]}
    tap = TapCalendly(
        config=config(empty_sandbox, inbox_url=inbox.url, **own),
        catalog=singer.catalog({"activity_log_entries", "teams", *ALONE}),
    )

    with pytest.raises(StreamsError):
        tap.run_connection_test()

    assert waits
    lines = capsys.readouterr().out.splitlines()
    assert "teams: not tried, as Calendly does not answer" in lines
    assert "webhook_events: empty" in lines


def test_only_its_own_state_has_a_position(warehouse: Warehouse, inbox: Inbox) -> None:
    inbox.receive()

    state = warehouse.run(select={"contacts", *ALONE}).state["bookmarks"]

    assert state["webhook_events"]["position"] == 1
    assert "position" not in state["contacts"]


def test_a_killed_run_is_continued_from_its_last_state(
    warehouse: Warehouse, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_calendly.streams.webhooks.STATE_EVERY", 3)
    _receive(inbox, 10)
    killed = warehouse.run(select=ALONE, killed_after=10)
    assert 3 < len(killed.rows("webhook_events")) < 10

    run = warehouse.run(select=ALONE)

    assert run.rows("webhook_events") == inbox.rows[6:]


def test_a_gap_in_the_inbox_is_no_row(warehouse: Warehouse, inbox: Inbox) -> None:
    inbox.pause()
    inbox.receive("invitee.created")
    inbox.pause()
    inbox.receive("invitee.canceled")

    assert warehouse.run(select=ALONE).rows("webhook_events") == inbox.rows


@pytest.mark.parametrize("left", [True, False])
def test_deliveries_that_were_removed_unread_are_named_in_a_warning(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture, *, left: bool
) -> None:
    _receive(inbox, 1)
    warehouse.run(select=ALONE)
    inbox.receive("invitee.canceled", name="never loaded")
    inbox.receive("invitee.canceled")
    inbox.remove(keep=1 if left else 0)

    run = warehouse.run(select=ALONE)

    assert run.rows("webhook_events") == inbox.rows
    (warning,) = _warnings(log)
    until = "2026-03-04 09:32 UTC" if left else "now"
    assert warning.startswith(
        f"webhook_events: of the deliveries that came until {until}, some were"
    )
    warehouse.run(select=ALONE)
    assert len(_warnings(log)) == 1


def test_deliveries_that_were_removed_after_they_were_loaded_are_not_missed(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture
) -> None:
    _receive(inbox, 2)
    inbox.pause()
    warehouse.run(select=ALONE)
    inbox.remove(keep=0)

    warehouse.run(select=ALONE)

    assert _warnings(log) == []


def test_deliveries_that_were_forgotten_are_not_loaded_and_the_others_are(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture
) -> None:
    inbox.receive(email="ada@example.com")
    inbox.receive(email="charles@example.com", uri=f"{MEETING}/invitees/I2")
    inbox.receive(email="ada@example.com", name="Ada")
    inbox.receive(email="george@example.com", uri=f"{MEETING}/invitees/I3")
    inbox.forget("ada@example.com")

    assert warehouse.run(select=ALONE).rows("webhook_events") == inbox.rows
    (warning,) = _warnings(log)
    assert "unless `forget` did that" in warning
    inbox.forget("charles@example.com")
    assert warehouse.run(select=ALONE).rows("webhook_events") == []
    assert len(_warnings(log)) == 1


@pytest.mark.parametrize("change", ["another inbox", "restored from a backup"])
def test_an_inbox_that_is_not_the_one_read_before_is_loaded_from_its_beginning(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture, tmp_path: Path, change: str
) -> None:
    _receive(inbox, 2)
    backup = inbox.back_up(tmp_path / "backup.db")
    inbox.receive("invitee.canceled")
    warehouse.run(select=ALONE)
    if change == "another inbox":
        other = Inbox(tmp_path / "other.db")
        for number in range(4):
            other.receive("event_type.created", name=f"Type {number}")
        warehouse.settings["inbox_url"] = other.url
        expected = other.rows
    else:
        warehouse.settings["inbox_url"] = backup
        expected = inbox.rows[:2]

    run = warehouse.run(select=ALONE)

    assert run.rows("webhook_events") == expected
    (warning,) = _warnings(log)
    assert warning.startswith("webhook_events: the inbox is not the one that was read before")
    assert warehouse.run(select=ALONE).rows("webhook_events") == []
    assert len(_warnings(log)) == 1


UNUSABLE = {
    "no setting": (None, "Setting `inbox_url` is missing"),
    "no inbox": ("sqlite:///absent.db", "the inbox that `inbox_url` names does not exist"),
    "no database": (
        "postgresql://reader@127.0.0.1:1/inbox",
        "the inbox that `inbox_url` names cannot be reached (OperationalError)",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_without_an_inbox_it_fails_in_one_line_and_the_other_streams_are_loaded(
    tmp_path: Path, empty_sandbox: Sandbox, case: str
) -> None:
    url, line = UNUSABLE[case]
    settings = config(empty_sandbox, inbox_url=url)

    result = _run_here(tmp_path, settings, select={"current_user", *ALONE})

    assert result.returncode == 1
    (end,) = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert f"webhook_events: {line}: " in end
    assert "Traceback" not in result.stderr
    assert "current_user: 1 row, 1 request\n" in result.stderr
    assert not (tmp_path / "absent.db").exists()


def test_an_inbox_that_fails_midway_keeps_what_was_loaded(
    warehouse: Warehouse, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tap_calendly.streams.webhooks.STATE_EVERY", 2)
    monkeypatch.setattr("tap_calendly.inbox.reader.AT_ONCE", 2)
    _receive(inbox, 5)
    backup = inbox.back_up(tmp_path / "backup.db")

    def read(body: bytes) -> tuple[Any, int]:
        if b"Visitor 2" in body:
            inbox.break_down()
        return decode(body)

    monkeypatch.setattr("tap_calendly.streams.webhooks.decode", read)
    with pytest.raises(CalendlyError, match=r"^webhook_events: the inbox .* cannot be reached"):
        warehouse.run(select=ALONE)
    monkeypatch.undo()
    warehouse.settings["inbox_url"] = backup

    assert warehouse.run(select=ALONE).rows("webhook_events") == inbox.rows[4:]
    assert list(warehouse.tables["webhook_events"].values()) == inbox.rows


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        (True, "webhook_events: empty"),
        (False, None),
    ],
)
def test_test_mode_tells_of_the_inbox_only_if_it_is_to_be_read(
    tmp_path: Path, empty_sandbox: Sandbox, inbox: Inbox, *, selected: bool, said: str | None
) -> None:
    select = {"current_user", *(ALONE if selected else ())}

    result = _run_here(
        tmp_path, config(empty_sandbox, inbox_url=inbox.url), "--test", select=select
    )

    lines = {line.split(": ")[0]: line for line in result.stdout.splitlines()}
    assert lines.get("webhook_events") == said
    assert lines.keys() - ALONE == set(singer.FROM_API)
    assert result.returncode == 0


def test_test_mode_fails_if_the_inbox_cannot_be_read(
    tmp_path: Path, empty_sandbox: Sandbox
) -> None:
    settings = config(empty_sandbox, inbox_url="sqlite:///absent.db")

    result = _run_here(tmp_path, settings, "--test", select=ALONE)

    assert result.returncode == 1
    assert result.stdout.startswith("webhook_events: failed: webhook_events: the inbox that")


def test_texts_that_databases_refuse_are_cleaned_in_payloads(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture
) -> None:
    inbox.receive(name="Ada\0 \ud800Lovelace")

    (row,) = warehouse.run(select=ALONE).rows("webhook_events")

    assert row["payload"]["name"] == "Ada\ufffd \ufffdLovelace"
    assert "webhook_events: 1 row, 0 requests, 1 text cleaned" in log.messages


def test_a_full_table_that_the_catalog_forces_writes_all_deliveries_in_every_run(
    empty_sandbox: Sandbox, inbox: Inbox
) -> None:
    _receive(inbox, 2)
    state: dict[str, Any] = {}
    for _ in range(2):
        run = sync(
            empty_sandbox,
            select=ALONE,
            forced_method="FULL_TABLE",
            state=state,
            inbox_url=inbox.url,
        )
        state = run.state
        assert run.rows("webhook_events") == inbox.rows
    assert empty_sandbox.requests == []


def test_after_a_filter_was_removed_what_it_left_out_is_loaded(
    warehouse: Warehouse, inbox: Inbox, log: pytest.LogCaptureFixture
) -> None:
    inbox.receive("invitee.created")
    inbox.receive("invitee.canceled")
    wanted = {"webhook_events": {"__filter__": "event == 'invitee.canceled'"}}
    warehouse.settings["stream_maps"] = wanted
    assert warehouse.run(select=ALONE).rows("webhook_events") == inbox.rows[1:]
    del warehouse.settings["stream_maps"]

    warehouse.run(select=ALONE)

    assert len(warehouse.tables["webhook_events"]) == 2
    assert _warnings(log) == []


def test_its_payload_stays_one_column_when_others_are_flattened(
    warehouse: Warehouse, inbox: Inbox
) -> None:
    inbox.receive(tracking={"utm_source": "letter"})
    warehouse.settings |= {"flattening_enabled": True, "flattening_max_depth": 2}

    (row,) = warehouse.run(select=ALONE).rows("webhook_events")

    assert row.keys() == inbox.rows[0].keys()
    assert "letter" in json.dumps(row["payload"])


@pytest.mark.parametrize("position", ["five", 1.5, True, [1]])
def test_a_damaged_position_is_reported_in_one_line(
    tmp_path: Path, warehouse: Warehouse, inbox: Inbox, position: object
) -> None:
    inbox.receive()
    state = warehouse.run(select=ALONE).state
    state["bookmarks"]["webhook_events"]["position"] = position
    (tmp_path / "state.json").write_text(json.dumps(state))

    settings = config(warehouse.sandbox, inbox_url=inbox.url)
    result = _run_here(tmp_path, settings, "--state", str(tmp_path / "state.json"), select=ALONE)

    assert result.returncode == 1
    assert "webhook_events: the state cannot be read, as its `position` is damaged" in result.stderr
    assert "Traceback" not in result.stderr
