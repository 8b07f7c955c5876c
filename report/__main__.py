"""``python -m report``: ask the questions, and write the answers to a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from report.database import UnreadableError, opened, read, source
from report.page import FACTS, Asked, page
from report.questions import GROUPS
from sandbox.command import Parser
from sandbox.demo.sync import DEMO_FILE, loaded_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report.answer import Question
    from report.database import Cursor

QUESTIONS = Path(__file__).parents[1] / "transform" / "questions"
SCHEMA = "calendly_analytics"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 1 if the database cannot be read or the page not be written."""
    options = _parser().parse_args(arguments)
    file = Path(options.output)
    database = str(loaded_file()) if options.database is None else options.database
    try:
        with opened(database) as cursor:
            of = source(database, cursor)
            html = _page(cursor, options.schema, of)
    except UnreadableError as error:
        return _fail(str(error))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, "utf-8")
    except OSError as error:
        return _fail(f"cannot write {file}: {error.strerror}")
    print(f"Wrote {file} from {of}")  # noqa: T201 - what the command is for
    return 0


def _page(cursor: Cursor, schema: str, of: str) -> str:
    (facts,) = read(cursor, _in_schema(schema, FACTS))
    if facts["latest_change_at"] is None:
        message = f"{of} holds no data of Calendly; load it first, into DuckDB with `make sync`"
        raise UnreadableError(message)
    groups = {
        heading: [_ask(cursor, schema, question) for question in questions]
        for heading, questions in GROUPS.items()
    }
    demo = ", the demo organization" if of == str(DEMO_FILE) else ""
    return page(facts, groups, f"{of}{demo}")


def _ask(cursor: Cursor, schema: str, question: Question) -> Asked:
    query = _in_schema(schema, (QUESTIONS / f"{question.file}.sql").read_text("utf-8"))
    return Asked(question, query, read(cursor, query))


def _in_schema(schema: str, query: str) -> str:
    if schema == SCHEMA:
        return query
    quoted = schema.replace('"', '""')
    return query.replace(f"{SCHEMA}.", f'"{quoted}".')


def _fail(message: str) -> int:
    sys.stderr.write(f"report: {message}\n")
    return 1


def _parser() -> Parser:
    parser = Parser(
        prog="report",
        description="Write a page that answers twelve questions about meetings and bookings.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--database",
        help="DuckDB file or postgresql:// URL; by default, the file that `make sync` loads",
    )
    add("--schema", default=SCHEMA, help="schema of the models (default: %(default)s)")
    add("--output", default="output/report.html", help="the page (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
