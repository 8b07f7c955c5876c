"""The settings as a JSON schema, as `--about` shows them."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.settings import AUTHORIZATION, RESOURCES

SCOPES = ("organization", "user", "group")

SETTINGS = th.PropertiesList(
    th.Property(
        "personal_access_token",
        th.StringType,
        secret=True,
        title="Personal access token",
        description="Created in Calendly under Integrations > API & webhooks.",
    ),
    th.Property(
        "oauth_credentials",
        th.ObjectType(
            th.Property(
                "client_id",
                th.StringType,
                secret=True,
                title="OAuth client ID",
                description="ID of your app at Calendly.",
            ),
            th.Property(
                "client_secret",
                th.StringType,
                secret=True,
                title="OAuth client secret",
                description="Secret of your app; native apps have none.",
            ),
            th.Property(
                "refresh_token",
                th.StringType,
                secret=True,
                title="OAuth refresh token",
                description="Obtained with `tap-calendly --authorize`.",
            ),
        ),
        title="OAuth credentials",
        description=(
            "Instead of a personal access token: `client_id`, `client_secret` (unless it is a "
            "native app) and `refresh_token`, as written by `tap-calendly --authorize`."
        ),
    ),
    th.Property(
        "oauth_store",
        th.StringType,
        title="OAuth store",
        description=(
            "Folder that keeps OAuth tokens between runs. Defaults to `tap-calendly` in "
            "`XDG_STATE_HOME`, or in `~/.local/state`."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "Leave out meetings that start before this date, and form submissions, log entries "
            "and messages created before it. ISO 8601, UTC unless it has an offset. Defaults to "
            "all history."
        ),
        examples=["2025-01-01T00:00:00Z"],
    ),
    th.Property(
        "scope",
        th.StringType,
        allowed_values=list(SCOPES),
        default="organization",
        title="Scope",
        description="Whose meetings to read: the organization's, one user's or one group's.",
    ),
    th.Property(
        "organization",
        th.StringType,
        title="Organization",
        description="URI or ID of the organization. Defaults to the token's own.",
    ),
    th.Property(
        "user",
        th.StringType,
        title="User",
        description="URI or ID of the user for `scope: user`. Defaults to the token's own.",
    ),
    th.Property(
        "group",
        th.StringType,
        title="Group",
        description="URI or ID of the group for `scope: group`.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=1, maximum=3650),
        default=7,
        title="Lookback",
        description=(
            "Days after a meeting's start during which every run reads it again, because no-show "
            "marks and some other changes do not update any timestamp. For form submissions, days "
            "after their creation."
        ),
    ),
    th.Property(
        "full_scan_interval_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=7,
        title="Full scan interval",
        description=(
            "Days between full scans, which list all meetings to find changes to older ones; "
            "0 for never."
        ),
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrent requests",
        description="Maximum number of concurrent requests.",
    ),
    th.Property(
        "requests_per_minute",
        th.IntegerType(minimum=1, maximum=100_000),
        title="Requests per minute",
        description=(
            "A limit of your own. Defaults to what Calendly's headers allow, less 5 % of the limit "
            "for the user's other integrations."
        ),
    ),
    th.Property(
        "on_unavailable",
        th.StringType,
        allowed_values=["skip", "fail"],
        default="skip",
        title="On unavailable",
        description=(
            "What to do when plan, role or token give no access to a stream: skip it with a "
            "warning, or fail once the other streams are done."
        ),
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=RESOURCES,
        title="API URL",
        description="Address of the API; change it only for a proxy or the sandbox.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default=AUTHORIZATION,
        title="Authorization URL",
        description="Address of the OAuth server; change it only for a proxy or the sandbox.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="`User-Agent` header of requests. Defaults to tap-calendly and its version.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds to wait for a complete response before retrying.",
    ),
    th.Property(
        "retry_timeout",
        th.IntegerType(minimum=1, maximum=86_400),
        default=300,
        title="Retry timeout",
        description=(
            "Seconds to keep retrying a request that fails, and all requests together while none "
            "is answered, before the stream fails."
        ),
    ),
)
