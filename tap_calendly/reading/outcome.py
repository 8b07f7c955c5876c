"""How a stream fares in a run, as the threads that read it and the one that writes it find out."""

from __future__ import annotations

import logging
import threading

from tap_calendly.api.retry import PAUSE
from tap_calendly.reading.parent import Context
from tap_calendly.reporting import errors, messages

UNEXPECTED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What Python raises for a bug in the tap, or for data that nobody has thought of."""


class Outcome:
    """Whether a stream was available, failed, or was read in part.

    Attributes:
        started: Whether its turn came.
        complete: Whether everything that was wanted could be asked for.
        unavailable: Why the token gives no access to it; None if it does, or was not asked.
        failed: Why it could not go on; None if it could.
        required: Whether it fails, instead of being skipped, if the token gives no access to it.
        last_loaded: `before`, or until when it was loaded, in words; None if it never was.
        refusal_fails_run: Whether the run fails, for whatever reason, if it is unavailable.
    """

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        """Start with nothing known."""
        self.started = False
        self.complete = True
        self.unavailable: errors.RefusedError | None = None
        self.failed: errors.CalendlyError | None = None
        self.required = False
        self.last_loaded: str | None = None
        self.refusal_fails_run = False
        self._stream = stream
        self._logger = logger
        self._lock = threading.RLock()
        self._answered = False
        self._refused: list[tuple[errors.RefusedError, Context]] = []
        self._in_doubt = False  # refused, and being asked again
        self._confirmed = False  # refused again

    @property
    def goes_on(self) -> bool:
        """Whether the stream has neither failed nor turned out to be unavailable."""
        return self.unavailable is None and self.failed is None

    @property
    def skipped(self) -> bool:
        """Whether the stream is unavailable, and left out without having failed."""
        return self.unavailable is not None and self.failed is None

    @property
    def lost(self) -> bool:
        """Whether the stream is unavailable, which fails the run."""
        return self.unavailable is not None and self.failed is not None

    def note_answer(self) -> None:
        """Note that the token gives access to some of the stream."""
        with self._lock:
            self._answered = True
            self._in_doubt = False

    def asks_again(self, error: errors.RefusedError) -> bool:
        """Return whether to ask again, as what would fail the run may pass; log it once."""
        with self._lock:
            would_fail = self.refusal_fails_run or self._answered
            if not (errors.is_forbidden(error) and would_fail and self.goes_on):
                return False
            if self._confirmed:  # by another request: two thousand pauses would tell no more
                return False
            if not self._in_doubt:
                self._in_doubt = True
                self._logger.warning(messages.ASKING_AGAIN, self._stream, error.status, PAUSE)
            return True

    def confirm(self, error: errors.RefusedError) -> None:
        """Note that Calendly refuses again what it refused before."""
        with self._lock:
            self._confirmed = self._confirmed or errors.is_forbidden(error)

    def is_refused_by(self, error: errors.RefusedError) -> bool:
        """Whether a refusal means that the token gives no access to the stream at all."""
        with self._lock:
            return (
                errors.is_forbidden(error) and not self._answered and error.stream == self._stream
            )

    def note_refusal(self, error: errors.RefusedError, context: Context) -> None:
        """Note a refusal for one row of the parent; others may be accessible."""
        with self._lock:
            self._refused.append((error, context))
            if error.names_scopes or (self.required and self._confirmed):
                self.refuse(error)

    def take_refused(self) -> list[Context]:
        """Return what to ask again, as it was refused before the first answer came."""
        with self._lock:
            if not self._answered:
                return []
            refused, self._refused = self._refused, []
            return [context for _, context in refused]

    def settle(self, *, last: bool = False) -> bool:
        """Decide what refusals for rows of the parent mean; return whether that is decided.

        Where other rows are accessible, the stream has failed; if, at `last`, none was, the token
        gives no access to it.
        """
        with self._lock:
            if self._refused and self._answered:
                self.fail(self._refused[0][0])
            elif self._refused and last:
                self.refuse(self._refused[0][0])
            return not self._refused or not self.goes_on

    def refuse(self, error: errors.RefusedError) -> None:
        """Note that the token gives no access to the stream, and say so once."""
        with self._lock:
            if self.unavailable is not None:
                return
            self.unavailable = error
            if self.required:
                self.fail(self.as_failure(error))
            else:
                self._logger.warning("Skipped: %s", error)

    def as_failure(self, error: errors.RefusedError) -> errors.RefusedError:
        """Word a refusal, of the stream or its parent, as the failure of this required stream."""
        name, response, step = self._stream, error.response, error.facts["next_step"]
        if self.last_loaded is None:
            return errors.RefusedError(messages.ANSWERED, response, stream=name, next_step=step)
        return errors.RefusedError(
            messages.LOST, response, stream=name, last_loaded=self.last_loaded, next_step=step
        )

    def fail(self, error: Exception) -> None:
        """Note that the stream cannot go on, and say so once; the others can."""
        with self._lock:
            if not isinstance(error, errors.CalendlyError):
                self._logger.debug("Where it happened:", exc_info=error)
                error = errors.unexpected(self._stream, error)
            if self.failed is None:
                self.failed = error
                self._logger.warning("%s The other streams go on.", error)
