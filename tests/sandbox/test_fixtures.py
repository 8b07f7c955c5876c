"""A list whose rows come from a file is served in pages, to those who have its scope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.http.answers import fixtures as answers
from sandbox.organization import fixtures
from tests.sandbox.asking import ask, whole

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from sandbox.http.server import Sandbox

ROWS = [{"uri": f"https://api.calendly.com/holidays/{number}"} for number in range(5)]


def test_the_rows_of_a_file_are_served_in_pages(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"path": "/holidays", "scope": "organizations:read", "rows": ROWS}
    (tmp_path / "holidays.json").write_text(json.dumps(content))
    monkeypatch.setattr(answers, "ENDPOINTS", answers.endpoints(fixtures.read(tmp_path)))
    other = sandbox.access.issue(sandbox.calendly.owner, scopes=["users:read"])

    assert whole(sandbox, "/holidays", {"count": "2"}) == ROWS
    assert ask(sandbox, "/holidays", token=other).status_code == 403
