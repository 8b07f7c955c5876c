"""An organization whose admin's credentials can lose access, and the warehouse that they fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from sandbox.http.faults import Fault
from tap_calendly.reporting.errors import StreamsError
from tests.singer import Run, Warehouse

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sandbox.http.server import Sandbox

SELECTED = {
    "activity_log_entries",
    "event_invitees",
    "event_types",
    "groups",
    "organization_memberships",
    "scheduled_events",
}
SCOPES = {
    "activity_log:read",
    "event_types:read",
    "groups:read",
    "organizations:read",
    "scheduled_events:read",
    "users:read",
}
PAUSE = pytest.approx(5)


@dataclass
class Site:
    """An organization, and a warehouse that an admin's credentials fill.

    Attributes:
        sandbox: Stands in for Calendly.
        credentials: Whether runs use a personal access `token`, or an `app` with OAuth.
        folder: A folder for the OAuth store.
    """

    sandbox: Sandbox
    credentials: str
    folder: Path
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with an empty warehouse and full access."""
        members = self.sandbox.calendly.memberships.values()
        self.admin = next(row for row in members if row["role"] == "admin")
        self.warehouse = Warehouse(self.sandbox)
        self.authorize()

    def authorize(self, scopes: Collection[str] = SCOPES) -> None:
        """Take credentials of the admin with these scopes."""
        user = self.admin["user"]["uri"]
        if self.credentials == "token":
            token = self.sandbox.access.issue(user, scopes)
            self.warehouse.settings |= {"personal_access_token": token}
        else:
            app = self.sandbox.oauth.register()
            credentials = {
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "refresh_token": self.sandbox.oauth.grant(app, user, scopes),
            }
            self.warehouse.settings |= {
                "personal_access_token": None,
                "oauth_credentials": credentials,
                "oauth_store": str(self.folder),
                "auth_url": self.sandbox.url,
            }

    def run(self, select: Collection[str] = SELECTED) -> Run:
        """Run the tap, and keep the lines that it fails with."""
        self.lines, run = [], Run()
        try:
            run = self.warehouse.run(select=select)
        except StreamsError as error:
            self.lines = error.lines
        return run

    def refuse(self, *paths: str, after: int = 0, times: int | None = 1) -> None:
        """Have requests answered with 403, so many times, or always if None."""
        for path in paths:
            self.sandbox.faults.add(Fault(path, status=403, after=after, times=times))
