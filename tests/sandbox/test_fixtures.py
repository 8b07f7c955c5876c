"""What comes from a file is served, in pages or row by row, to those who have its scope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandbox.http.answers import fixtures as answers
from sandbox.organization import fixtures
from tests.sandbox.asking import ask, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.http.server import Sandbox

ROWS = [{"uri": f"https://api.calendly.com/holidays/{number}"} for number in range(5)]
NOTES = [{"parent": row["uri"], "text": row["uri"][-1]} for row in ROWS]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def write(**content: object) -> None:
        (tmp_path / "made_up.json").write_text(json.dumps(content))
        monkeypatch.setattr(answers, "ENDPOINTS", answers.endpoints(fixtures.read(tmp_path)))

    return write


def test_the_rows_of_a_file_are_served_in_pages(
    sandbox: Sandbox, serve: Callable[..., None]
) -> None:
    serve(path="/holidays", scope="organizations:read", rows=ROWS)
    other = sandbox.access.issue(sandbox.calendly.owner, scopes=["users:read"])

    assert whole(sandbox, "/holidays", {"count": "2"}) == ROWS
    assert ask(sandbox, "/holidays", token=other).status_code == 403
    assert ask(sandbox, ROWS[3]["uri"]).json() == {"resource": ROWS[3]}
    assert ask(sandbox, "/holidays/9").status_code == 404


def test_the_rows_of_a_parent_are_asked_for_by_parameter_or_path(
    sandbox: Sandbox, serve: Callable[..., None]
) -> None:
    serve(path="/holiday_notes", scope="organizations:read", parameter="holiday", rows=NOTES)

    assert whole(sandbox, "/holiday_notes", {"holiday": ROWS[3]["uri"]}) == [{"text": "3"}]
    assert whole(sandbox, "/holiday_notes", {"day": ROWS[3]["uri"]}) == []

    serve(path="/holidays/{uuid}/notes", scope="organizations:read", rows=NOTES)

    assert whole(sandbox, "/holidays/3/notes") == [{"text": "3"}]


def test_a_single_row_is_served_by_itself(sandbox: Sandbox, serve: Callable[..., None]) -> None:
    serve(path="/holidays/{uuid}/note", scope="organizations:read", single=True, rows=NOTES)

    assert ask(sandbox, "/holidays/3/note").json() == {"resource": {"text": "3"}}
    assert ask(sandbox, "/holidays/9/note").status_code == 404
