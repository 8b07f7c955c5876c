"""What `make sync` prints once it has loaded everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

HERE = Path(__file__).parents[2]
SHOW = """
from datetime import datetime
from pathlib import Path
from sandbox.demo.sync import show
show(Path("calendly.duckdb"), datetime.fromisoformat("2026-03-04T09:30:00+00:00"))
"""
TABLES = """
    CREATE TABLE event_types (uri TEXT, name TEXT);
    CREATE TABLE scheduled_events (
        uri TEXT, name TEXT, event_type TEXT, status TEXT, start_time TIMESTAMP
    );
    CREATE TABLE event_invitees (event_uri TEXT, status TEXT, no_show JSON);
    INSERT INTO event_types VALUES ('type', 'Intro call');
    INSERT INTO scheduled_events VALUES
        ('an hour ago', 'Intro call', 'type', 'active', '2026-03-04 08:30:00'),
        ('last week', NULL, 'type', 'active', '2026-02-25 12:00:00'),
        ('in an hour', 'Intro call', 'type', 'active', '2026-03-04 10:30:00'),
        ('canceled', 'Intro call', 'type', 'canceled', '2026-03-03 10:30:00');
    INSERT INTO event_invitees VALUES
        ('an hour ago', 'active', NULL),
        ('last week', 'active', '{"uri": "mark"}'),
        ('in an hour', 'active', NULL),
        ('canceled', 'canceled', NULL);
"""


@pytest.mark.parametrize("timezone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_only_meetings_that_have_begun_count_as_held_in_every_time_zone(
    tmp_path: Path, timezone: str
) -> None:
    with duckdb.connect(str(tmp_path / "calendly.duckdb")) as database:
        database.execute(TABLES)

    shown = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", SHOW],
        cwd=tmp_path,
        env={**os.environ, "TZ": timezone, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines()]
    assert ["scheduled_events", "4"] in rows
    assert ["2026-03-02", "1", "1"] in rows
    assert ["2026-02-23", "1", "0"] in rows
    assert ["Intro call", "2", "1", "50.0"] in rows
    assert shown.splitlines()[-1].startswith("`make report` builds ")
