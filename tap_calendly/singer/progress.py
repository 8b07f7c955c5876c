"""What users read on standard error during a run, and at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from typing_extensions import Self

from tap_calendly.api.client import Client
from tap_calendly.singer.stream import CalendlyStream

INTERVAL = 10.0
"""Seconds between two lines of progress."""


class Progress:
    """Logs how far a run has come every ten seconds, and at its end what it did.

    It has a thread of its own, as the others may be waiting for Calendly, its limit, or the target.
    """

    def __init__(
        self, streams: Sequence[CalendlyStream], client: Client, logger: logging.Logger
    ) -> None:
        """Prepare; the thread starts with the `with` block."""
        self._streams = streams
        self._client = client
        self._logger = logger
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Start the clock and the thread."""
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Log what the run did, whether it succeeded or not."""
        self._ended.set()
        self._thread.join(timeout=1)
        for stream in self._streams:
            for (field, problem), number in sorted(stream.coercion_issues.items()):
                self._logger.warning(
                    "%s of %s.%s: %s.", _many(number, "value"), stream.name, field, problem
                )
        for line in self._summary(time.monotonic() - self._began):
            self._logger.info(line)

    def _report(self) -> None:
        before = 0
        while not self._ended.wait(INTERVAL):
            made = self._client.made.total()
            a_minute = (made - before) * 60 / INTERVAL
            rows = [f"{s.name} {s.rows_out:,}{_reached(s)}" for s in self._streams if s.rows_out]
            line = (
                f"So far: {', '.join(rows) or 'no rows'}; {made:,} requests, "
                f"{a_minute:,.0f} a minute now, "
                f"{self._client.throttle.waited:,.0f} s of waiting for the limit"
            )
            self._logger.info(line)
            before = made

    def _summary(self, seconds: float) -> Iterator[str]:
        made, cleaned = self._client.made, self._client.cleaned
        for stream in self._streams:
            asked, replaced = made[stream.name], cleaned[stream.name]
            if stream.outcome.skipped:
                yield f"{stream.name}: skipped, as the token gives no access to it (see above)"
            elif stream.selected:
                line = f"{stream.name}: {_many(stream.rows_out, 'row')}, {_many(asked, 'request')}"
                line += f", {_many(replaced, 'text')} cleaned" if replaced else ""
                yield line + _end(stream)
            elif asked:
                line = f"{stream.name}: {_many(asked, 'request')} for its child streams"
                yield line + _end(stream)
        left_out = [s.name for s in self._streams if not s.selected and not made[s.name]]
        if left_out:
            yield f"Not selected: {', '.join(left_out)}"
        yield (
            f"{_many(made.total(), 'request')} in {seconds:,.0f} s, "
            f"{self._client.throttle.waited:,.0f} s of them waiting for the limit"
        )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _reached(stream: CalendlyStream) -> str:
    """Return the start that a stream of meetings has reached."""
    start = stream.last_out.get("start_time")
    return "" if start is None else f" (up to {str(start)[:10]})"


def _end(stream: CalendlyStream) -> str:
    """Return how a stream ended, unless all is well."""
    if stream.outcome.failed is not None:
        return "; failed (see the end)"
    if stream.root.outcome.failed is not None:
        return f"; not read completely, as {stream.root.name} failed"
    return "" if stream.root.outcome.started else "; not tried"
