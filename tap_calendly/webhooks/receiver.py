"""Receives deliveries: answers 200 once a delivery is in the inbox, and not before."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tap_calendly.inbox import delivery as deliveries
from tap_calendly.inbox.delivery import Delivery
from tap_calendly.inbox.store import Store
from tap_calendly.reporting import errors, messages
from tap_calendly.settings import Settings
from tap_calendly.webhooks import refusals, signature
from tap_calendly.webhooks.metrics import Metrics
from tap_calendly.webhooks.refusals import Refusal
from tap_calendly.webhooks.writer import Writer

LARGEST = 1_000_000
"""Bytes of a body; Calendly's are a few thousand."""

BODY_SECONDS = 10.0
"""How long a body may take to come."""

BEAT_SECONDS = 30.0
"""How often the inbox is told that a receiver runs."""

QUIET = timedelta(minutes=1)
"""How long the same line is not logged again."""

DAY = timedelta(days=1)

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class ReceiverOptions(NamedTuple):
    """How to receive.

    Attributes:
        path: Where deliveries are posted.
        tolerance: By how many seconds a signature's time may differ from this machine's.
        keep_days: After how many days deliveries are removed; 0 for never.
    """

    path: str = "/"
    tolerance: int = 180
    keep_days: int = 90


class _RefusedError(Exception):
    """A delivery is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _now() -> datetime:
    return datetime.now(timezone.utc)


def receiver(
    settings: Settings,
    options: ReceiverOptions,
    logger: logging.Logger,
    clock: Callable[[], datetime] = _now,
) -> Starlette:
    """Return the receiver as an ASGI application, with its inbox open.

    Raises:
        CalendlyError: Settings are missing, or the inbox cannot be written.
    """
    problems = [
        message
        for message, given in (
            (messages.INBOX_URL_MISSING, settings.inbox_url),
            (messages.SIGNING_KEY_MISSING, settings.signing_keys),
        )
        if not given
    ]
    if not re.fullmatch(r"/[^{}?#\s]*", options.path):
        problems.append(messages.PATH_UNUSABLE)
    if problems:
        raise errors.SettingsError(problems)
    store = Store(str(settings.inbox_url))
    store.beat(clock())  # a gap is marked before anything is received after it
    return Receiver(store, settings.signing_keys, options, logger, clock).app


class Receiver:
    """Receives deliveries into one store.

    Attributes:
        app: The ASGI application.
    """

    def __init__(
        self,
        store: Store,
        keys: list[str],
        options: ReceiverOptions,
        logger: logging.Logger,
        clock: Callable[[], datetime],
    ) -> None:
        """Receive by some options; the lifespan of `app` begins and ends it."""
        self._writer = Writer(store, clock)
        self._keys = keys
        self._options = options
        self._logger = logger
        self._clock = clock
        self._metrics = Metrics()
        self._pruned_at = LONG_AGO
        self._logged_at: dict[str, datetime] = {}
        self._happened: Counter[str] = Counter()
        routes = [
            Route(options.path, self._receive, methods=["POST"]),
            Route("/healthz", self._health, methods=["GET"]),
            Route("/metrics", self._show_metrics, methods=["GET"]),
        ]
        self.app = Starlette(routes=routes, lifespan=self._lifespan)
        self.app.router.redirect_slashes = False

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        keeping_up = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            keeping_up.cancel()
            with suppress(asyncio.CancelledError):
                await keeping_up
            await self._try_to_beat()  # with what was refused since the last beat
            self._writer.close()

    async def _receive(self, request: Request) -> Response:
        try:
            body = await _body(request)
            began = time.monotonic()
            delivery = self._checked(body, ",".join(request.headers.getlist(signature.HEADER)))
            await self._writer.keep(delivery)
        except _RefusedError as error:
            return self._refuse(error.refusal)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # which nobody reads
        except Exception as error:  # noqa: BLE001 - Calendly tries again, and no log shows a body
            return self._fail(error)
        self._metrics.count_delivery(delivery.event, time.monotonic() - began)
        return Response(status_code=HTTPStatus.OK)

    def _checked(self, body: bytes, header: str) -> Delivery:
        tolerance = timedelta(seconds=self._options.tolerance)
        problem = signature.problem(header, body, self._keys, self._clock(), tolerance)
        if problem is not None:
            raise _RefusedError(problem)
        try:
            return deliveries.parse(body)
        except ValueError:
            raise _RefusedError(refusals.UNREADABLE) from None

    def _refuse(self, refusal: Refusal) -> Response:
        reason = refusal.reason
        self._metrics.count_refusal(reason)
        self._writer.note_refusal(reason)
        if number := self._count_unlogged(reason):
            remedy = messages.REFUSALS[reason]
            line = messages.DELIVERIES_REFUSED.format(number=number, reason=reason, remedy=remedy)
            self._logger.warning(line)
        # A slow client may go on for ever; one that sends too much would miss the answer.
        headers = {"Connection": "close"} if refusal is refusals.TOO_SLOW else None
        return Response(status_code=refusal.status, headers=headers)

    def _fail(self, error: Exception) -> Response:
        self._metrics.count_failure()
        if not isinstance(error, errors.CalendlyError):
            error = errors.unexpected("the receiver", error)
        if self._count_unlogged(str(error)):
            self._logger.error(str(error))
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    def _count_unlogged(self, what: str) -> int:
        """Count something; return how often it happened if a line is due, at most one a minute."""
        now = self._clock()
        self._happened[what] += 1
        if abs(now - self._logged_at.get(what, LONG_AGO)) < QUIET:
            return 0
        self._logged_at[what] = now
        return self._happened.pop(what)

    async def _health(self, _: Request) -> Response:
        if await self._try_to_beat():
            return Response(status_code=HTTPStatus.OK)
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _show_metrics(self, _: Request) -> Response:
        return Response(
            generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _keep_up(self) -> None:
        """Beat, and prune once a day."""
        while True:
            await self._try_to_beat()
            await self._try_to_prune()
            await asyncio.sleep(BEAT_SECONDS)

    async def _try_to_beat(self) -> bool:
        try:
            await self._writer.beat()
        except Exception as error:  # noqa: BLE001 - the next one may work
            self._fail(error)
            return False
        return True

    async def _try_to_prune(self) -> None:
        now, keep_days = self._clock(), self._options.keep_days
        if keep_days == 0 or now - self._pruned_at < DAY:
            return
        try:
            removed = await self._writer.prune(now - keep_days * DAY)
        except Exception as error:  # noqa: BLE001 - the next one may work
            self._fail(error)
            return
        self._pruned_at = now
        if removed:
            self._logger.info("Removed %d deliveries older than %d days.", removed, keep_days)


async def _body(request: Request) -> bytes:
    """Read a body, unless it is too large or comes too slowly."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > LARGEST:
        raise _RefusedError(refusals.TOO_LARGE)
    try:
        return await asyncio.wait_for(_all_of(request), BODY_SECONDS)
    except asyncio.TimeoutError:
        raise _RefusedError(refusals.TOO_SLOW) from None


async def _all_of(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:  # of a body whose length was not told
            raise _RefusedError(refusals.TOO_LARGE)
    return bytes(body)
