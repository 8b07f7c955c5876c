"""What webhooks tell: the changes that Calendly announces, each as it was at that moment."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple
from urllib import parse

from sandbox.organization.identifiers import last_segment
from sandbox.organization.timestamps import from_timestamp, to_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sandbox.organization.state import Record, State

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""The only hosts that anything is posted to."""

DAY = timedelta(days=1)
FOR_EVER = datetime.max.replace(tzinfo=timezone.utc)

NOT_ANNOUNCED = ("buffered_start_time", "buffered_end_time")


class Announcement(NamedTuple):
    """An event, for one subscription.

    Attributes:
        event: Such as ``invitee.created``.
        webhook: The subscription's URI.
        at: When it happened (UTC).
        matters_until: A day after the start of the meeting that it is about (UTC).
        body: What is posted.
    """

    event: str
    webhook: str
    at: datetime
    matters_until: datetime
    body: bytes


def announce_invitee(state: State, event: str, invitee: Record) -> None:
    """Announce what happened to an invitee."""
    _announce_meeting(
        state, event, invitee, lambda meeting: {**invitee, "scheduled_event": _announced(meeting)}
    )


def announce_no_show(state: State, event: str, invitee: Record, mark: Record) -> None:
    """Announce a no-show mark that was made or deleted."""
    if state.bare_no_shows:
        _announce_meeting(state, event, invitee, lambda _: mark)
    else:
        announce_invitee(state, event, invitee)


def announce_submission(state: State, submission: Record) -> None:
    """Announce a form that was submitted."""
    _announce(state, "routing_form_submission.created", (), lambda: submission)


def announce_event_type(state: State, event: str, record: Record) -> None:
    """Announce what happened to an event type."""
    users = (record["profile"]["owner"], *state.event_type_hosts[record["uri"]])
    deleted = record["deleted_at"] is not None
    _announce(state, event, users, lambda: _tombstone(state, record) if deleted else record)


def announce_contact(state: State, event: str, contact: Record, user: str) -> None:
    """Announce what happened to a user's contact."""

    def payload() -> Record:
        posted = {name: value for name, value in contact.items() if name != "app_url"}
        posted |= {"creation_source": "manual", "name": contact["name"] or ""}
        deleted = contact["uri"] not in state.contacts
        return {
            "user_uuid": last_segment(user),
            "contact": _tombstone(state, contact) if deleted else posted,
        }

    _announce(state, event, [user], payload)


def announce_recap(state: State, event: str, recap: Record, host: str) -> None:
    """Announce what happened to a host's recap."""

    def payload() -> Record:
        about = ("name", "start_time", "end_time", "location", "attendees")
        told = ("uri", "summary_md", "action_items_md", "discussion_md", "transcript", "share_link")
        meeting = {"uri": recap["event"], **{name: recap[name] for name in about}}
        if recap["uri"] not in state.recaps:
            return {"event": meeting, "recap": _tombstone(state, recap)}
        posted = {name: recap[name] for name in (*told, "created_at", "updated_at")}
        return {"created_at": recap["created_at"], "event": meeting, "recap": posted}

    _announce(state, event, [host], payload)


def _announce_meeting(
    state: State, event: str, invitee: Record, payload: Callable[[Record], Record]
) -> None:
    meeting = state.events[invitee["event"]]
    hosts = [one["user"] for one in meeting["event_memberships"]]
    _announce(state, event, hosts, lambda: payload(meeting), meeting["start_time"])


def _announce(
    state: State,
    event: str,
    users: Collection[str],
    payload: Callable[[], Record],
    start: str | None = None,
) -> None:
    """Announce an event to all who listen; ``users`` are those whose event it is."""
    listeners = [one for one in state.webhooks.values() if _listens(state, one, event, users)]
    if not listeners:
        return
    second = from_timestamp(state.peek_stamp()).replace(microsecond=0)
    matters_until = FOR_EVER if start is None else from_timestamp(start) + DAY
    about = {"event": event, "created_at": to_timestamp(second)}
    told = payload()
    for one in listeners:
        content = {**about, "created_by": one["creator"], "payload": told}
        body = json.dumps(content, ensure_ascii=False).encode()
        state.announcements.append(
            Announcement(event, one["uri"], state.clock.now(), matters_until, body)
        )
    state.announced.notify_all()


def _listens(state: State, webhook: Record, event: str, users: Collection[str]) -> bool:
    if event not in webhook["events"] or webhook["state"] != "active":
        return False
    address = parse.urlsplit(webhook["callback_url"])
    if address.scheme != "http" or address.hostname not in LOOPBACK:
        return False
    if webhook["scope"] == "user":
        return webhook["user"] in users
    if webhook["scope"] == "group":
        return not state.group_members.get(webhook["group"], set()).isdisjoint(users)
    return True


def _announced(meeting: Record) -> Record:
    """Return a meeting as deliveries have it."""
    return {
        **{name: value for name, value in meeting.items() if name != "calendar_event"},
        "event_memberships": [
            {name: value for name, value in one.items() if name not in NOT_ANNOUNCED}
            for one in meeting["event_memberships"]
        ],
    }


def _tombstone(state: State, record: Record) -> Record:
    return {"uri": record["uri"], "deleted_at": state.peek_stamp()}
