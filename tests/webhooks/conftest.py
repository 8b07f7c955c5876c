"""Inboxes on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.webhooks.command import Command

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of a SQLite inbox that does not exist yet."""
    return f"sqlite:///{tmp_path / 'inbox.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def inbox_url(request: pytest.FixtureRequest, sqlite: str, postgres: str) -> str:
    """The URL of an inbox that does not exist yet, on either database."""
    return sqlite if request.param == "sqlite" else postgres


@pytest.fixture
def command(empty_sandbox: Sandbox, tmp_path: Path, sqlite: str) -> Command:
    """The command for an organization without subscriptions, and an inbox that does not exist."""
    return Command(empty_sandbox, tmp_path, sqlite)
