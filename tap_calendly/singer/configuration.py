"""Checks the configuration, and fills in the defaults."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, MutableMapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from jsonschema import ValidationError
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_calendly import timestamps
from tap_calendly.auth import methods, oauth, personal_access_token
from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.settings import AUTHORIZATION, RESOURCES
from tap_calendly.singer.settings_schema import SCOPES

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which the token may be sent unencrypted."""

MIN_KEY_LENGTH = 20
"""The smallest `flattening_max_key_length` that does not shorten the names of key columns."""

LOG_LEVEL_VARIABLES = ("TAP_CALENDLY_LOGLEVEL", "LOGLEVEL")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

SECRETS = frozenset({*methods.SETTINGS, "inbox_url", "webhook_signing_key"})
"""Settings that hold secrets."""

PASSWORD = re.compile(r"://[^:/?#\s]*:([^/?#\s]+)@")
"""The password in a URL."""

EXTRA = ("prometheus_client", "psycopg", "sqlalchemy", "starlette", "uvicorn")
"""The modules that the extra `webhooks` installs."""

BOOLEANS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})


def check(
    config: dict[str, Any],
    schema: dict[str, Any],
    logger: logging.Logger,
    *,
    needs_token: bool = True,
) -> None:
    """Fill in the defaults, and drop unknown settings; see `problems`.

    Raises:
        SettingsError: A setting cannot be used.
    """
    redaction.remember(*secrets(config))
    if found := problems(config, schema, needs_token=needs_token):
        raise errors.SettingsError(found)
    for name in unknown(config, schema):
        logger.warning("There is no setting `%s`: it is ignored.", name)
        config.pop(name, None)  # the SDK goes by some that a tap does not offer


def problems(
    config: dict[str, Any], schema: dict[str, Any], *, needs_token: bool = True
) -> list[str]:
    """Fill in the defaults, and return a sentence for each setting that cannot be used.

    No sentence repeats a value, as it may be a secret. `schema` includes the SDK's own settings.
    """
    _drop_unset(config)
    # `stream_maps` is checked later, against the streams.
    properties = {name: one for name, one in schema["properties"].items() if name != "stream_maps"}
    found: dict[str, str] = {}
    for error in JSONSchemaValidator({**schema, "properties": properties}).iter_errors(config):
        setting = ".".join(map(str, error.absolute_path))
        found.setdefault(setting, f"Setting `{setting}` {_requirement(error)}.")
    return (
        list(found.values())
        or list(_problems_beyond_schema(config, needs_token=needs_token))
        or list(_misplaced_secrets(config, schema))
    )


def secrets(config: Mapping[str, Any]) -> set[str]:
    """Collect the texts in the settings that hold secrets, whatever their shape."""
    found = methods.secrets(config)
    keys, url = config.get("webhook_signing_key"), config.get("inbox_url")
    found.update(key for text in redaction.texts(keys) for key in text.split(","))
    # The rest of the URL is no secret: it may hold words of any log line.
    found.update(unquote(word) for text in redaction.texts(url) for word in PASSWORD.findall(text))
    return found


def problems_with_file(content: object) -> list[str]:
    """Check that the content of a configuration file is an object."""
    return [] if isinstance(content, dict) else ["it must contain a JSON object of settings."]


def problems_in_environment(
    environ: MutableMapping[str, str], prefix: str, schema: Mapping[str, Any]
) -> list[str]:
    """Return a sentence for each variable that the SDK would fail to read; remove empty ones."""
    found = []
    for name, kind in schema["properties"].items():
        value, types = environ.get(variable := prefix + name.upper()), kind.get("type", ())
        if value is None:
            continue
        if not value.strip():
            del environ[variable]
        elif "integer" in types and not re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value):
            found.append(f"Environment variable `{variable}` must be an integer.")
        elif "object" in types and not _is_json_object(value):
            found.append(f"Environment variable `{variable}` must be a JSON object.")
        elif "boolean" in types and value.strip().lower() not in BOOLEANS:
            found.append(f"Environment variable `{variable}` must be true or false.")
    return found


def problem_with_log_level(environ: Mapping[str, str]) -> str | None:
    """Check the variables that the SDK reads before it can log an error; the first one counts."""
    variable = next((name for name in LOG_LEVEL_VARIABLES if environ.get(name)), None)
    if variable is None or environ[variable].upper() in LOG_LEVELS:
        return None
    return f"Environment variable `{variable}` must be one of {', '.join(LOG_LEVELS)}."


def log_level(environ: Mapping[str, str]) -> str:
    """Return the level to log at by the same variables."""
    given = (environ[name] for name in LOG_LEVEL_VARIABLES if environ.get(name))
    return next(given, "INFO").upper()


def has_extra() -> bool:
    """Whether the packages of the extra `webhooks` are installed."""
    return all(map(find_spec, EXTRA))


