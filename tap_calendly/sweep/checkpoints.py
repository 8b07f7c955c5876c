"""Writes to the state how far sweeps have come; all of it runs in the thread that writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from tap_calendly.reading.outcome import Outcome
from tap_calendly.reading.reader import Reader
from tap_calendly.state import Captured, StreamState, Sweep
from tap_calendly.sweep.event_types import NamedEventTypes

MEETINGS = 20
"""After how many meetings whose invitees were read the state is written within a page."""

SECONDS = 10.0
"""After how long the state is written within a page, however few meetings' invitees were read."""


class Swept(NamedTuple):
    """A stream that sweeps are carried out for; as a full table it has no state."""

    name: str
    state: StreamState | None
    outcome: Outcome


class Checkpoints:
    """Notes how far the sweeps of a run have come, so that a killed run repeats little."""

    def __init__(
        self,
        reader: Reader,
        streams: Sequence[Swept],
        event_types: NamedEventTypes | None,
        write_state: Callable[[], None],
        reached: Sweep | None,
    ) -> None:
        """Take the meetings' reader, and how far the last sweep for all streams has come."""
        self._reader = reader
        self._streams = streams
        self._event_types = event_types
        self._write_state = write_state
        self._reached = reached
        self._clock = reader.run.client.throttle.clock
        self._read = 0  # meetings, since the state was last written
        self._noted = self._clock.now()

    def note_midway(self, reached: Callable[[], Sweep], names: Collection[str], read: int) -> None:
        """Write how far a sweep has come within a page, if enough was read since the last time.

        `read` is for how many more meetings the invitees are out.
        """
        self._read += read
        if self._read >= MEETINGS or self._clock.now() - self._noted >= SECONDS:
            self.note_reached(reached(), names, again=0)

    def note_reached(self, sweep: Sweep, names: Collection[str], again: int) -> None:
        """Write how far a sweep has come: in one entry, which names the streams it is for.

        `again` is for how many meetings the invitees are out, but would be read again from there.
        """
        named = [stream for stream in self._streams if stream.name in names]
        streams = [(stream, stream.state) for stream in named if stream.state is not None]
        decided = [stream.outcome.settle() for stream, _ in streams]
        if not all(decided):
            return
        for stream, entry in streams:
            stopped = stream.outcome.unavailable is None and not self._goes_on(stream)
            if stopped and self._reached is not None:
                # It continues from there by itself.
                entry.write_interrupted(self._reached, [stream.name])
        going = [(stream.name, entry) for stream, entry in streams if self._goes_on(stream)]
        for _, entry in going[:1]:
            entry.write_interrupted(sweep, [name for name, _ in going])
        for _, entry in going[1:]:
            entry.forget_interrupted()
        if len(going) == len(self._streams):
            self._reached = sweep
        self._write_state()
        self._read, self._noted = again, self._clock.now()

    def note_complete(self, captured: Mapping[str, Captured], *, last: bool) -> None:
        """Write what the sweeps have captured of each stream."""
        for stream in self._streams:
            if stream.name not in captured:
                continue
            decided = stream.outcome.settle(last=last)
            if stream.state is not None and self._goes_on(stream) and decided:
                stream.state.refuse_future(self._reader.run.client.now)
                stream.state.write(captured[stream.name])
        self._reached = None

    def note_position(self, position: int) -> None:
        """Write up to which position everything that the inbox told is loaded."""
        for stream in self._streams:
            if stream.state is not None and stream.outcome.settle() and self._goes_on(stream):
                stream.state.advance(position)
        self._write_state()

    def note_unswept(self) -> None:
        """Settle a run that had no need to sweep."""
        for stream in self._streams:
            stream.outcome.settle(last=True)
            if stream.state is not None and self._goes_on(stream):
                stream.state.refuse_future(self._reader.run.client.now)
        self._write_state()

    def _goes_on(self, stream: Swept) -> bool:
        """Whether the state may follow a stream: not past meetings whose event types are owed."""
        has_meetings = stream.name == self._reader.stream.name
        owed = has_meetings and self._event_types is not None and self._event_types.owed
        return stream.outcome.goes_on and not owed
