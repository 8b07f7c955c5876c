"""Meeting recaps, written by a host's notetaker; only that host can read them."""

from __future__ import annotations

from copy import deepcopy
from typing import Literal

from sandbox.organization.announcements import announce_recap
from sandbox.organization.identifiers import PAGES, last_segment
from sandbox.organization.state import Record, State, find, life_event

TEXTS = ("summary_md", "action_items_md", "discussion_md")
ONLY_SINGLE = (*TEXTS, "share_link")
"""What a list of recaps leaves out."""

STATUSES = ("available", "processing", "unavailable")


@life_event
def start_recap(state: State, *, event: str, user: str | None = None) -> str:
    """Start the recap of a meeting for one host, the first by default; it is processing at first.

    Returns:
        The recap's URI.
    """
    record = find(state.events, event, "event")
    hosts = [one["user"] for one in record["event_memberships"]]
    host = hosts[0] if user is None else user
    if host not in hosts:
        message = f"{user} does not host the event {event}"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("meeting_recaps", event, host)
    state.recaps[uri] = {
        "uri": uri,
        "app_url": f"{PAGES}/app/recaps/{last_segment(uri)}",
        "event": event,
        "status": "processing",
        "name": record["name"],
        "location": deepcopy(record["location"]),
        "start_time": record["start_time"],
        "end_time": record["end_time"],
        "created_at": stamp,
        "updated_at": stamp,
        "attendees": _attendees(state, record),
        **dict.fromkeys(TEXTS),
        "transcript": f"{uri}/transcript",
        "share_link": None,
    }
    state.recap_owners[uri] = host
    return uri


@life_event
def finish_recap(
    state: State,
    *,
    recap: str,
    transcript: str,
    summary: str | None = None,
    action_items: str | None = None,
    discussion: str | None = None,
) -> None:
    """Make a recap available with these texts (Markdown); moves its ``updated_at``."""
    texts = zip(TEXTS, (summary, action_items, discussion), strict=True)
    record = find(state.recaps, recap, "recap")
    record.update(texts, status="available", updated_at=state.stamp())
    event = "meeting_recap.updated" if recap in state.transcripts else "meeting_recap.created"
    state.transcripts[recap] = {"uri": record["transcript"], "text": transcript}
    announce_recap(state, event, record, state.recap_owners[recap])


@life_event
def change_recap(
    state: State, *, recap: str, status: Literal["available", "processing", "unavailable"]
) -> None:
    """Change a recap's status; moves its ``updated_at``."""
    record = find(state.recaps, recap, "recap")
    if status not in STATUSES:
        message = f"a recap is one of {', '.join(STATUSES)}, not {status!r}"
        raise ValueError(message)
    record.update(status=status, updated_at=state.stamp())
    _announce_change(state, record)


@life_event
def share_recap(state: State, *, recap: str, shared: bool = True) -> None:
    """Create a link to a recap, or delete it; moves its ``updated_at``."""
    record = find(state.recaps, recap, "recap")
    link = f"{PAGES}/recaps/{state.identifiers.of('share', recap)}" if shared else None
    record.update(share_link=link, updated_at=state.stamp())
    _announce_change(state, record)


@life_event
def delete_recap(state: State, *, recap: str) -> None:
    """Delete a recap and its transcript."""
    record = find(state.recaps, recap, "recap")
    host = state.recap_owners.pop(recap)
    del state.recaps[recap]
    if state.transcripts.pop(recap, None) is not None:
        announce_recap(state, "meeting_recap.deleted", record, host)


def recaps_of(state: State, user: str, status: str = "available") -> list[Record]:
    """Return the user's recaps of that status, with their texts."""
    return [
        one
        for uri, one in state.recaps.items()
        if state.recap_owners[uri] == user and one["status"] == status
    ]


def in_list(recap: Record) -> Record:
    """Return a recap as a list has it: without its texts."""
    return {name: value for name, value in recap.items() if name not in ONLY_SINGLE}


def _announce_change(state: State, recap: Record) -> None:
    """Announce a change to a recap that was announced, once it was finished."""
    if recap["uri"] in state.transcripts:
        announce_recap(state, "meeting_recap.updated", recap, state.recap_owners[recap["uri"]])


def _attendees(state: State, event: Record) -> list[Record]:
    hosts = [
        {"host": True, "user_email": one["user_email"], "user_name": one["user_name"]}
        for one in event["event_memberships"]
    ]
    return hosts + [
        {"host": False, "user_email": one["email"], "user_name": one["name"] or ""}
        for one in state.invitees[event["uri"]]
        if one["status"] == "active"
    ]
