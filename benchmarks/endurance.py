"""An hour at the API's limit, with a fault in every hundredth request.

`make endurance` loads a company of 28,000 meetings from the sandbox, for which as for the tap time
passes twenty times as fast, and prints how the run went: requests, faults, memory on the way, and
how many rows differ from the company's at the end. It takes about four minutes.
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
SHARE = 0.01
"""Of the requests, that something goes wrong with."""

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
EVERY = 300
"""Seconds of the tap's time between two looks at its memory."""


def main() -> int:
    """Print how the run went; the exit status says whether every row was right."""
    clock = FastClock(SPEED)
    calendly = Calendly(clock, seed=1, plan="enterprise")
    company.populate(calendly, seed=1, size=MEETINGS, until=clock.now())
    with (
        Sandbox(calendly, requests_per_minute=LIMIT) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        for fault in FAULTS:
            sandbox.faults.add(replace(fault, share=SHARE / len(FAULTS)))
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(config(sandbox)))
        began = time.monotonic()
        run, memory, status = _endure(file)
        minutes = (time.monotonic() - began) * SPEED / 60
        answers = Counter(str(request.status) for request in sandbox.requests)
        tables, expected = run.tables(), truth(sandbox)

    wrong = {name: _differing(tables.get(name, {}), rows) for name, rows in expected.items()}
    total = sum(map(len, expected.values()))
    print(f"status {status}, {sum(answers.values()):,} requests in {minutes:.0f} simulated minutes")
    print(f"answers: {', '.join(f'{kind} {number:,}' for kind, number in answers.most_common())}")
    print(f"memory every {EVERY // 60} minutes (MB): {', '.join(f'{one:.0f}' for one in memory)}")
    print(f"rows wrong or missing: {sum(wrong.values())} of {total:,}")
    return 1 if status or sum(wrong.values()) else 0


def _endure(file: Path) -> tuple[Run, list[float], int]:
    """Run the tap; give its messages, its memory on the way (MB) and its status."""
    run, memory, ended = Run(), [], threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own tap
        (sys.executable, "-m", "benchmarks.fast", str(SPEED), "--config", str(file)),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
    ) as process:

        def look() -> None:
            while not ended.wait(EVERY / SPEED):
                shown = subprocess.check_output(  # noqa: S603 - of the process above
                    ("ps", "-o", "rss=", "-p", str(process.pid))  # noqa: S607 - wherever it is
                )
                memory.append(int(shown) / 1024)

        looking = threading.Thread(target=look)
        looking.start()
        assert process.stdout is not None  # noqa: S101 - piped
        run.messages.extend(json.loads(line) for line in process.stdout)
        ended.set()
        looking.join()
    return run, memory, process.returncode


def _differing(rows: dict[str, dict[str, object]], expected: dict[str, dict[str, object]]) -> int:
    return sum(rows.get(key) != expected.get(key) for key in rows.keys() | expected.keys())


if __name__ == "__main__":
    sys.exit(main())
