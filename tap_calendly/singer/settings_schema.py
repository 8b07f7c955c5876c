"""The settings as a JSON schema, as `--about` shows them."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_calendly.settings import AUTHORIZATION, RESOURCES

SCOPES = ("organization", "user", "group")


def _string(name: str, title: str, description: str, **options: Any) -> th.Property[Any]:  # noqa: ANN401 - those of Property
    return th.Property(name, th.StringType, title=title, description=description, **options)


def _integer(
    name: str, title: str, description: str, *, within: tuple[int, int], default: int | None = None
) -> th.Property[Any]:
    kind = th.IntegerType(minimum=within[0], maximum=within[1])
    return th.Property(name, kind, title=title, description=description, default=default)


SETTINGS = th.PropertiesList(
    _string(
        "personal_access_token",
        "Personal access token",
        "Created in Calendly under Integrations > API & webhooks.",
        secret=True,
    ),
    th.Property(
        "oauth_credentials",
        th.ObjectType(
            _string("client_id", "OAuth client ID", "ID of your app at Calendly.", secret=True),
            _string(
                "client_secret",
                "OAuth client secret",
                "Secret of your app; native apps have none.",
                secret=True,
            ),
            _string(
                "refresh_token",
                "OAuth refresh token",
                "Obtained with `tap-calendly --authorize`.",
                secret=True,
            ),
        ),
        title="OAuth credentials",
        description="Instead of a personal access token: `client_id`, `client_secret` (unless it "
        "is a native app) and `refresh_token`, as written by `tap-calendly --authorize`.",
    ),
    _string(
        "oauth_store",
        "OAuth store",
        "Folder that keeps OAuth tokens between runs. Defaults to `tap-calendly` in "
        "`XDG_STATE_HOME`, or in `~/.local/state`.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Leave out meetings that start before this date, and form submissions, log "
        "entries and messages created before it. ISO 8601, UTC unless it has an offset. Defaults "
        "to all history.",
        examples=["2025-01-01T00:00:00Z"],
    ),
    _string(
        "scope",
        "Scope",
        "Whose meetings to read: the organization's, one user's or one group's.",
        allowed_values=list(SCOPES),
        default="organization",
    ),
    _string(
        "organization",
        "Organization",
        "URI or ID of the organization. Defaults to the token's own.",
    ),
    _string(
        "user", "User", "URI or ID of the user for `scope: user`. Defaults to the token's own."
    ),
    _string("group", "Group", "URI or ID of the group for `scope: group`."),
    _integer(
        "lookback_days",
        "Lookback",
        "Days after a meeting's start during which every run reads it again, because no-show marks "
        "and some other changes do not update any timestamp. For form submissions, days after "
        "their creation.",
        within=(1, 3650),
        default=7,
    ),
    _integer(
        "full_scan_interval_days",
        "Full scan interval",
        "Days between full scans, which list all meetings to find changes to older ones; 0 for "
        "never.",
        within=(0, 3650),
        default=7,
    ),
    _string(
        "invitee_rechecks",
        "Invitee rechecks",
        "When to read again the invitees of meetings that started at most `lookback_days` ago, and "
        "of upcoming group meetings: in every run, or each time the meeting's age, or the time "
        "since its last change, has doubled. That makes hourly schedules cheap.",
        allowed_values=["every_run", "doubling"],
        default="every_run",
    ),
    _string(
        "inbox_url",
        "Inbox URL",
        "SQLAlchemy URL of the [inbox](docs/webhooks.md) that `calendly-webhooks` fills: "
        "`sqlite:///` with the path of a file, or `postgresql://`. Defaults to no inbox.",
        secret=True,
    ),
    _string(
        "webhook_signing_key",
        "Webhook signing key",
        "Key that signs webhook deliveries, for `calendly-webhooks`. Several, separated by commas, "
        "while it is being changed; the first is given to Calendly.",
        secret=True,
    ),
    _integer(
        "sweep_interval_hours",
        "Sweep interval",
        "Hours between sweeps as long as the inbox can be trusted to tell what changed; 0 to sweep "
        "in every run.",
        within=(0, 8760),
        default=24,
    ),
    _integer(
        "max_concurrent_requests",
        "Concurrent requests",
        "Maximum number of concurrent requests.",
        within=(1, 64),
        default=8,
    ),
    _integer(
        "requests_per_minute",
        "Requests per minute",
        "A limit of your own. Defaults to what Calendly's headers allow, less 5 % of the limit for "
        "the user's other integrations.",
        within=(1, 100_000),
    ),
    _string(
        "on_unavailable",
        "On unavailable",
        "What to do when plan, role or token never gave access to a stream: skip it with a "
        "warning, or fail once the other streams are done. A refusal of meetings, of invitees, or "
        "of a stream that was loaded before always fails the run.",
        allowed_values=["skip", "fail"],
        default="skip",
    ),
    _string(
        "api_url",
        "API URL",
        "Address of the API; change it only for a proxy or the sandbox.",
        default=RESOURCES,
    ),
    _string(
        "auth_url",
        "Authorization URL",
        "Address of the OAuth server; change it only for a proxy or the sandbox.",
        default=AUTHORIZATION,
    ),
    _string(
        "user_agent",
        "User agent",
        "`User-Agent` header of requests. Defaults to tap-calendly and its version.",
    ),
    _integer(
        "request_timeout",
        "Request timeout",
        "Seconds to wait for a complete response before retrying.",
        within=(1, 3600),
        default=60,
    ),
    _integer(
        "retry_timeout",
        "Retry timeout",
        "Seconds to keep retrying a request that fails, and all requests together while none is "
        "answered, before the stream fails.",
        within=(1, 86_400),
        default=300,
    ),
)
