"""What live accounts were seen to answer is loaded value by value, and without a word."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sandbox.http.faults import Fault
from tests.singer import Row, key_of, sync

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox

FOLDER = Path(__file__).parent
HEADERS = FOLDER / "headers.json"
STREAMS = {file.stem: file for file in FOLDER.glob("*.json") if file != HEADERS}


class Answer(NamedTuple):
    """An answer, as `README.md` describes it."""

    seen: str
    path: str
    remaining: int
    body: Mapping[str, Any]
    query: str = ""
    added: Mapping[str, str] = {}
    delivery: Mapping[str, str] = {}

    @property
    def rows(self) -> list[Row]:
        """The rows of the body."""
        return self.body["collection"] if "collection" in self.body else [self.body["resource"]]


def answers(stream: str) -> list[Answer]:
    """Read the answers for a stream."""
    return [Answer(**answer) for answer in json.loads(STREAMS[stream].read_text("utf-8"))]


def serve(sandbox: Sandbox, given: list[Answer]) -> None:
    """Let the sandbox give these answers, those to the same request as one page."""
    common = json.loads(HEADERS.read_text("utf-8"))["headers"]
    pages: dict[tuple[str, str], list[Answer]] = {}
    for answer in given:
        pages.setdefault((answer.path, answer.query), []).append(answer)
    # Where two fit a request, the one that names something in its query is meant.
    for (path, query), page in sorted(pages.items(), key=lambda one: not one[0][1]):
        body = page[0].body
        if len(page) > 1:
            body = {**body, "collection": [row for answer in page for row in answer.rows]}
        headers = {**common, "X-RateLimit-Remaining": str(page[0].remaining)}
        sandbox.faults.add(Fault(path, query, body=body, headers=headers, times=None))


def values(stream: str, rows: list[Row]) -> list[str]:
    """Return a line for each value, as JSON, which tells 1 from 1.0 and from true."""
    return sorted(
        f"{key_of(stream, row)} {name}: {json.dumps(value)}"
        for row in rows
        for name, value in row.items()
    )


def test_a_webhook_delivery_is_recorded_with_a_time_before_its_payloads() -> None:
    delivered = [answer for answer in answers("event_invitees") if answer.delivery]

    assert delivered
    for answer in delivered:
        assert answer.delivery["created_at"] < answer.rows[0]["created_at"]


@pytest.mark.usefixtures("waits")
def test_every_recorded_answer_is_loaded_value_by_value(
    empty_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    recorded = {stream: answers(stream) for stream in STREAMS}
    serve(empty_sandbox, [answer for each in recorded.values() for answer in each])

    run = sync(empty_sandbox, select=STREAMS)

    for stream, given in recorded.items():
        rows = [{**row, **answer.added} for answer in given for row in answer.rows]
        assert values(stream, run.rows(stream)) == values(stream, rows)
    assert [one.getMessage() for one in caplog.records if one.levelno > logging.INFO] == []
