"""What docs/models.md says of the models: `python -m tests.documents.models`.

The models are built from the demo organization as it is at a fixed time. This takes what
`make report` installs.
"""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.demo import company, sync
from sandbox.http.server import Sandbox
from tests import singer
from tests.documents import diagrams
from tests.documents.generated import MODELS, ROOT, with_table
from tests.transform import dbt
from tests.transform.warehouse import DuckDB

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 6, 17, 12, tzinfo=timezone.utc)
QUESTIONS = sorted((ROOT / "transform" / "questions").glob("*.sql"))
ROWS = 5
"""How many rows of an answer are shown."""
TYPES = {"VARCHAR": "text", "DECIMAL": "number", "DOUBLE": "number", "BIGINT": "integer"}


def demo(folder: Path) -> DuckDB:
    """Load the demo organization and build the models, in an empty folder."""
    calendly = company.simulate(sync.DEMO_SEED, sync.DEMO_MEETINGS, NOW)
    database = DuckDB(folder)
    with Sandbox(calendly, clock=calendly.clock, requests_per_minute=100_000) as sandbox:
        database.load(singer.sync(sandbox))
    nodes = dbt.build("duckdb", database.environment, folder, calendly_now=NOW.isoformat())
    assert [one for one in nodes.values() if one.failed] == []
    return database


def with_models(text: str, database: DuckDB) -> str:
    """Return the text of docs/models.md with an up-to-date list and diagram of the models."""
    manifest = json.loads((database.folder / "target" / "manifest.json").read_text("utf-8"))
    _, columns = database.ask(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
    )
    types = {
        (table, column): TYPES.get(kind.partition("(")[0], kind.lower())
        for table, column, kind in columns
    }
    rows = [
        f"| `{one['name']}` | {one['description']} |" for one in diagrams.marts(manifest).values()
    ]
    text = with_table(
        text, "models", "\n".join(["| table | what a row is |", "| --- | --- |", *rows])
    )
    return with_table(text, "diagram", diagrams.of_models(manifest, types))


def with_answers(text: str, database: DuckDB) -> str:
    """Return the text of docs/models.md with an up-to-date answer to each question."""
    return with_table(text, "answers", "\n\n".join(_answer(file, database) for file in QUESTIONS))


def _answer(file: Path, database: DuckDB) -> str:
    """Return a question as a heading, the first rows of its answer, and a link to its file."""
    query = file.read_text("utf-8")
    number = int(file.stem.partition("_")[0])
    question = query.splitlines()[0].removeprefix("-- ")
    columns, rows = database.ask(query)
    table = _table(columns.split(", "), rows[:ROWS])
    rest = f"Rows left out: {len(rows) - ROWS}. " if len(rows) > ROWS else ""
    link = f"[Query](../{file.relative_to(ROOT).as_posix()})"
    return f"### {number}. {question}\n\n{table}\n\n{rest}{link}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    numeric = [
        any(isinstance(row[at], int | Decimal) for row in rows) for at in range(len(columns))
    ]
    lines = [columns, ["---:" if one else "---" for one in numeric]]
    lines += [[_cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value).replace("|", r"\|").replace("\n", "<br>")


def main() -> None:
    """Regenerate them."""
    with tempfile.TemporaryDirectory() as folder:
        database = demo(Path(folder))
        text = with_models(MODELS.read_text("utf-8"), database)
        MODELS.write_text(with_answers(text, database), "utf-8")


if __name__ == "__main__":
    main()
