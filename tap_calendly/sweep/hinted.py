"""Reads the meetings that the inbox names, with their invitees, in reader threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tap_calendly.api.page import Record
from tap_calendly.api.retry import PAUSE
from tap_calendly.reading.reader import Reader
from tap_calendly.reading.source import Found, Lookup, contexts_of, rows_for
from tap_calendly.reporting import errors
from tap_calendly.sweep.hints import Expected, Hint, shows
from tap_calendly.sweep.meetings import start_of


class HintedMeetings:
    """The meetings that deliveries name, read one by one."""

    def __init__(
        self, reader: Reader, invitees: Sequence[Reader], said: Mapping[str, Expected]
    ) -> None:
        """Take the readers of the meetings and of their invitees, and what deliveries say."""
        self._reader = reader
        self._invitees = invitees
        self._said = said
        self._behind: list[int] = []  # positions of hints that later runs have to ask for again
        self._unseen: list[int] = []  # positions of hints whose meeting cannot be found
        self._start_date = reader.run.settings.start_date

    def lookup(self, hint: Hint, found: list[Record], *, may_be_behind: bool) -> Lookup:
        """Return what reads a meeting, and adds it to `found`.

        With `may_be_behind`, the API may not show yet what was delivered.
        """
        return Lookup(partial(self._read, hint, found, may_be_behind=may_be_behind))

    @property
    def needs_sweep(self) -> bool:
        """Whether only a sweep tells if a meeting is gone, or the token has lost access to all."""
        return bool(self._unseen)

    def reached(self, position: int, *, swept: bool) -> int:
        """Return up to which position all is loaded, once what is named up to `position` is out."""
        left = self._behind if swept else [*self._behind, *self._unseen]
        return min([position, *(one - 1 for one in left)])

    def _read(self, hint: Hint, into: list[Record], *, may_be_behind: bool) -> Iterator[Found]:
        """Read a meeting; if it does not show what was delivered, once more after a pause."""
        found, is_shown = self._ask(hint)
        may_be_behind = may_be_behind and not self._reader.hides_rows
        if not is_shown and may_be_behind:
            self._reader.run.client.throttle.rest(PAUSE, self._reader.stopped)
            found, is_shown = self._ask(hint)
            if not is_shown:
                self._behind.append(hint.position)
        elif found is None and not is_shown:
            self._unseen.append(hint.position)
        if found is not None:
            into.append(found.record)
            yield found

    def _ask(self, hint: Hint) -> tuple[Found | None, bool]:
        """Read a meeting, if it is wanted, and tell whether it shows what was delivered."""
        try:
            meeting = self._reader.row_at(hint.uri)
        except errors.RefusedError:
            meeting = None
        if meeting is None:
            return None, False
        if self._is_too_old(meeting):
            return None, True
        contexts = contexts_of(meeting, self._invitees)
        batches = {
            reader.stream.name: list(rows_for(reader, contexts[reader.stream.name]))
            for reader in self._invitees
        }
        rows = [row for pages in batches.values() for page in pages for row in page]
        were_read = batches and all(reader.outcome.goes_on for reader in self._invitees)
        return Found(meeting, batches), shows(
            hint, self._said, meeting, rows if were_read else None
        )

    def _is_too_old(self, meeting: Record) -> bool:
        return self._start_date is not None and start_of(meeting) < self._start_date
