"""The programs of `make live`: the receiver, and the pipeline into DuckDB, as in production."""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
from typing_extensions import Self

from sandbox.demo.watch import Invitee, Meeting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from sandbox.demo.watch import Meetings
    from sandbox.http.server import Sandbox

BIN = Path(sys.executable).parent
LOADERS = Path(__file__).parents[2] / ".meltano" / "loaders"
TARGET = LOADERS / "target-duckdb" / "venv" / "bin" / "target-duckdb-all-rows"

STREAMS = ("scheduled_events", "event_invitees")

LOADED = """
    SELECT e.uri, e.status, strftime(e.updated_at, $1),
           i.uri, i.status, strftime(i.updated_at, $1), i.no_show->>'uri'
    FROM scheduled_events AS e JOIN event_invitees AS i ON i.event_uri = e.uri
    ORDER BY e.uri, i.uri
"""
TIMESTAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
RECEIVED = "SELECT count(*) FROM calendly_deliveries WHERE id IS NOT NULL"

RECEIVER = "receiver"


class FailedError(Exception):
    """A program failed; the text says which, and its last words."""


class Programs:
    """The programs, with all their files in one folder; none outlives the `with` block.

    Attributes:
        tables: What the last run that ended left in DuckDB.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, pause: Callable[[], None]) -> None:
        """Prepare everything; nothing is started yet. `pause` is called again and again to wait."""
        self._pause = pause
        self.tables: Meetings = {}
        self._folder = folder
        self._inbox = folder / "inbox.db"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # Settings of the user's own are about another organization.
        others = {name: value for name, value in os.environ.items() if "CALENDLY" not in name}
        self._environment = {
            **others,
            "TAP_CALENDLY_API_URL": sandbox.url,
            "TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": sandbox.token,
            "TAP_CALENDLY_ORGANIZATION": sandbox.calendly.organization["uri"],
            "TAP_CALENDLY_INBOX_URL": f"sqlite:///{self._inbox}",
            "TAP_CALENDLY_WEBHOOK_SIGNING_KEY": secrets.token_urlsafe(32),
            "TAP_CALENDLY_LOGLEVEL": "INFO",
        }

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what is still running."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()

    def begin(self) -> None:
        """Start the receiver, subscribe it, and prepare the pipeline.

        Raises:
            FailedError: One of the programs fails.
        """
        webhooks: list[str | Path] = [BIN / "calendly-webhooks", "--config", "ENV"]
        self._start(RECEIVER, [*webhooks, "serve", "--port", "0"])
        self._start("discovery", [BIN / "tap-calendly", "--discover"])
        url = self._receivers_url()
        self._start("subscribe", [*webhooks, "subscribe", "--callback-url", url])
        self._end("discovery")
        catalog = json.loads(self._output("discovery").read_bytes())
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in STREAMS
        self._write("catalog.json", catalog)
        self._write("target.json", {"filepath": "tables.duckdb", "default_target_schema": "main"})
        self._write("state.json", {})
        self._end("subscribe")

    @property
    def received(self) -> int:
        """The number of deliveries in the inbox."""
        with closing(sqlite3.connect(f"{self._inbox.as_uri()}?mode=ro", uri=True)) as inbox:
            ((number,),) = inbox.execute(RECEIVED)
        return int(number)

    def begin_run(self) -> None:
        """Start a run of the pipeline; the last one must have ended."""
        options = ["--config", "ENV", "--catalog", "catalog.json", "--state", "state.json"]
        messages = self._start("tap", [BIN / "tap-calendly", *options], piped=True)
        self._start("target", [TARGET, "--config", "target.json"], messages)
        if messages is not None:
            messages.close()  # the target alone reads them

    @property
    def is_loading(self) -> bool:
        """Whether a run of the pipeline has not ended."""
        return any(self._running[name].poll() is None for name in ("tap", "target"))

    def end_run(self) -> None:
        """Wait for the run of the pipeline, keep its state, and look into the tables.

        Raises:
            FailedError: It failed.
        """
        self._end("target")  # first: the tap fails where its reader does
        self._end("tap")
        states = self._output("target").read_text("utf-8").splitlines()
        if states:
            self._write("state.json", json.loads(states[-1]))
        with duckdb.connect(str(self._folder / "tables.duckdb"), read_only=True) as database:
            rows = database.execute(LOADED, [TIMESTAMP]).fetchall()
        self.tables = meetings_of(rows)

    def _start(
        self,
        name: str,
        command: list[str | Path],
        messages: IO[bytes] | None = None,
        *,
        piped: bool = False,
    ) -> IO[bytes] | None:
        """Start a program; return its output if it is piped. Ctrl-C does not reach it."""
        with self._output(name).open("wb") as output, self._log(name).open("wb") as log:
            process = self._running[name] = subprocess.Popen(  # noqa: S603 -- our own programs
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=messages or subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=log,
                start_new_session=True,
            )
        return process.stdout

    def _end(self, name: str) -> None:
        """Wait for a program."""
        while self._running[name].poll() is None:
            self._pause()
        if self._running[name].returncode != 0:
            raise self._failure(name)

    def _receivers_url(self) -> str:
        """Wait until the receiver says where it listens."""
        while self._running[RECEIVER].poll() is None:
            if found := re.search(r"http://\S+/", self._log(RECEIVER).read_text("utf-8")):
                return found[0]
            self._pause()
        raise self._failure(RECEIVER)

    def _failure(self, name: str) -> FailedError:
        said = self._log(name).read_text("utf-8").splitlines()
        return FailedError(f"{name} failed: {said[-1] if said else 'it said nothing'}")

    def _output(self, name: str) -> Path:
        return self._folder / f"{name}.out"

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _write(self, name: str, content: object) -> None:
        (self._folder / name).write_text(json.dumps(content), "utf-8")


def meetings_of(rows: Sequence[tuple[Any, ...]]) -> Meetings:
    """Return the meetings that rows of :data:`LOADED` tell of."""
    found: Meetings = {}
    for uri, status, updated_at, *invitee in rows:
        before = found[uri].invitees if uri in found else ()
        found[uri] = Meeting(status, updated_at, (*before, Invitee(*invitee)))
    return found
