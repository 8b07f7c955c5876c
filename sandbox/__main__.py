"""``python -m sandbox``: serve the demo organization, to try the tap on."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sandbox.command import Parser
from sandbox.demo.company import populate
from sandbox.http.rate_limit import MODELS
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SystemClock
from sandbox.organization.members import PLANS

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM (exit status 0); return 1 if the port is taken."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: sys.exit(0))
    options = _parser().parse_args(arguments)
    clock = SystemClock()
    calendly = Calendly(clock, seed=options.seed, plan=options.plan)
    populate(calendly, seed=options.seed, size=options.size, until=clock.now())
    sandbox = Sandbox(
        calendly,
        port=options.port,
        latency=options.latency_ms / 1000,
        requests_per_minute=options.requests_per_minute,
        limit_model=options.limit_model,
    )
    with ExitStack() as serving:
        try:
            serving.enter_context(sandbox)
        except OSError as error:
            sys.stderr.write(f"sandbox: cannot serve on port {options.port}: {error.strerror}\n")
            return 1
        _tell(sandbox)
        threading.Event().wait()
    return 0


def _tell(sandbox: Sandbox) -> None:
    settings = {
        "TAP_CALENDLY_API_URL": sandbox.url,
        "TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": sandbox.token,
    }
    for line in (
        f"Calendly's API: {sandbox.url}",
        f"Token: {sandbox.token}",
        "For the tap: export " + " ".join(f"{name}={value}" for name, value in settings.items()),
    ):
        print(line, flush=True)  # noqa: T201 -- what the command is for


def _parser() -> Parser:
    parser = Parser(
        prog="sandbox",
        description="Serve a demo company with Calendly's API on loopback.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=_port, default=8000, help="port to listen on; 0 for any free port")
    add("--seed", type=int, default=1, help="which company to make up")
    add("--size", type=_positive, default=600, help="number of meetings, past and upcoming")
    add("--latency-ms", type=_milliseconds, default=0, help="time that each answer takes")
    add("--requests-per-minute", type=_positive, default=500, help="rate limit of each user")
    add("--limit-model", choices=MODELS, default="countdown", help="how the limit counts")
    add("--plan", choices=PLANS, default="teams", help="the company's plan")
    return parser


def _port(text: str) -> int:
    return _between(text, 0, MAX_PORT)


def _positive(text: str) -> int:
    return _between(text, 1, sys.maxsize)


def _milliseconds(text: str) -> int:
    return _between(text, 0, sys.maxsize)


def _between(text: str, lowest: int, highest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if not lowest <= number <= highest:
        limits = f"at least {lowest}" if highest == sys.maxsize else f"from {lowest} to {highest}"
        message = f"{text!r} is not a number {limits}"
        raise argparse.ArgumentTypeError(message)
    return number


if __name__ == "__main__":
    sys.exit(main())
