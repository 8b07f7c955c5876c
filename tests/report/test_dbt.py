"""`make report` builds the models of what was loaded, or says in one line why it cannot."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from report import dbt
from sandbox.demo.sync import FILE, TOKEN

if TYPE_CHECKING:
    from pathlib import Path


def test_make_report_says_what_to_do_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And creates no empty database, as dbt would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(TOKEN, "a token")
    monkeypatch.delenv(FILE, raising=False)

    assert dbt.main([]) == 1
    said = "report: there is no output/calendly.duckdb; run `make sync` first\n"
    assert capsys.readouterr().err == said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database"])
def test_make_report_refuses_a_damaged_file_in_one_line(
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "own.duckdb"
    file.write_bytes(content)
    monkeypatch.setenv(TOKEN, "a token")
    monkeypatch.setenv(FILE, str(file))

    assert dbt.main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"report: cannot open {file}: ")
    assert "not a valid DuckDB database file" in line


def test_make_report_refuses_a_file_that_is_in_use_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = str(tmp_path / "own.duckdb")
    duckdb.connect(database).close()
    monkeypatch.setenv(TOKEN, "a token")
    monkeypatch.setenv(FILE, database)
    holding = f"import duckdb; held = duckdb.connect({database!r}); print(); input()"
    holder = subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        status = dbt.main([])
        holder.communicate(b"\n")

    assert status == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"report: cannot open {database}: ")
    assert "lock" in line