def unknown(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return the names of unknown settings, most often typos."""
    parts = set(config.get(oauth.SETTING) or ()) - set(oauth.PARTS)
    found = {*config} - {*schema["properties"]} | {f"{oauth.SETTING}.{part}" for part in parts}
    return sorted(map(redaction.hide_long_words, found))


def _drop_unset(config: dict[str, Any]) -> None:
    """Remove what is null or empty: in files and in the environment that means not set."""
    if isinstance(parts := config.get(oauth.SETTING), dict):
        config[oauth.SETTING] = {
            name: part for name, part in parts.items() if part not in (None, "")
        }
    for name in [name for name, value in config.items() if value in (None, "")]:
        del config[name]
    if config.get(oauth.SETTING) == {}:
        del config[oauth.SETTING]


def _problems_beyond_schema(config: Mapping[str, Any], *, needs_token: bool) -> Iterator[str]:
    """Check what a JSON schema cannot express, or would report with the value."""
    if needs_token:
        yield from methods.problems(config)
    yield from _problems_with_flattening(config)
    start_date = config.get("start_date")
    if start_date is not None and not timestamps.is_plausible(start_date):
        yield (
            "Setting `start_date` must be an ISO 8601 date or date-time after the year 1970, such "
            "as 2025-01-01T00:00:00Z."
        )
    for setting in SCOPES:
        value = config.get(setting)
        if value is not None and not re.fullmatch(
            rf"(https://[^/?#\s]+/{setting}s/)?[A-Za-z0-9_-]+/?", value.strip()
        ):
            yield f"Setting `{setting}` must be an ID or a URI such as {RESOURCES}/{setting}s/AAAA."
    if config.get("scope") == "group" and not config.get("group"):
        yield "Setting `group` is missing: `scope: group` needs the URI or ID of a group."
    for setting, default in (("api_url", RESOURCES), ("auth_url", AUTHORIZATION)):
        if (problem := _problem_with_url(config[setting].strip())) is not None:
            yield f"Setting `{setting}` {problem}: for example {default}."
    yield from _problems_with_inbox(config)
    if re.fullmatch(r"\s*|.*[\x00-\x1f].*", config.get("oauth_store") or "-", re.DOTALL):
        yield "Setting `oauth_store` must be the path of a folder."
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", config.get("user_agent") or "-"):
        yield "Setting `user_agent` must be printable ASCII without leading or trailing spaces."


def _problems_with_inbox(config: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[\x21-\x7e\s]+", config.get("webhook_signing_key") or "-"):
        yield messages.NOT_ONE_WORD.format(setting="webhook_signing_key")
    if (url := config.get("inbox_url")) is None:
        return
    if not has_extra():
        yield messages.EXTRA_MISSING.format(what="Setting `inbox_url`")
        return
    from tap_calendly.inbox.tables import url_of

    try:
        url_of(url)
    except ValueError:
        yield (
            "Setting `inbox_url` must be sqlite:/// with the path of a file, or a URL such as "
            "postgresql://user@host/database."
        )


def _problems_with_flattening(config: Mapping[str, Any]) -> Iterator[str]:
    if config.get("flattening_enabled") and config.get("flattening_max_depth", -1) < 0:
        yield "Setting `flattening_max_depth` must be at least 0."
    if config.get("flattening_max_key_length", MIN_KEY_LENGTH) < MIN_KEY_LENGTH:
        yield f"Setting `flattening_max_key_length` must be at least {MIN_KEY_LENGTH}."


def _misplaced_secrets(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Find secrets in other settings, which may be sent or logged."""
    stripped = (secret.strip() for secret in secrets(config))
    longer = [secret for secret in stripped if len(secret) >= redaction.PIECE]
    for name in sorted(schema["properties"].keys() & config.keys() - SECRETS):
        if any(secret in text for text in redaction.texts(config[name]) for secret in longer):
            yield (
                f"Setting `{name}` holds a secret, which belongs in "
                f"`{personal_access_token.SETTING}` or `{oauth.SETTING}`."
            )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _problem_with_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        prepared = requests.Request("GET", url).prepare()
        # The host as requests sees it: urlsplit takes `http://evil.example\[::1]` for the loopback.
        target = str(urllib3.util.parse_url(str(prepared.url)).host).strip("[]")
        (host or "").encode("idna")
    except (ValueError, requests.RequestException):
        return "must be a URL"
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", parts.netloc):
        return "must be a URL"
    if parts.query or parts.fragment or parts.username is not None:
        return "must be a URL of scheme, host and path only"
    if parts.scheme == "http" and target not in LOOPBACK:
        return "must start with https://, as the token is sent there"
    return None


def _requirement(error: ValidationError) -> str:
    bound: Any = error.validator_value
    allowed = bound if isinstance(bound, list) else [bound]
    words = ", ".join(str(one) for one in allowed if one not in (None, "null"))
    return {
        "type": f"must be of type {words}",
        "enum": f"must be one of {words}",
        "minimum": f"must be at least {words}",
        "maximum": f"must be at most {words}",
    }.get(str(error.validator), "must be as the Meltano SDK's documentation describes")
