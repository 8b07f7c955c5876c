"""Notes are asked for about ten contacts at a time, and none is lost when contacts go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import CalendlyError
from tests.singer import Row, Warehouse, sync

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox

SELECT = {"contacts", "notes"}


def with_contacts(sandbox: Sandbox, number: int) -> list[str]:
    """Add contacts of the owner, with a note about each; return their URIs."""
    calendly = sandbox.calendly
    contacts = [
        calendly.add_contact(user=calendly.owner, email=f"{one}@guest.example")
        for one in range(number)
    ]
    for contact in contacts:
        calendly.add_note(contact=contact, title="Met", body="at the fair")
    return contacts


def notes(sandbox: Sandbox) -> dict[str, Row]:
    """The expected table."""
    return dict(sandbox.calendly.notes)


@pytest.mark.parametrize(
    ("number", "listed", "asked"),
    [(0, 1, 0), (1, 1, 1), (10, 1, 1), (11, 1, 2), (100, 1, 10), (125, 4, 13)],
)
def test_notes_take_a_request_per_ten_contacts(
    empty_sandbox: Sandbox, number: int, listed: int, asked: int
) -> None:
    with_contacts(empty_sandbox, number)

    run = sync(empty_sandbox, select=SELECT)

    requests = empty_sandbox.requests_by_path()
    assert run.tables()["notes"] == notes(empty_sandbox)
    assert (requests["/contacts"], requests.get("/notes", 0)) == (listed, asked)


def test_notes_alone_are_complete_and_show_changes_that_leave_the_contact_alone(
    empty_sandbox: Sandbox,
) -> None:
    calendly = empty_sandbox.calendly
    with_contacts(empty_sandbox, 12)
    warehouse = Warehouse(empty_sandbox)
    warehouse.run(select={"notes"})
    edited, deleted, *_ = calendly.notes
    calendly.edit_note(note=edited, body="Called back")
    calendly.delete_note(note=deleted)

    warehouse.run(select={"notes"})

    assert warehouse.tables == {"notes": notes(empty_sandbox)}
    assert warehouse.tables["notes"][edited]["body"] == "Called back"


@pytest.mark.parametrize("status", [400, 404])
def test_one_contact_that_is_gone_costs_the_others_no_note(
    empty_sandbox: Sandbox, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    gone, *others = with_contacts(empty_sandbox, 12)
    empty_sandbox.faults.add(Fault("/notes", status=status))

    def interlude() -> None:
        if "/notes" in empty_sandbox.requests_by_path():
            empty_sandbox.interrupt(lambda: None)
            empty_sandbox.calendly.delete_contact(contact=gone)

    empty_sandbox.interrupt(interlude)
    caplog.set_level(logging.INFO, "tap-calendly")

    run = sync(empty_sandbox, select=SELECT)

    assert run.tables()["notes"] == notes(empty_sandbox)
    assert {row["contact"] for row in run.rows("notes")} == set(others)
    assert run.of("ACTIVATE_VERSION", "notes")
    assert len([line for line in caplog.messages if "Nothing is read of it" in line]) == 1


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_for_a_contact_that_exists_is_a_failure(
    empty_sandbox: Sandbox, status: int
) -> None:
    with_contacts(empty_sandbox, 3)
    empty_sandbox.faults.add(Fault("/notes", status=status, times=None))

    with pytest.raises(CalendlyError, match=rf"^notes: Calendly answered {status} to GET /notes"):
        sync(empty_sandbox, select=SELECT)


def test_a_note_that_changes_while_the_pages_are_read_is_loaded_once_stable(
    empty_sandbox: Sandbox, small_pages: int
) -> None:
    calendly = empty_sandbox.calendly
    (contact,) = with_contacts(empty_sandbox, 1)
    for _ in range(2 * small_pages):
        calendly.add_note(contact=contact, body="-")
    oldest = next(iter(calendly.notes))

    def interlude() -> None:
        if empty_sandbox.requests_by_path().get("/notes") == 1:
            empty_sandbox.interrupt(lambda: None)
            calendly.edit_note(note=oldest, body="Called back")

    empty_sandbox.interrupt(interlude)

    assert sync(empty_sandbox, select={"notes"}).tables() == {"notes": notes(empty_sandbox)}


def test_a_filter_on_contacts_filters_their_notes(empty_sandbox: Sandbox) -> None:
    contacts = with_contacts(empty_sandbox, 25)
    named = contacts[::3]
    for contact in named:
        empty_sandbox.calendly.edit_contact(contact=contact, company="Acme")

    maps = {"contacts": {"__filter__": "company == 'Acme'"}}
    run = sync(empty_sandbox, select=SELECT, stream_maps=maps)

    assert {row["contact"] for row in run.rows("notes")} == set(named)
    assert empty_sandbox.requests_by_path()["/notes"] == 1
