"""Recaps: what was said in a meeting, as the host's notetaker wrote it down."""

from __future__ import annotations

from copy import deepcopy
from typing import Literal

from sandbox.identifiers import PAGES, last_segment
from sandbox.meetings import Meetings
from sandbox.state import Record, known, life

TEXTS = ("summary_md", "action_items_md", "discussion_md")
ONLY_SINGLE = (*TEXTS, "share_link")
"""What a list of recaps leaves out."""

STATUSES = ("available", "processing", "unavailable")


class Recaps(Meetings):
    """The recaps of meetings: each host reads his own alone, whatever his role."""

    @life
    def start_recap(self, *, event: str, user: str | None = None) -> str:
        """Let a host's notetaker take part in a meeting; its recap is processing for a while.

        Args:
            event: The URI of the meeting.
            user: The URI of the host; the first one if left out.

        Returns:
            The recap's URI.

        Raises:
            ValueError: If there is no such event, or he does not host it.
        """
        record = known(self.events, event, "event")
        hosts = [one["user"] for one in record["event_memberships"]]
        host = hosts[0] if user is None else user
        if host not in hosts:
            message = f"{user} does not host the event {event}"
            raise ValueError(message)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("meeting_recaps", event, host)
        self.recaps[uri] = {
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
            "attendees": self._attendees(record),
            **dict.fromkeys(TEXTS),
            "transcript": f"{uri}/transcript",
            "share_link": None,
        }
        self.recap_owners[uri] = host
        return uri

    @life
    def finish_recap(
        self,
        *,
        recap: str,
        transcript: str,
        summary: str | None = None,
        action_items: str | None = None,
        discussion: str | None = None,
    ) -> None:
        """Make a recap available with its texts, or write them anew; moves its ``updated_at``.

        Args:
            recap: The recap's URI.
            transcript: What was said, word by word.
            summary: In Markdown.
            action_items: In Markdown.
            discussion: In Markdown.

        Raises:
            ValueError: If there is no such recap.
        """
        texts = zip(TEXTS, (summary, action_items, discussion), strict=True)
        record = known(self.recaps, recap, "recap")
        record.update(texts, status="available", updated_at=self.stamp())
        self.transcripts[recap] = {"uri": record["transcript"], "text": transcript}

    @life
    def change_recap(
        self, *, recap: str, status: Literal["available", "processing", "unavailable"]
    ) -> None:
        """Put a recap into another state; moves its ``updated_at``.

        Raises:
            ValueError: If there is no such recap or state.
        """
        record = known(self.recaps, recap, "recap")
        if status not in STATUSES:
            message = f"a recap is one of {', '.join(STATUSES)}, not {status!r}"
            raise ValueError(message)
        record.update(status=status, updated_at=self.stamp())

    @life
    def share_recap(self, *, recap: str, shared: bool = True) -> None:
        """Make a link to a recap, or take it away; moves its ``updated_at``.

        Raises:
            ValueError: If there is no such recap.
        """
        record = known(self.recaps, recap, "recap")
        link = f"{PAGES}/recaps/{self.identifiers.of('share', recap)}" if shared else None
        record.update(share_link=link, updated_at=self.stamp())

    @life
    def delete_recap(self, *, recap: str) -> None:
        """Delete a recap: it vanishes with its transcript.

        Raises:
            ValueError: If there is no such recap.
        """
        known(self.recaps, recap, "recap")
        del self.recaps[recap], self.recap_owners[recap]
        self.transcripts.pop(recap, None)

    def recaps_of(self, user: str, status: str = "available") -> list[Record]:
        """Return the user's recaps in a state, with their texts."""
        return [
            one
            for uri, one in self.recaps.items()
            if self.recap_owners[uri] == user and one["status"] == status
        ]

    def _attendees(self, event: Record) -> list[Record]:
        hosts = [
            {"host": True, "user_email": one["user_email"], "user_name": one["user_name"]}
            for one in event["event_memberships"]
        ]
        return hosts + [
            {"host": False, "user_email": one["email"], "user_name": one["name"] or ""}
            for one in self.invitees[event["uri"]]
            if one["status"] == "active"
        ]
