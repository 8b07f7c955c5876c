"""``python -m report.dbt``: run dbt for the file that `make sync` loads.

Through Meltano, which has installed dbt in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from sandbox.demo.sync import FILE, loaded_file


def main(arguments: list[str]) -> int:
    """Run dbt; say nothing unless it fails.

    Args:
        arguments: Those of dbt; without any, ``build``.

    Returns:
        0, or 1 if dbt failed or there is no file that it can write.
    """
    file = loaded_file()
    if not file.exists():
        return _fail(f"there is no {file}; run `make sync` first")
    try:
        duckdb.connect(str(file)).close()
    except duckdb.Error as error:
        return _fail(f"cannot open {file}: {str(error).strip().splitlines()[0]}")
    # Variables for another dbt project of the user must not lead there.
    own = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    meltano = Path(sys.executable).with_name("meltano")
    run = subprocess.run(  # noqa: S603 - our own Meltano
        [
            *(meltano, "--log-level=warning", "invoke", "dbt-duckdb"),
            *("--quiet", "--no-use-colors", *(arguments or ["build"])),
        ],
        env={**own, FILE: str(file.resolve())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.stderr.write(run.stdout)
        return _fail(
            "the models were not built; all that dbt said is in .meltano/dbt-duckdb/dbt.log"
        )
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"report: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
