"""How fast the tap is, compared with a plain tap, and at the API's limit.

`make benchmark` runs both taps as processes against the sandbox, which serves from this process,
and prints a table with each result, its target, and whether it was met. It takes about a quarter
of an hour. `python -m benchmarks.speed startup memory` measures only these two.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from sandbox.demo import company
from sandbox.http.rate_limit import MODELS
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
Command = tuple[str, ...]
TAP = (str(Path(sys.executable).with_name("tap-calendly")),)
PLAIN = (sys.executable, "-m", "benchmarks.plain")
EMPTY = (sys.executable, "-m", "benchmarks.empty")
BOTH = ("scheduled_events", "event_invitees")
TIMES = "x"
HEADROOM = 0.05
"""The fraction of the limit that is left to the user's other integrations."""

LAUNCHER = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stderr=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""
"""Runs a command, and prints its exit status, processor time and peak memory to standard error."""

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    "PYTHONPYCACHEPREFIX": str(ROOT / ".cache" / "bytecode"),
    "TAP_CALENDLY_LOGLEVEL": "WARNING",
    "PLAIN_LOGLEVEL": "WARNING",
}


@dataclass
class Measurement:
    """What a process took.

    Attributes:
        seconds: From start to end.
        cpu: Seconds of processor time.
        memory: Peak memory (MB).
        output: Bytes written.
    """

    seconds: float
    cpu: float
    memory: float
    output: int


@dataclass
class Bench:
    """A sandbox that taps run against.

    Attributes:
        sandbox: Stands in for Calendly.
        folder: Where configurations and catalogs are written.
        arrivals: When each request came in (seconds of a monotonic clock).
    """

    sandbox: Sandbox
    folder: Path
    arrivals: list[float] = field(default_factory=list)

    def run(self, tap: Command, streams: tuple[str, ...], **settings: object) -> Measurement:
        """Run a tap for these streams; the sandbox then holds the requests of this run only."""
        config = {
            "api_url": self.sandbox.url,
            "personal_access_token": self.sandbox.token,
            "organization": self.sandbox.calendly.organization["uri"],
            **settings,
        }
        command = (*tap, "--config", self._write("config.json", config))
        catalog = json.loads(
            subprocess.check_output(  # noqa: S603 - our own taps
                (*command, "--discover"), cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL
            )
        )
        for stream in catalog["streams"]:
            root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
        self.sandbox.forget_requests()
        self.arrivals.clear()
        return measure((*command, "--catalog", self._write("catalog.json", catalog)))

    @property
    def refusals(self) -> int:
        """The number of requests refused with 429."""
        statuses = [request.status for request in self.sandbox.requests]
        return statuses.count(HTTPStatus.TOO_MANY_REQUESTS)

    def _write(self, name: str, content: object) -> str:
        (self.folder / name).write_text(json.dumps(content))
        return str(self.folder / name)


def measure(command: Command) -> Measurement:
    """Run a command to its end, and discard its output.

    A small launcher starts it, as the peak memory of a process includes that of its parent when it
    was started.
    """
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own taps
        (sys.executable, "-c", LAUNCHER, *command),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - piped
        assert process.stderr is not None  # noqa: S101 - piped
        output = 0
        while chunk := os.read(process.stdout.fileno(), 1 << 20):
            output += len(chunk)
        seconds = time.monotonic() - began
        status, cpu, memory = map(float, process.stderr.read().split())
    if status:
        message = f"{' '.join(command)} exited with status {status:.0f}"
        raise SystemExit(message)
    return Measurement(
        seconds, cpu, memory / (1 << 20 if sys.platform == "darwin" else 1 << 10), output
    )


class FastClock(Clock):
    """The computer's clock, sped up."""

    def __init__(self, speed: int) -> None:
        """Start now."""
        self._speed = speed
        self._began = time.monotonic()
        self._from = datetime.now(timezone.utc)

    @override
    def now(self) -> datetime:
        return self._from + timedelta(seconds=(time.monotonic() - self._began) * self._speed)


@contextmanager
def bench(  # noqa: PLR0913 - options, by name
    events: int,
    *,
    latency: float = 0.0,
    limit: int = 1_000_000_000,
    window: int = 60,
    speed: int = 1,
    model: str = "countdown",
) -> Iterator[Bench]:
    """Serve a company with this many meetings."""
    clock = FastClock(speed)
    calendly = Calendly(clock, seed=1)
    company.populate(calendly, seed=1, size=events, until=clock.now())
    length = timedelta(seconds=window)
    sandbox = Sandbox(
        calendly, latency=latency, requests_per_minute=limit, window=length, limit_model=model
    )
    with tempfile.TemporaryDirectory() as folder, sandbox:
        served = Bench(sandbox, Path(folder))
        sandbox.interrupt(lambda: served.arrivals.append(time.monotonic()))
        yield served


