"""``python -m report.dbt``: run dbt for the file that `make sync` loads.

Through Meltano, which has installed dbt in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sandbox.demo.sync import FILE, loaded_file


def main(arguments: list[str]) -> int:
    """Run dbt; say nothing unless it fails.

    Args:
        arguments: Those of dbt; without any, ``build``.

    Returns:
        dbt's exit status; 1 if nothing has been loaded.
    """
    file = loaded_file()
    if not file.exists():
        sys.stderr.write(f"There is no {file}: run `make sync` first.\n")
        return 1
    meltano = Path(sys.executable).with_name("meltano")
    run = subprocess.run(  # noqa: S603 - our own Meltano
        [meltano, "--log-level=warning", "invoke", "dbt-duckdb", *(arguments or ["build"])],
        env={**os.environ, FILE: str(file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.stderr.write(run.stdout)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
