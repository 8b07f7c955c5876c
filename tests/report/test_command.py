"""`python -m report` writes the page, or says in one line why it cannot."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from report.__main__ import main
from report.database import UnreadableError, opened, read
from sandbox.demo.sync import DEMO_FILE, FILE, OAUTH, TOKEN, loaded_file
from tests.report.parsed import parsed
from tests.report.tables import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def filled(file: Path, schema: str = "calendly_analytics") -> str:
    """Create a DuckDB file with the tables, and return its path."""
    with duckdb.connect(str(file)) as connection:
        for statement in statements(schema):
            connection.execute(statement)
    return str(file)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return filled(tmp_path / "models.duckdb")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "report.html"


def test_the_page_answers_all_questions_from_the_models(
    database: str, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(database).read_bytes()
    status = main(["--database", database, "--output", str(output)])
    page = parsed(output.read_text("utf-8"))

    assert status == 0
    assert capsys.readouterr().out == f"Wrote {output} from {database}\n"
    assert f"Source\n{database}\n" in page.header
    assert [bool(article.charts) for article in page.articles] == [True] * 12
    assert page.articles[2].title == "Most hours: Ana Lima, 0.5 in 1\N{NO-BREAK SPACE}meeting"
    assert "4 March 2026, 04:30 (America/New_York)" in page.header
    assert "4 March 2026, 01:15 (3\N{NO-BREAK SPACE}hours before)" in page.header
    assert all("\nselect\n" in article.text for article in page.articles)
    assert Path(database).read_bytes() == before


def test_the_models_can_be_in_another_schema(tmp_path: Path, output: Path) -> None:
    database = filled(tmp_path / "other.duckdb", '"Our ""models"')

    assert main(["--database", database, "--schema", 'Our "models', "--output", str(output)]) == 0
    text = output.read_text("utf-8")
    assert "calendly_analytics" not in text
    assert "from &quot;Our &quot;&quot;models&quot;.calendly__meetings" in text


def test_it_runs_as_a_module(database: str, output: Path) -> None:
    run = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "report", "--database", database, "--output", str(output)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (run.returncode, run.stdout, run.stderr) == (
        0,
        f"Wrote {output} from {database}\n",
        "",
    )


def test_a_missing_database_says_what_to_run_first(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calendly.duckdb"

    assert main(["--database", str(file), "--output", str(output)]) == 1
    assert capsys.readouterr().err == (
        f"report: there is no {file}; run `make sync` first, then `make report`\n"
    )
    assert not file.exists()
    assert not output.exists()


def test_missing_models_say_what_builds_them(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "raw.duckdb")
    duckdb.connect(file).close()

    assert main(["--database", file, "--output", str(output)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "calendly_analytics" in line
    assert line.endswith("; run `make report` or `dbt build`, which build the models")
    assert not output.exists()


def test_a_file_that_is_no_database_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database")

    assert main(["--database", str(file)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"report: cannot open {file}: ")


def test_a_database_that_refuses_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        port = unanswered.getsockname()[1]
        main(["--database", f"Postgres+asyncpg://ana@127.0.0.1:{port}/db"])

    assert capsys.readouterr().err == ("report: cannot connect to PostgreSQL: Connection refused\n")


@pytest.mark.parametrize(
    "database",
    [
        "mysql://ana:s3cret@localhost/db?x=y",
        "jdbc:postgresql://ana:s3cret@localhost/db",
        "ana:s3cret@localhost/db",
    ],
)
def test_another_kind_of_database_is_refused_without_the_password(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database", database]) == 1
    assert capsys.readouterr().err == (
        "report: --database is neither a DuckDB file nor a postgresql:// URL\n"
    )


def test_a_name_that_is_empty_or_too_long_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unset variable does not stand for the file that `make sync` loads."""
    for database in ("", "x" * 300):
        assert main(["--database", database, "--output", str(tmp_path / "report.html")]) == 1
    empty, long = capsys.readouterr().err.splitlines()
    assert empty == "report: --database is empty; name a DuckDB file or a postgresql:// URL"
    assert long == f"report: cannot open {'x' * 300}: File name too long"
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_calendly_is_refused_in_one_line(
    database: str, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(database) as connection:
        connection.execute(
            "update calendly_analytics.calendly__freshness set latest_change_at = null"
        )

    assert main(["--database", database, "--output", str(output)]) == 1
    assert capsys.readouterr().err == (
        f"report: {database} holds no data of Calendly; load it first, "
        "into DuckDB with `make sync`\n"
    )
    assert not output.exists()


def test_only_a_missing_model_is_said_to_need_building() -> None:
    class Cursor:
        description = None

        def __init__(self, error: Exception) -> None:
            self.error = error

        def execute(self, _: object) -> None:
            raise self.error

        def fetchall(self) -> list[tuple[object, ...]]:
            return []

    def message(error: Exception) -> str:
        with pytest.raises(UnreadableError) as raised:
            read(Cursor(error), "select 1")
        return str(raised.value)

    build = "run `dbt build`, which builds the models"
    assert message(psycopg.errors.UndefinedTable("no table")) == f"no table; {build}"
    assert message(psycopg.errors.UndefinedColumn("no column")) == f"no column; {build}"
    assert message(duckdb.BinderException("no column")).startswith("no column; run `make report`")
    assert message(duckdb.IOException("damaged")) == "damaged"
    assert message(psycopg.errors.QueryCanceled("too long")) == "too long"


def test_the_demo_organization_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (TOKEN, FILE, f"{OAUTH}REFRESH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "output").mkdir()
    filled(DEMO_FILE)

    assert main([]) == 0
    assert capsys.readouterr().out == "Wrote output/report.html from output/demo.duckdb\n"
    page = parsed(Path("output/report.html").read_text("utf-8"))
    assert "Source\noutput/demo.duckdb, the demo organization\n" in page.header


@pytest.mark.exhaustive
def test_a_database_that_another_process_writes_is_refused_in_one_line(database: str) -> None:
    holding = f"import duckdb; c = duckdb.connect({database!r}); print('held', flush=True); input()"
    with subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        run = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "report", "--database", database],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        holder.communicate("\n")

    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"report: cannot open {database}: ")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:s3cret@localhost:{port}/db",
        "postgresql://ana:s3 cret@localhost:{port}/db",
        "postgresql://ana:s3/cret@localhost:{port}/db",
        "postgresql://ana:s3@cret@localhost:{port}/db",
        "postgresql://localhost:{port}/db?s3cret",
        "POSTGRESQL://ana:s3cret@localhost:{port}/db",
        "postgres+psycopg2://ana:s3cret@localhost:{port}/db",
        "host=localhost port={port} password=s3cret",
        "host=localhost port={port} password='s3cret",
        'postgresql://ana:Se"s3%zzcr"et-cret@localhost:{port}/db',
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_the_password(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        status = main(["--database", url.format(port=unanswered.getsockname()[1])])

    (line,) = capsys.readouterr().err.splitlines()
    assert status == 1
    assert line.startswith("report: cannot connect to PostgreSQL: ")
    assert "s3" not in line
    assert "cret" not in line


def test_a_page_that_cannot_be_written_is_told_in_one_line(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database", database, "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"report: cannot write {tmp_path}: Is a directory\n"


@pytest.mark.parametrize(
    "source", ["database", pytest.param("postgres", marks=pytest.mark.exhaustive)]
)
def test_nothing_in_the_database_can_be_changed(
    source: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue(source)

    with opened(database) as cursor, pytest.raises(UnreadableError, match="read-only"):
        read(cursor, "create table mine (number integer)")


def test_an_unknown_option_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--databse", "x"])
    assert capsys.readouterr().err == "report: unrecognized arguments: --databse x\n"


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        ({}, "output/demo.duckdb"),
        ({FILE: "mine.duckdb"}, "output/demo.duckdb"),
        ({TOKEN: " "}, "output/demo.duckdb"),
        ({TOKEN: "secret"}, "output/calendly.duckdb"),
        ({TOKEN: "secret", FILE: "mine.duckdb"}, "mine.duckdb"),
        ({f"{OAUTH}REFRESH_TOKEN": "x"}, "output/calendly.duckdb"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_without_an_option_it_reads_the_file_that_make_sync_loads(
    variables: Mapping[str, str],
    file: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (TOKEN, FILE, f"{OAUTH}REFRESH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if place == "environment":
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    else:
        lines = (f'{name}="{value}"\n' for name, value in variables.items())
        (tmp_path / ".env").write_text("".join(lines))

    assert loaded_file() == Path(file)


@pytest.mark.exhaustive
def test_postgresql_gives_the_same_page_as_duckdb(
    database: str, postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Except for the name of the database, which says neither user nor password."""
    with psycopg.connect(postgres) as connection:
        for statement in statements():
            connection.execute(statement.encode())
    files = [tmp_path / "duckdb.html", tmp_path / "postgres.html"]
    for source, file in zip((database, postgres), files, strict=True):
        assert main(["--database", source, "--output", str(file)]) == 0

    names = [line.partition(" from ")[2] for line in capsys.readouterr().out.splitlines()]
    pages = [file.read_text("utf-8") for file in files]
    assert re.fullmatch(r"PostgreSQL database \w+ on [\w./-]+", names[1])
    assert pages[0].replace(names[0], names[1]) == pages[1]
