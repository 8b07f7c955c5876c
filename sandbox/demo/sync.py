"""The command behind `make sync`: load Calendly into a DuckDB file with Meltano, and show it.

Without a token it loads the demo organization, into a file and with a state of its own, so that
nothing mixes with real data.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from dotenv import dotenv_values

from sandbox.demo import company
from sandbox.http.server import Sandbox
from sandbox.organization.calendly import Calendly
from sandbox.organization.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

TOKEN = "TAP_CALENDLY_PERSONAL_ACCESS_TOKEN"  # noqa: S105 - the variable's name
OAUTH = "TAP_CALENDLY_OAUTH_CREDENTIALS_"
FILE = "TARGET_DUCKDB_FILEPATH"
DEMO_FILE = Path("output/demo.duckdb")
DEMO_MEETINGS = 600
DEMO_SEED = 1

ANSWERS = {
    "Meetings by week, the last eight": """
        SELECT date_trunc('week', start_time)::DATE AS week,
               count(*) FILTER (status = 'active') AS held,
               count(*) FILTER (status = 'canceled') AS canceled
        FROM scheduled_events
        WHERE start_time <= $now
        GROUP BY week
        ORDER BY week DESC
        LIMIT 8
    """,
    "No-shows by event type": """
        SELECT coalesce(t.name, e.name) AS event_type,
               count(*) AS past_bookings,
               count(i.no_show) AS no_shows,
               round(100.0 * count(i.no_show) / count(*), 1) AS percent
        FROM event_invitees AS i
        JOIN scheduled_events AS e ON e.uri = i.event_uri
        LEFT JOIN event_types AS t ON t.uri = e.event_type
        WHERE e.start_time <= $now AND i.status = 'active'
        GROUP BY ALL
        ORDER BY percent DESC, event_type
    """,
}
REPORT = (
    "`make report` builds models of these tables, and writes output/report.html: twelve charts."
)


def main() -> int:
    """Run the job and print what was loaded.

    Returns:
        The exit status: Meltano's when the run failed.
    """
    settings = _settings()
    file = _file(settings)
    with _source(demo=_is_demo(settings)) as environment:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Without the file, the state would count on rows that are gone.
        anew = [] if file.exists() else ["--full-refresh"]
        meltano = Path(sys.executable).with_name("meltano")
        run = subprocess.run(  # noqa: S603 - our own Meltano
            [meltano, "run", *anew, "tap-calendly", "target-duckdb"],
            env={**os.environ, **environment},
            check=False,
        )
    if run.returncode == 0:
        show(file, datetime.now(timezone.utc))
    return run.returncode


def loaded_file() -> Path:
    """Return the DuckDB file that is loaded: without a token, the demo organization's."""
    return _file(_settings())


def _settings() -> dict[str, str | None]:
    return {**dotenv_values(".env"), **os.environ}


def _is_demo(settings: Mapping[str, str | None]) -> bool:
    ways_in = (settings.get(name) or "" for name in (TOKEN, f"{OAUTH}REFRESH_TOKEN"))
    return not any(way.strip() for way in ways_in)


def _file(settings: Mapping[str, str | None]) -> Path:
    if _is_demo(settings):
        return DEMO_FILE
    return Path(settings.get(FILE) or "output/calendly.duckdb")


def _source(*, demo: bool) -> AbstractContextManager[dict[str, str]]:
    """Yield the environment that points Meltano to Calendly, or to the demo organization."""
    if not demo:
        return nullcontext({})
    _say(
        f"No token is set ({TOKEN}, in the environment or in .env):\n"
        "syncing the sandbox's demo organization, which is made up.\n"
    )
    return _Demo()


class _Demo:
    """Serves the demo organization during the run."""

    def __enter__(self) -> dict[str, str]:
        clock = SystemClock()
        calendly = Calendly(clock, seed=DEMO_SEED)
        company.populate(calendly, seed=DEMO_SEED, size=DEMO_MEETINGS, until=clock.now())
        # Far above Calendly's own limit, so that a demo does not have to wait.
        self._sandbox = Sandbox(calendly, clock=clock, requests_per_minute=60_000)
        self._sandbox.__enter__()
        return {
            TOKEN: self._sandbox.token,
            **{f"{OAUTH}{part}": "" for part in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")},
            # Settings in .env are about another organization.
            "TAP_CALENDLY_SCOPE": "organization",
            "TAP_CALENDLY_ORGANIZATION": calendly.organization["uri"],
            "TAP_CALENDLY_API_URL": self._sandbox.url,
            "MELTANO_ENVIRONMENT": "demo",
            FILE: str(DEMO_FILE),
        }

    def __exit__(self, *error: object) -> None:
        self._sandbox.__exit__(None, None, None)


def show(file: Path, now: datetime) -> None:
    """Print the tables' row counts, and answers to questions an analyst may have.

    Args:
        file: The DuckDB file.
        now: The time (aware) up to which meetings count as held.
    """
    # As the tables' columns are: a timestamp with an offset would be compared in local time.
    told = {"now": now.astimezone(timezone.utc).replace(tzinfo=None)}
    with duckdb.connect(str(file), read_only=True) as database:
        tables = [name for (name,) in database.sql("SHOW TABLES").fetchall()]
        counts = " UNION ALL ".join(
            f'SELECT \'{name}\' AS "table", count(*) AS rows FROM "{name}"'  # noqa: S608
            for name in tables
        )
        _say(f"\n{file}")
        database.sql(counts).show()
        for question, answer in ANSWERS.items():
            _say(question)
            database.sql(answer, params=told).show()
    _say(REPORT)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    sys.exit(main())
