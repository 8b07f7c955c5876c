"""`python -m sandbox` serves a demo company until it is told to end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.cases import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "sandbox"]
HERE = Path(__file__).parents[2]


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The running command and the three lines it begins with."""
    with subprocess.Popen(  # noqa: S603 -- the command is this project's own
        [*COMMAND, *options], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline().rstrip("\n") for _ in range(3)]
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_how_to_reach_it_and_ends_cleanly(end: signal.Signals) -> None:
    with started("--port", "0", "--size", "30", "--plan", "standard") as (process, lines):
        url, token = (line.rpartition(" ")[2] for line in lines[:2])
        headers = {"Authorization": f"Bearer {token}"}
        me = requests.get(f"{url}/users/me", headers=headers, timeout=10).json()["resource"]
        organization = {"organization": me["current_organization"], "count": "100"}
        events = requests.get(
            f"{url}/scheduled_events", organization, headers=headers, timeout=10
        ).json()
        forms = requests.get(f"{url}/routing_forms", organization, headers=headers, timeout=10)
        process.send_signal(end)
        rest, errors = process.communicate(timeout=10)

    assert events["pagination"]["count"] == 30
    assert forms.status_code == 403
    assert f"TAP_CALENDLY_API_URL={url}" in lines[2]
    assert f"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN={token}" in lines[2]
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize(
    "options",
    cases(
        [
            ["--port", "70000"],
            ["--port", "-1"],
            ["--size", "0"],
            ["--size", "many"],
            ["--latency-ms", "-1"],
            ["--requests-per-minute", "0"],
            ["--plan", "gold"],
            ["--seed", "x"],
            ["--nonsense"],
        ],
        quick=[["--port", "70000"], ["--nonsense"]],
    ),
)
def test_a_bad_option_is_refused_in_one_line(options: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 -- the command is this project's own
        [*COMMAND, *options], cwd=HERE, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert options[0] in done.stderr


def test_a_taken_port_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(  # noqa: S603 -- the command is this project's own
            [*COMMAND, "--port", port, "--size", "1"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert port in done.stderr
