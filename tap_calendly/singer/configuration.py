"""The settings: their schema, their defaults, and what is wrong with a given configuration."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_calendly import timestamps
from tap_calendly.auth import methods, oauth, personal_access_token
from tap_calendly.reporting import redaction
from tap_calendly.settings import AUTHORIZATION, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from jsonschema import ValidationError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which the token may go without encryption."""

SHORTEST = 20
"""The least bound of a column's name that leaves the keys as they are."""

SCOPES = ("organization", "user", "group")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

TRUTH = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})
"""What a switch can be in the environment."""

LONGEST_NAME = 40
"""Characters up to which an unknown setting is named; a longer one may be a misplaced secret."""

SETTINGS = th.PropertiesList(
    th.Property(
        "personal_access_token",
        th.StringType,
        secret=True,
        title="Personal access token",
        description="Made in Calendly under Integrations > API & webhooks.",
    ),
    th.Property(
        "oauth_credentials",
        th.ObjectType(
            th.Property(
                "client_id",
                th.StringType,
                secret=True,
                title="OAuth client id",
                description="The id of the app that is registered with Calendly.",
            ),
            th.Property(
                "client_secret",
                th.StringType,
                secret=True,
                title="OAuth client secret",
                description="The secret of that app; a native app has none.",
            ),
            th.Property(
                "refresh_token",
                th.StringType,
                secret=True,
                title="OAuth refresh token",
                description="Got by `tap-calendly --authorize`.",
            ),
        ),
        title="OAuth credentials",
        description=(
            "In place of the personal access token: `client_id`, `client_secret` (not for a native "
            "app) and `refresh_token` of an app, written by `tap-calendly --authorize`."
        ),
    ),
    th.Property(
        "oauth_store",
        th.StringType,
        title="OAuth store",
        description=(
            "The folder that keeps the tokens of OAuth from run to run. Without it: "
            "`tap-calendly` in `XDG_STATE_HOME`, or in `~/.local/state`."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "Meetings that start, and form submissions, log entries and messages that were made, "
            "before this moment are left out. ISO 8601, UTC unless it says otherwise. Without it: "
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
        description="Whose meetings are read: the organization's, one user's, or one group's.",
    ),
    th.Property(
        "organization",
        th.StringType,
        title="Organization",
        description="URI or id of the organization. Without it: the token's own.",
    ),
    th.Property(
        "user",
        th.StringType,
        title="User",
        description="URI or id of the user for `scope: user`. Without it: the token's own.",
    ),
    th.Property(
        "group",
        th.StringType,
        title="Group",
        description="URI or id of the group for `scope: group`.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=1, maximum=3650),
        default=7,
        title="Lookback",
        description=(
            "Days after its start for which a meeting is read in every run, as no-show marks and "
            "other changes move no timestamp; also for a form submission, after it was made."
        ),
    ),
    th.Property(
        "full_scan_interval_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=7,
        title="Full scan interval",
        description=(
            "Days after which all meetings are listed again, for changes of older ones; "
            "0 for never."
        ),
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrent requests",
        description="Requests that may be under way at once.",
    ),
    th.Property(
        "requests_per_minute",
        th.IntegerType(minimum=1, maximum=100_000),
        title="Requests per minute",
        description=(
            "A bound of your own. Without it: what Calendly's headers allow, less 5 % of the limit "
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
            "What becomes of a stream that the plan, the role or the token does not open: skip it "
            "with a warning, or fail once the other streams are done."
        ),
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=RESOURCES,
        title="API URL",
        description="Where the API is reached; another address only for a proxy or the sandbox.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default=AUTHORIZATION,
        title="Authorization URL",
        description="Where OAuth is reached; likewise.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="What requests call themselves. Without it: tap-calendly and its version.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds after which an answer that has not come whole is asked for again.",
    ),
    th.Property(
        "retry_timeout",
        th.IntegerType(minimum=1, maximum=86_400),
        default=300,
        title="Retry timeout",
        description=(
            "Seconds for which a request that fails is tried again, and all requests together "
            "while none is answered; then its stream fails."
        ),
    ),
)


def problems(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Fill in the defaults and find what cannot be used.

    Values are never repeated, as they may be secrets.

    Args:
        config: The configuration as given; defaults are written into it.
        schema: The JSON schema to hold it against: that of `SETTINGS` and what the SDK adds.

    Returns:
        One sentence for each problem, naming the setting and what is allowed.
    """
    for name in [name for name, value in config.items() if value is None or value == ""]:
        del config[name]  # what an empty environment variable or a null in a file means: not set
    if isinstance(parts := config.get(oauth.SETTING), dict):
        config[oauth.SETTING] = {
            name: part for name, part in parts.items() if part not in (None, "")
        }
        if not config[oauth.SETTING]:
            del config[oauth.SETTING]
    # Stream maps are checked with the streams at hand.
    kinds = {name: kind for name, kind in schema["properties"].items() if name != "stream_maps"}
    found: dict[str, str] = {}
    for error in JSONSchemaValidator({**schema, "properties": kinds}).iter_errors(config):
        setting = ".".join(map(str, error.absolute_path))
        found.setdefault(setting, f"Setting `{setting}` {_allowed(error)}.")
    return list(found.values()) or list(_beyond_schema(config)) or list(_astray(config, schema))


def problems_with_file(content: object) -> list[str]:
    """Find what makes a file no configuration at all.

    Args:
        content: What it holds.

    Returns:
        One sentence for each problem.
    """
    return [] if isinstance(content, dict) else ["it must hold a JSON object of settings."]


def problems_in_environment(
    environ: MutableMapping[str, str], prefix: str, schema: Mapping[str, Any]
) -> list[str]:
    """Find what the SDK would stumble over while it reads the environment.

    Args:
        environ: The environment variables; empty ones of settings are removed, as they set nothing.
        prefix: What the names of the settings' variables begin with.
        schema: The JSON schema of all settings.

    Returns:
        One sentence for each problem, naming the variable.
    """
    found = []
    for name, kind in schema["properties"].items():
        value = environ.get(variable := prefix + name.upper())
        if value is None:
            continue
        if not value.strip():
            del environ[variable]
        elif "integer" in kind.get("type", ()) and not re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
            found.append(f"Environment variable `{variable}` must be a whole number.")
        elif "object" in kind.get("type", ()) and not _is_json_object(value):
            found.append(f"Environment variable `{variable}` must be a JSON object.")
        elif "boolean" in kind.get("type", ()) and value.strip().lower() not in TRUTH:
            found.append(f"Environment variable `{variable}` must be true or false.")
    return found


def problem_with_log_level(environ: Mapping[str, str]) -> str | None:
    """Find what the SDK would stumble over before it can say anything.

    Args:
        environ: The environment variables.

    Returns:
        A sentence naming the variable; None where there is nothing wrong.
    """
    for variable in ("TAP_CALENDLY_LOGLEVEL", "LOGLEVEL"):
        if level := environ.get(variable):
            if level.upper() in LOG_LEVELS:
                return None
            return f"Environment variable `{variable}` must be one of {', '.join(LOG_LEVELS)}."
    return None


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Find names that are no setting, most often mistyped ones.

    Args:
        config: The configuration as given.
        schema: The JSON schema of all settings.

    Returns:
        The names, sorted.
    """
    found = set(config) - set(schema["properties"])
    found |= {
        f"{oauth.SETTING}.{part}"
        for part in set(config.get(oauth.SETTING) or ()) - set(oauth.PARTS)
    }
    return sorted(name if len(name) <= LONGEST_NAME else "…" for name in found)


def _beyond_schema(config: Mapping[str, Any]) -> Iterator[str]:
    """Check what JSON schema cannot say, or says by repeating the value."""
    yield from methods.problems(config)
    yield from _problems_with_flattening(config)
    if (start_date := config.get("start_date")) is not None and not timestamps.is_plausible(
        start_date
    ):
        yield (
            "Setting `start_date` must be a date or date-time in ISO 8601 after the year 1970, "
            "such as 2025-01-01T00:00:00Z."
        )
    for setting in SCOPES:
        value = config.get(setting)
        if value is not None and not re.fullmatch(
            rf"(https://[^/?#\s]+/{setting}s/)?[A-Za-z0-9_-]+/?", value.strip()
        ):
            yield f"Setting `{setting}` must be an id or a URI such as {RESOURCES}/{setting}s/AAAA."
    if config.get("scope") == "group" and not config.get("group"):
        yield "Setting `group` is missing: `scope: group` needs the URI or id of a group."
    for setting, usual in (("api_url", RESOURCES), ("auth_url", AUTHORIZATION)):
        if (problem := _problem_with_address(config.get(setting))) is not None:
            yield f"Setting `{setting}` {problem}, such as {usual}."
    if re.fullmatch(r"\s*|.*[\x00-\x1f].*", config.get("oauth_store") or "-", re.DOTALL):
        yield "Setting `oauth_store` must be the path of a folder."
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", config.get("user_agent") or "-"):
        yield "Setting `user_agent` must be printable ASCII, with no space at its ends."


def _problems_with_flattening(config: Mapping[str, Any]) -> Iterator[str]:
    if config.get("flattening_enabled") and config.get("flattening_max_depth", -1) < 0:
        yield "Setting `flattening_max_depth` must be a whole number of at least 0."
    if config.get("flattening_max_key_length", SHORTEST) < SHORTEST:
        yield f"Setting `flattening_max_key_length` must be a whole number of at least {SHORTEST}."


def _astray(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Find secrets in other settings, which are sent and shown."""
    secrets = [secret.strip() for secret in methods.secrets(config)]
    for name in sorted(schema["properties"].keys() & config.keys() - methods.SETTINGS):
        texts = list(redaction.texts(config[name]))
        if any(
            secret in text for secret in secrets if len(secret) >= redaction.PIECE for text in texts
        ):
            yield (
                f"Setting `{name}` holds a secret, which is to stand in "
                f"`{personal_access_token.SETTING}` or `{oauth.SETTING}`."
            )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _problem_with_address(value: str | None) -> str | None:
    try:
        parts = urlsplit((value or "").strip())
        host, _ = parts.hostname, parts.port
        prepared = requests.Request("GET", (value or "").strip()).prepare()
        # As requests are sent: in `http://evil.example\[::1]` another reader finds the loopback.
        asked = str(urllib3.util.parse_url(str(prepared.url)).host).strip("[]")
        (host or "").encode("idna")
    except (ValueError, requests.RequestException):
        return "must be a URL"
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", parts.netloc):
        return "must be a URL"
    if parts.query or parts.fragment or parts.username is not None:
        return "must be a URL of scheme, host and path alone"
    if parts.scheme == "http" and asked not in LOOPBACK:
        return "must begin with https://, as the token is sent there"
    return None


def _allowed(error: ValidationError) -> str:
    allowed = {
        "type": "must be of type {}",
        "enum": "must be one of {}",
        "minimum": "must be a whole number of at least {}",
        "maximum": "must be a whole number of at most {}",
    }.get(str(error.validator), "must be as the Meltano SDK's documentation says")
    bound: Any = error.validator_value
    choices = bound if isinstance(bound, list) else [bound]
    words = ", ".join(str(choice) for choice in choices if choice not in (None, "null"))
    return allowed.format(words)
