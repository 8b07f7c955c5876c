"""Writes to the inbox in one thread; whatever deliveries wait are committed together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TypeVar

from tap_calendly.inbox.delivery import Delivery
from tap_calendly.inbox.store import Store
from tap_calendly.reporting import errors, messages

SECONDS = 8.0
"""How long to wait for the inbox: Calendly waits 15 s for an answer."""

T = TypeVar("T")


class Writer:
    """The only one to use a store; all methods but the private ones belong to the event loop.

    Those that wait raise CalendlyError if the inbox cannot be written.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Begin with nothing to write."""
        self._store = store
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._waiting: SimpleQueue[tuple[Delivery, Future[None]]] = SimpleQueue()
        self._refused: SimpleQueue[str] = SimpleQueue()
        self._unwritten: Counter[str] = Counter()
        self._beating: Future[None] | None = None

    async def keep(self, delivery: Delivery) -> None:
        """Return once a delivery is committed."""
        kept: Future[None] = Future()
        self._waiting.put((delivery, kept))
        self._thread.submit(self._keep_waiting)
        await _within(kept)

    def note_refusal(self, reason: str) -> None:
        """Have a refused delivery counted with the next beat."""
        self._refused.put(reason)

    async def beat(self) -> None:
        """Return once the inbox says that a receiver runs; who asks before it begins shares it."""
        # One that runs may have left out what was refused since.
        if self._beating is None or self._beating.running() or self._beating.done():
            self._beating = self._thread.submit(self._beat)
        await _within(self._beating)

    async def prune(self, before: datetime) -> int:
        """Remove what was received before a time; return how many rows that were."""
        return await asyncio.wrap_future(self._thread.submit(self._store.prune, before))

    def close(self) -> None:
        """Finish what is being written."""
        self._thread.shutdown()

    def _keep_waiting(self) -> None:
        waiting = _taken(self._waiting)
        if not waiting:
            return  # a call before this one committed it
        try:
            self._store.add_all([delivery for delivery, _ in waiting], self._clock())
        except BaseException as error:  # noqa: BLE001 - each is told
            for _, kept in waiting:
                kept.set_exception(error)
        else:
            for _, kept in waiting:
                kept.set_result(None)

    def _beat(self) -> None:
        self._unwritten.update(_taken(self._refused))
        self._store.beat(self._clock(), self._unwritten)
        self._unwritten.clear()


def _taken(queue: SimpleQueue[T]) -> list[T]:
    """Return all that is in a queue, which then is empty."""
    found: list[T] = []
    with suppress(Empty):
        while True:
            found.append(queue.get_nowait())
    return found


async def _within(future: Future[None]) -> None:
    """Wait for the store, but not too long; what it writes later is written all the same."""
    # Not by `wait_for`, which can swallow that its task is canceled (until Python 3.12).
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(asyncio.Future.exception)  # even if nobody waits any more
    done, _ = await asyncio.wait([waiting], timeout=SECONDS)
    if not done:
        kind = f"no answer in {SECONDS:.0f} s"
        raise errors.CalendlyError(messages.INBOX_UNREADABLE, kind=kind)
    waiting.result()
