"""Reads the event types that meetings name, as the list of event types lacks some of them.

Calendly's list leaves out deleted event types, which can still be read at their own URI (API
reference, `deleted_at`), and the stream `event_types` reads its list only down to its bookmark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tap_calendly.api.page import Record
from tap_calendly.reading.outcome import UNEXPECTED
from tap_calendly.reading.reader import Reader
from tap_calendly.reporting import errors


class NamedEventTypes:
    """The rows of the event types that meetings name, each read and written once in a run.

    If that fails, the stream `event_types` fails; once it has, here or in its own turn, nothing
    more is read.

    Attributes:
        owed: Whether meetings have been written without their event types, so that the state must
            not pass them.
    """

    def __init__(
        self,
        reader: Reader,
        written: Collection[str] | None,
        write: Callable[[Iterable[Record]], None],
    ) -> None:
        """Take a reader of the whole list, and a function that writes rows of `event_types`.

        `written` holds the URIs in the list if this run has written all of it; None if it has not.
        """
        self.owed = False
        self._reader = reader
        self._write = write
        self._seen = set(written or ())
        self._listed: dict[str, Record] | None = None if written is None else {}

    def read(self, meetings: Iterable[Record]) -> list[Record] | None:
        """Read the event types that are named for the first time in this run; None if that fails.

        This runs in reader threads.
        """
        uris = [uri for uri in _named_by(meetings) if uri not in self._seen]
        if not uris:
            return []
        if not self._reader.outcome.goes_on:
            return None
        try:
            return list(self._read(uris))
        except errors.FatalError:
            raise
        except (errors.CalendlyError, *UNEXPECTED) as error:
            self._reader.outcome.fail(error)
            return None

    def write(self, rows: Iterable[Record] | None) -> None:
        """Write what `read` has returned, before the state passes the meetings.

        This runs in the thread that writes.
        """
        try:
            if rows:
                self._write(rows)
        except errors.FatalError:
            raise
        except (errors.CalendlyError, *UNEXPECTED) as error:
            rows = None
            self._reader.outcome.fail(error)
        self.owed = self.owed or rows is None

    def _read(self, uris: Iterable[str]) -> Iterator[Record]:
        if self._listed is None:
            # Once, as one that moved out of sight meanwhile is read like one that the list lacks.
            pages = self._reader.read_until_stable(once=True)
            self._listed = {row["uri"]: row for page in pages for row in page.rows}
        for uri in uris:
            self._seen.add(uri)
            row = self._listed.pop(uri, None) or self._reader.row_at(uri)
            if row is not None:
                yield row


def _named_by(meetings: Iterable[Record]) -> Iterator[str]:
    """Yield the URIs of meetings' event types, once each; a meeting may name none."""
    for uri in dict.fromkeys(str(meeting.get("event_type")) for meeting in meetings):
        if re.search(r"/event_types/[^/]+$", uri):
            yield uri