@dataclass
class Figure:
    """A row of the table.

    Attributes:
        what: What was measured.
        plain: The plain tap's figure.
        ours: tap-calendly's figure.
        result: What is compared with the target.
        target: The target.
        unit: The unit of result and target.
        bound: Whether the target is a minimum or a maximum.
    """

    what: str
    plain: str
    ours: str
    result: float
    target: float
    unit: str
    bound: Literal["≥", "≤"] = "≥"

    @property
    def passed(self) -> bool:
        """Whether the target was met."""
        return self.result >= self.target if self.bound == "≥" else self.result <= self.target

    @override
    def __str__(self) -> str:
        """Return it as a row of a Markdown table."""
        result, target = f"{self.result:.3g} {self.unit}", f"{self.target:g} {self.unit}"
        passed = "yes" if self.passed else "**no**"
        cells = (self.what, self.plain, self.ours, result, f"{self.bound} {target}", passed)
        return f"| {' | '.join(cells)} |"


def startup() -> Iterator[Figure]:
    """Start without doing anything, several times in turn; the fastest counts."""
    for flag in ("--discover", "--about"):
        times = [(measure((*EMPTY, flag)).seconds, measure((*TAP, flag)).seconds) for _ in range(9)]
        empty, ours = map(min, zip(*times, strict=True))
        what = f"start with `{flag}`, beside a tap without streams"
        yield Figure(what, f"{empty:.2f} s", f"{ours:.2f} s", ours / empty, 1.15, TIMES, "≤")


def processor() -> Iterator[Figure]:
    """Write 40,000 meetings, and measure the processor time beyond startup."""
    cpu = {}
    for events in (400, 40_000):
        with bench(events) as served:
            for tap in (PLAIN, TAP):
                cpu[events, tap] = min(served.run(tap, BOTH[:1]).cpu for _ in range(2))
    plain, ours = (39_600 / (cpu[40_000, tap] - cpu[400, tap]) for tap in (PLAIN, TAP))
    what = "records per second of processor time, 40,000 meetings"
    yield Figure(what, f"{plain:,.0f}", f"{ours:,.0f}", ours / plain, 2, TIMES)


def size() -> Iterator[Figure]:
    """Write 4,000 meetings and their invitees."""
    with bench(4_000) as served:
        plain, ours = (served.run(tap, BOTH).output / 1e6 for tap in (PLAIN, TAP))
    what = "output, 4,000 meetings with invitees"
    yield Figure(what, f"{plain:,.0f} MB", f"{ours:.0f} MB", ours / plain, 0.1, TIMES, "≤")


def memory() -> Iterator[Figure]:
    """Load 2,000 meetings, and ten times as many."""
    peaks = {}
    for events in (2_000, 20_000):
        with bench(events) as served:
            peaks[events] = served.run(TAP, BOTH).memory
    what = "peak memory, 20,000 meetings with invitees, beside 2,000"
    ours = f"{peaks[20_000]:.0f} MB beside {peaks[2_000]:.0f} MB"
    yield Figure(what, "", ours, peaks[20_000] / peaks[2_000], 1.1, TIMES, "≤")


def request_limit() -> Iterator[Figure]:
    """Load under a request limit, and measure how much of it is used, however it is counted."""
    for model, (events, limit, window, speed) in product(
        MODELS, ((1_400, 120, 3, 1), (2_000, 500, 60, 10))
    ):
        tap = TAP if speed == 1 else (sys.executable, "-m", "benchmarks.fast", str(speed))
        with bench(
            events, latency=0.05, limit=limit, window=window, speed=speed, model=model
        ) as served:
            served.run(tap, BOTH)
        usable = limit - math.ceil(limit * HEADROOM)
        windows = (len(served.arrivals) - 1) // usable
        took = (served.arrivals[windows * usable] - served.arrivals[0]) * speed
        what = f"requests under a limit of {limit} in {window} s ({model}), {usable} for the tap"
        ours = f"{usable * windows / took * window:,.1f} in {window} s"
        target = 95 if model == "countdown" else 92
        yield Figure(what, "", ours, windows * window / took * 100, target, "%")
        refusals = served.refusals
        yield Figure("of these, refused with 429", "", str(refusals), refusals, 0, "", "≤")


def first_load() -> Iterator[Figure]:
    """Load 1,000 meetings from an API with a latency of 100 ms."""
    latency = 0.1
    with bench(1_000, latency=latency) as served:
        plain = served.run(PLAIN, BOTH).seconds
        for workers, target in ((8, 7), (16, 12)):
            ours = served.run(TAP, BOTH, max_concurrent_requests=workers).seconds
            what = f"first load, 1,000 meetings, 100 ms latency, {workers} concurrent requests"
            yield Figure(what, f"{plain:.1f} s", f"{ours:.1f} s", plain / ours, target, TIMES)
            took = served.arrivals[-1] - served.arrivals[0] + latency
            rate = len(served.arrivals) / took
            what = f"requests per second, of the {workers / latency:.0f} that the latency allows"
            share = rate * latency / workers * 100
            yield Figure(what, "", f"{rate:.1f}", share, 90, "%")


def main() -> int:
    """Print the table; the exit status is 0 if every target was met."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}\n")
    print("| what | plain tap | tap-calendly | result | target | passed |")
    print("| --- | ---: | ---: | ---: | ---: | --- |", flush=True)
    failed = 0
    chosen = sys.argv[1:] or list(PARTS)
    for part in chosen:
        for figure in PARTS[part]():
            print(figure, flush=True)
            failed += not figure.passed
    return 1 if failed else 0


PARTS = {
    part.__name__: part for part in (startup, processor, size, memory, request_limit, first_load)
}


if __name__ == "__main__":
    sys.exit(main())
