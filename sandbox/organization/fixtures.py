"""Lists without a life of their own: rows from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandbox.organization.state import Record

FOLDER = Path(__file__).parents[1] / "fixtures"


class Fixture(NamedTuple):
    """A list of the API, as `sandbox/fixtures/README.md` describes it."""

    path: str
    scope: str
    rows: list[Record]
    parameter: str = ""
    single: bool = False


def read(folder: Path = FOLDER) -> dict[str, Fixture]:
    """Return the fixtures in a folder, by the name of their stream."""
    return {
        file.stem: Fixture(**json.loads(file.read_text("utf-8")))
        for file in sorted(folder.glob("*.json"))
    }
