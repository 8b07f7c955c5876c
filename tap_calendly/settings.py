"""The settings of a run, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from typing_extensions import override

from tap_calendly import timestamps

RESOURCES = "https://api.calendly.com"
"""What the URIs of Calendly's resources start with, whatever address the API is reached at."""

AUTHORIZATION = "https://auth.calendly.com"
"""Where apps get tokens."""


InviteeRechecks = Literal["every_run", "doubling"]
"""When the invitees of recent meetings, and of upcoming group meetings, are read again."""


class OAuthCredentials(msgspec.Struct, frozen=True):
    """An app registered with Calendly, and the refresh token it was first given."""

    client_id: str
    refresh_token: str
    client_secret: str | None = None  # native apps have none

    @override
    def __repr__(self) -> str:
        return f"OAuthCredentials({self.client_id!r})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, as `tap_calendly.singer.settings_schema` describes them.

    `start_date` is in UTC, and the URLs have no trailing slash. `unreachable_timeout` is
    set by `--test` alone: the seconds after which an unreachable host is given up.
    """

    personal_access_token: str | None = None
    oauth_credentials: OAuthCredentials | None = None
    oauth_store: str | None = None
    start_date: datetime | None = None
    scope: Literal["organization", "user", "group"]
    organization: str | None = None
    user: str | None = None
    group: str | None = None
    lookback_days: int
    full_scan_interval_days: int
    invitee_rechecks: InviteeRechecks
    inbox_url: str | None = None
    webhook_signing_key: str | None = None
    sweep_interval_hours: int
    max_concurrent_requests: int
    requests_per_minute: int | None = None
    on_unavailable: Literal["skip", "fail"]
    api_url: str
    auth_url: str
    user_agent: str
    request_timeout: int
    retry_timeout: int
    unreachable_timeout: int | None = None

    @override
    def __repr__(self) -> str:
        return "Settings()"  # some are secrets

    @classmethod
    def parse(cls, config: Mapping[str, Any], user_agent: str) -> Settings:
        """Read a checked configuration with its defaults; `user_agent` is one more default."""
        given = {"user_agent": user_agent, **_stripped(config)}
        given |= {url: given[url].rstrip("/") for url in ("api_url", "auth_url")}
        if "start_date" in given:
            given["start_date"] = timestamps.in_iso(timestamps.parse(given["start_date"]))
        return msgspec.convert(given, cls, strict=False)  # JSON Schema takes 7.0 for an integer

    @property
    def timeouts(self) -> tuple[int, int]:
        """Seconds to connect, and to get a complete response."""
        connect = self.unreachable_timeout or self.request_timeout
        return min(connect, self.request_timeout), self.request_timeout

    @property
    def lookback(self) -> timedelta:
        """How long after its start every run reads a meeting again."""
        return timedelta(days=self.lookback_days)

    @property
    def full_scan_interval(self) -> timedelta | None:
        """How long after a full scan the next one is due; None for never."""
        days = self.full_scan_interval_days
        return timedelta(days=days) if days else None

    @property
    def sweep_interval(self) -> timedelta:
        """How long after a sweep the next one is due, with an inbox that can be trusted."""
        return timedelta(hours=self.sweep_interval_hours)

    @property
    def signing_keys(self) -> list[str]:
        """The keys that sign deliveries; the first is the one to give to Calendly."""
        keys = (self.webhook_signing_key or "").split(",")
        return [key.strip() for key in keys if key.strip()]


def resource_uri(collection: str, value: str) -> str:
    """Return the URI of a resource, given it or its ID, as query parameters want it."""
    return f"{RESOURCES}/{collection}/{value.strip().rstrip('/').rsplit('/', 1)[-1]}"


def _stripped(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):  # the SDK's is not a dict
        return {name: _stripped(inner) for name, inner in value.items()}
    return (value.strip() or None) if isinstance(value, str) else value
