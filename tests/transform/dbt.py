"""Builds the models with dbt, as Meltano's plugin does, with all its files in a folder."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.documents.generated import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRANSFORM = ROOT / "transform"


class Node(NamedTuple):
    """What became of a model or a test.

    Attributes:
        status: ``success`` or ``pass`` if all is well.
        seconds: How long it took.
        message: What dbt says about it.
    """

    status: str
    seconds: float
    message: str | None

    @property
    def failed(self) -> bool:
        """Whether it is anything but well."""
        return self.status not in {"success", "pass"}


def program(adapter: str) -> Path:
    """Return the dbt that Meltano has installed for an adapter."""
    return ROOT / ".meltano" / "utilities" / f"dbt-{adapter}" / "venv" / "bin" / "dbt"


def build(
    adapter: str, environment: Mapping[str, str], folder: Path, **variables: str
) -> dict[str, Node]:
    """Build and test all models.

    Args:
        adapter: ``duckdb`` or ``postgres``.
        environment: Says where the database is.
        folder: For dbt's own files.
        **variables: The project's variables.

    Returns:
        What became of each node, by its unique id.
    """
    options: list[str | Path] = [
        *("--project-dir", TRANSFORM, "--profiles-dir", TRANSFORM),
        *("--target-path", folder / "target", "--log-path", folder / "logs"),
        *("--vars", json.dumps(variables)),
    ]
    result = subprocess.run(  # noqa: S603 - our own dbt
        [program(adapter), "--no-use-colors", "build", *options],
        env={**os.environ, **environment, "DBT_TARGET": adapter},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    results = folder / "target" / "run_results.json"
    assert results.exists(), result.stdout
    return {
        one["unique_id"]: Node(one["status"], one["execution_time"], one["message"])
        for one in json.loads(results.read_text("utf-8"))["results"]
    }
