"""Reads ahead in several threads, and hands over in order.

Calendly gives invitees by one request for each meeting, so the speed of a run depends on how many
requests are in flight at once. Here threads read pages, and whatever is read for each of their
rows, a little ahead of the one thread that writes messages; that one takes the results in the order
in which it would have read them itself. Nothing here knows what is read.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Generic, TypeVar

from typing_extensions import Self

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

ROWS_AHEAD = 100
"""With fewer rows in hand, the next page is taken; the one after it is being read by then."""


@dataclass(frozen=True)
class Batch(Generic[T_co]):
    """A part of a list; `on_emitted` is called once its rows are out, to note progress.

    `midway` has what is called before that, by how many of the rows are out by then.
    """

    rows: Sequence[T_co]
    on_emitted: Callable[[], None] | None = None
    midway: Mapping[int, Callable[[], None]] = field(default_factory=dict)


class Prefetcher:
    """Threads that read ahead, as long as a `with` block lasts.

    An error in any of them ends the reading: what was read by then is still handed over, then the
    error is raised, without waiting for the other threads.

    Attributes:
        eager: Whether anything is read before it is asked for.
        stopped: Set when nobody waits for what is read any more.
        calls_ahead: The most calls made ahead for rows.
        failure: The error that has ended the reading, if any.
    """

    def __init__(self, threads: int, *, eager: bool, wake: Callable[[], None]) -> None:
        """Prepare; `wake` is called after `stopped` is set, to wake threads that wait elsewhere."""
        self.eager = eager
        self.stopped = threading.Event()
        self.calls_ahead = 2 * threads if eager else 1
        self.rows_ahead = ROWS_AHEAD if eager else 1
        self._threads = threads
        self._wake = wake
        self._lock = threading.Lock()
        self._called = threading.Condition(self._lock)
        self._done = threading.Condition(self._lock)
        self._calls: deque[_Call] = deque()
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Start the threads, as daemons: none can hold up the end of the process."""
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"reader-{number}", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the threads."""
        self.stop()

    def stop(self) -> None:
        """Let the threads end as soon as they can; calls not begun are dropped."""
        self.stopped.set()
        with self._lock:
            self._calls.clear()
            self._called.notify_all()
        self._wake()

    def start(self, function: Callable[[], None], *, first: bool) -> _Call:
        """Queue a function for the next free thread, at the front if `first`."""
        call = _Call(function)
        with self._lock:
            if first:
                self._calls.appendleft(call)
            else:
                self._calls.append(call)
            self._called.notify()
        return call

    def wait_for(self, call: _Call) -> None:
        """Wait until a call is done; raise its error, or that of another call if it comes first."""
        with self._lock:
            while not call.done and self.failure is None:
                self._done.wait()
            failure = call.failure if call.done else self.failure
        if failure is not None:
            raise failure

    def _work(self) -> None:
        while (call := self._next_call()) is not None:
            try:
                call.function()
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                call.failure = error
            with self._lock:
                call.done = True
                self.failure = self.failure or call.failure
                self._done.notify_all()

    def _next_call(self) -> _Call | None:
        with self._lock:
            while not self._calls and not self.stopped.is_set():
                self._called.wait()
            stopped = self.stopped.is_set() or self.failure is not None
            return None if stopped else self._calls.popleft()


class Prefetch(Generic[T]):
    """Reads parts of a list ahead; iterating yields them in order."""

    def __init__(
        self, ahead: Prefetcher, parts: Iterator[T], *, at_once: int = 1, first: bool = False
    ) -> None:
        """Begin to read, `at_once` parts before anybody asks, in one thread of `ahead` at a time.

        `first` puts it in front of whatever else is queued.
        """
        self._ahead = ahead
        self._parts = parts
        self._at_once = at_once
        self._first = first
        self._call: _Call | None = None
        self._read: list[T] = []
        self._ended = False
        if ahead.eager:
            self._go_on()

    @property
    def waits(self) -> bool:
        """Whether taking the next part would have to wait."""
        return self._call is None or not self._call.done

    def __iter__(self) -> Iterator[T]:
        """Yield the parts, while the next ones are being read."""
        while True:
            if self._call is None:
                self._go_on()
            if self._call is None:
                return
            self._ahead.wait_for(self._call)
            parts, self._call = self._read, None
            if self._ahead.eager:
                self._go_on()
            yield from parts

    def _go_on(self) -> None:
        if not self._ended:
            self._call = self._ahead.start(self._read_on, first=self._first)

    def _read_on(self) -> None:
        self._read = list(islice(self._parts, self._at_once))
        self._ended = len(self._read) < self._at_once


def in_order(
    batches: Prefetch[Batch[T]],
    ahead: Prefetcher,
    begin: Callable[[T], list[R]],
    prepare: Callable[[Sequence[T]], None] = lambda _: None,
) -> Iterator[tuple[T, list[R]]]:
    """Yield rows in order, each with what `begin`, called a little ahead, began to read for it.

    `prepare` is called with a batch's rows before that. Its `midway` and `on_emitted` are called
    once the rows before them are done with.
    """
    parts = iter(batches)
    waiting: deque[_Step[T, R]] = deque()
    begun: deque[_Step[T, R]] = deque()
    in_flight, more = 0, True
    while more or waiting or begun:
        in_hand = len(waiting) + len(begun)
        if more and in_hand < ahead.rows_ahead and not (in_hand and batches.waits):
            batch = next(parts, None)
            more = batch is not None
            if batch is not None:
                prepare(batch.rows)
                steps = enumerate(batch.rows, 1)
                waiting.extend(_Step(row, batch.midway.get(number)) for number, row in steps)
                waiting.append(_Step(on_emitted=batch.on_emitted))
        while waiting and in_flight < ahead.calls_ahead:
            step = waiting.popleft()
            step.begun = [] if step.row is None else begin(step.row)
            in_flight += len(step.begun)
            begun.append(step)
        if begun:
            step = begun.popleft()
            in_flight -= len(step.begun)
            if step.row is not None:
                yield step.row, step.begun
            if step.on_emitted is not None:
                step.on_emitted()


@dataclass
class _Step(Generic[T, R]):
    """A row, or something to do once the rows up to here are out, or both."""

    row: T | None = None
    on_emitted: Callable[[], None] | None = None
    begun: list[R] = field(default_factory=list)


@dataclass
class _Call:
    """A function that a thread calls."""

    function: Callable[[], None]
    done: bool = False
    failure: BaseException | None = None
