"""The settings of a run, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from typing_extensions import override

from tap_calendly import timestamps

RESOURCES = "https://api.calendly.com"
"""Where the URIs of Calendly's resources begin, whatever address the API is reached at."""

AUTHORIZATION = "https://auth.calendly.com"
"""Where apps get tokens."""


class OAuthCredentials(msgspec.Struct, frozen=True):
    """An app registered with Calendly, and the refresh token that it was first given.

    Attributes:
        client_secret: What a web app proves itself by; None for a native app.
    """

    client_id: str
    refresh_token: str
    client_secret: str | None = None

    @override
    def __repr__(self) -> str:
        return f"OAuthCredentials({self.client_id!r})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, as `docs` describe them.

    Attributes:
        start_date: UTC.
        api_url: Without a slash at its end, like `auth_url`.
        request_timeout: Seconds, like `retry_timeout`.
        patience: Seconds after which a host that cannot be reached is given up; no setting of the
            user's, but shorter where somebody is waiting (`--test`).
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
    max_concurrent_requests: int
    requests_per_minute: int | None = None
    on_unavailable: Literal["skip", "fail"]
    api_url: str
    auth_url: str
    user_agent: str
    request_timeout: int
    retry_timeout: int
    patience: int | None = None

    @override
    def __repr__(self) -> str:
        return "Settings()"  # some are secrets

    @classmethod
    def parse(cls, config: Mapping[str, Any], user_agent: str) -> Settings:
        """Read a configuration that was checked, with its defaults filled in.

        Args:
            config: The configuration.
            user_agent: What requests call themselves unless the configuration says.
        """
        given: dict[str, Any] = {name: _stripped(value) for name, value in config.items()}
        given.setdefault("user_agent", user_agent)
        for url in ("api_url", "auth_url"):
            given[url] = given[url].rstrip("/")
        if "start_date" in given:
            given["start_date"] = timestamps.in_iso(timestamps.parse(given["start_date"]))
        return msgspec.convert(given, cls, strict=False)  # JSON Schema takes 7.0 for an integer

    @property
    def timeouts(self) -> tuple[int, int]:
        """Seconds for a connection, and for a whole response."""
        patience = self.request_timeout if self.patience is None else self.patience
        return min(patience, self.request_timeout), self.request_timeout

    @property
    def lookback(self) -> timedelta:
        """How long after its start a meeting is read in every run."""
        return timedelta(days=self.lookback_days)

    @property
    def full_scan_interval(self) -> timedelta | None:
        """How long after a full scan the next one is due; None for never."""
        days = self.full_scan_interval_days
        return timedelta(days=days) if days else None


def resource_uri(collection: str, value: str) -> str:
    """Write a URI or a bare id as a URI, as Calendly's query parameters want it.

    Args:
        collection: The resource's collection, such as `organizations`.
        value: A URI of that collection, or the last segment of one.
    """
    return f"{RESOURCES}/{collection}/{value.strip().rstrip('/').rsplit('/', 1)[-1]}"


def _stripped(value: Any) -> Any:  # noqa: ANN401 - whatever a configuration holds
    if isinstance(value, dict):
        return {name: _stripped(inner) or None for name, inner in value.items()}
    return value.strip() if isinstance(value, str) else value
