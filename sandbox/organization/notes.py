"""Notes that users wrote about their contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Collection


@life_event
def add_note(
    state: State,
    *,
    contact: str,
    title: str | None = None,
    body: str | None = None,
    remind_at: str | None = None,
) -> str:
    """Let a contact's user write a note about it; return the note's URI."""
    find(state.contacts, contact, "contact")
    if not (title or body):
        message = "a note has a title or a body"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("notes", contact)
    state.notes[uri] = {
        "uri": uri,
        "contact": contact,
        "title": title,
        "body": body,
        "remind_at": remind_at,
        "created_at": stamp,
        "updated_at": stamp,
    }
    return uri


@life_event
def edit_note(state: State, *, note: str, body: str) -> None:
    """Rewrite a note; moves its ``updated_at``, and not that of the contact."""
    find(state.notes, note, "note").update(body=body, updated_at=state.stamp())


@life_event
def delete_note(state: State, *, note: str) -> None:
    """Delete a note."""
    find(state.notes, note, "note")
    del state.notes[note]


def notes_about(state: State, contacts: Collection[str]) -> list[Record]:
    """Return the notes about contacts (their URIs), the last changed first."""
    found = sorted((one for one in state.notes.values() if one["contact"] in contacts), key=_uri)
    return sorted(found, key=lambda one: str(one["updated_at"]), reverse=True)


def _uri(record: Record) -> str:
    return str(record["uri"])
