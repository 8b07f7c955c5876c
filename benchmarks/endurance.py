"""An hour at the API's limit, with a fault in one of every hundred requests.

`make endurance` loads a company with 28,000 meetings from the sandbox; time passes twenty times as
fast for both the tap and the sandbox. It prints how the run went: requests, faults, memory usage,
and how many rows differ from the company's at the end. It takes about four minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.speed import ENVIRONMENT, ROOT, FastClock
from sandbox.demo import company
from sandbox.http.faults import Fault
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from tests.singer import Run, config, truth

MEETINGS = 28_000
SPEED = 20
LIMIT = 500
FAULT_RATE = 0.01
"""The fraction of requests in which something goes wrong."""

FAULTS = (
    Fault("*", status=408, times=None),
    Fault("*", status=429, headers={"X-RateLimit-Remaining": "0"}, times=None),
    Fault("*", status=500, times=None),
    Fault("*", status=502, body="<html>Bad Gateway</html>", times=None),
    Fault("*", status=503, headers={"Retry-After": "7"}, times=None),
    Fault("*", reset=True, times=None),
    Fault("*", truncate=0, reset=True, times=None),
    Fault("*", truncate=20, times=None),
    Fault("*", status=200, body="", times=None),
    Fault("*", status=200, body="<html>Welcome to our network</html>", times=None),
)
MEMORY_INTERVAL = 300
"""Simulated seconds between two samples of the tap's memory."""


def main() -> int:
    """Print how the run went; the exit status is 0 if every row is right."""
    clock = FastClock(SPEED)
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=MEETINGS, until=clock.now())
    with (
        Sandbox(calendly, requests_per_minute=LIMIT) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        for fault in FAULTS:
            sandbox.faults.add(replace(fault, share=FAULT_RATE / len(FAULTS)))
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(config(sandbox)))
        began = time.monotonic()
        run, memory, status = _run(file)
        minutes = (time.monotonic() - began) * SPEED / 60
        outcomes = Counter(str(request.status) for request in sandbox.requests)
        tables, expected = run.tables(), truth(sandbox)

    wrong_rows = {name: _differences(tables.get(name, {}), rows) for name, rows in expected.items()}
    total = sum(map(len, expected.values()))
    print(f"exit status {status}")
    print(f"{sum(outcomes.values()):,} requests in {minutes:.0f} simulated minutes")
    print(f"responses: {', '.join(f'{kind} {n:,}' for kind, n in outcomes.most_common())}")
    sizes = ", ".join(f"{size:.0f}" for size in memory)
    print(f"memory every {MEMORY_INTERVAL // 60} minutes (MB): {sizes}")
    print(f"wrong or missing rows: {sum(wrong_rows.values())} of {total:,}")
    return 1 if status or sum(wrong_rows.values()) else 0


def _run(file: Path) -> tuple[Run, list[float], int]:
    """Run the tap, and return its messages, samples of its memory (MB) and its exit status."""
    run, memory, ended = Run(), [], threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own tap
        (sys.executable, "-m", "benchmarks.fast", str(SPEED), "--config", str(file)),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
    ) as process:

        def sample() -> None:
            while not ended.wait(MEMORY_INTERVAL / SPEED):
                output = subprocess.check_output(  # noqa: S603 - of the process above
                    ("ps", "-o", "rss=", "-p", str(process.pid))  # noqa: S607 - wherever it is
                )
                memory.append(int(output) / 1024)

        sampler = threading.Thread(target=sample)
        sampler.start()
        assert process.stdout is not None  # noqa: S101 - piped
        run.messages.extend(json.loads(line) for line in process.stdout)
        ended.set()
        sampler.join()
    return run, memory, process.returncode


def _differences(rows: dict[str, dict[str, object]], expected: dict[str, dict[str, object]]) -> int:
    return sum(rows.get(key) != expected.get(key) for key in rows.keys() | expected.keys())


if __name__ == "__main__":
    sys.exit(main())
