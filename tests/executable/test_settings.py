"""An invalid configuration is refused in one line that names the setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_calendly import settings, timestamps
from tap_calendly.singer import configuration
from tap_calendly.singer.settings_schema import SETTINGS
from tests.command import complaints, run_here, run_tap
from tests.singer import catalog, config, sync

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.http.server import Sandbox

SECRET = "eyJhbGciOiJub25lIn0.c2VjcmV0.c2lnbmF0dXJl"  # noqa: S105 - made up

INVALID = {
    "no token": ({"personal_access_token": None}, "personal_access_token"),
    "empty token": ({"personal_access_token": "  "}, "personal_access_token"),
    "token of the wrong type": ({"personal_access_token": [SECRET]}, "personal_access_token"),
    "token with a space": (
        {"personal_access_token": f"{SECRET} {SECRET}"},
        "personal_access_token",
    ),
    "unparseable start_date": ({"start_date": "not a date"}, "start_date"),
    "start_date of the wrong type": ({"start_date": 20250101}, "start_date"),
    "start_date that is a time of day": ({"start_date": "10:30"}, "start_date"),
    "start_date that does not exist": ({"start_date": "2025-02-30"}, "start_date"),
    "start_date before year 1 UTC": ({"start_date": "0001-01-01T00:00:00+02:00"}, "start_date"),
    "start_date after year 9999 UTC": ({"start_date": "9999-12-31T23:59:59-05:00"}, "start_date"),
    "start_date relative to now": ({"start_date": "now"}, "start_date"),
    "negative lookback_days": ({"lookback_days": -1}, "lookback_days"),
    "lookback_days as a string": ({"lookback_days": "7"}, "lookback_days"),
    "fractional lookback_days": ({"lookback_days": 1.5}, "lookback_days"),
    "absurd lookback_days": ({"lookback_days": 10**9}, "lookback_days"),
    "negative request_timeout": ({"request_timeout": -60}, "request_timeout"),
    "zero request_timeout": ({"request_timeout": 0}, "request_timeout"),
    "unknown scope": ({"scope": "galaxy"}, "scope"),
    "group without a name": ({"scope": "group"}, "group"),
    "organization that is a user": (
        {"organization": "https://api.calendly.com/users/AAAA"},
        "organization",
    ),
    "malformed api_url": ({"api_url": "htp:/calendly"}, "api_url"),
    "api_url without a scheme": ({"api_url": "api.calendly.com"}, "api_url"),
    "api_url with a query": ({"api_url": "https://api.calendly.com?x=1"}, "api_url"),
    "api_url with a bad port": ({"api_url": "https://api.calendly.com:port"}, "api_url"),
    "api_url with an impossible host": ({"api_url": "https://a..b"}, "api_url"),
    "api_url without encryption": ({"api_url": "http://calendly.example"}, "api_url"),
    "api_url with two hosts": ({"api_url": "http://calendly.example\\[::1]"}, "api_url"),
    "stream_maps of the wrong shape": (
        {"stream_maps": {"event_types": 5}},
        "stream_maps.event_types",
    ),
    "a stream map that is not an expression": (
        {"stream_maps": {"event_types": {"name": "a b c"}}},
        "stream_maps.event_types.name",
    ),
    "two authentication methods": (
        {"oauth_credentials": {"client_id": "x", "refresh_token": "x"}},
        "oauth_credentials",
    ),
    "OAuth without an app": (
        {"personal_access_token": None, "oauth_credentials": {"refresh_token": SECRET}},
        "oauth_credentials.client_id",
    ),
    "OAuth without a refresh token": (
        {
            "personal_access_token": None,
            "oauth_credentials": {"client_id": "x", "client_secret": SECRET, "refresh_token": " "},
        },
        "oauth_credentials.refresh_token",
    ),
    "an OAuth secret with a space": (
        {
            "personal_access_token": None,
            "oauth_credentials": {
                "client_id": "x",
                "client_secret": f"{SECRET} {SECRET}",
                "refresh_token": "x",
            },
        },
        "oauth_credentials.client_secret",
    ),
    "an OAuth secret of the wrong type": (
        {
            "personal_access_token": None,
            "oauth_credentials": {
                "client_id": "x",
                "client_secret": "x",
                "refresh_token": [SECRET],
            },
        },
        "oauth_credentials.refresh_token",
    ),
    "OAuth credentials of the wrong type": (
        {"personal_access_token": None, "oauth_credentials": SECRET},
        "oauth_credentials",
    ),
    "blank oauth_store": ({"oauth_store": "  "}, "oauth_store"),
    "oauth_store that is not a path": ({"oauth_store": "a\x00b"}, "oauth_store"),
    "auth_url without encryption": ({"auth_url": "http://calendly.example"}, "auth_url"),
    "scope as a number": ({"scope": 5}, "scope"),
    "lookback_days as a boolean": ({"lookback_days": True}, "lookback_days"),
    "lookback_days as a list of null": ({"lookback_days": [None]}, "lookback_days"),
    "start_date in words": ({"start_date": "last Tuesday"}, "start_date"),
    "start_date before Calendly": ({"start_date": "0001-01-01"}, "start_date"),
    "start_date in the far future": ({"start_date": "9999-12-31"}, "start_date"),
    "mistyped invitee_rechecks": ({"invitee_rechecks": "daily"}, "invitee_rechecks"),
    "mistyped on_unavailable": ({"on_unavailable": "skipp"}, "on_unavailable"),
    "full_scan_interval_days as a string": (
        {"full_scan_interval_days": "weekly"},
        "full_scan_interval_days",
    ),
    "zero max_concurrent_requests": ({"max_concurrent_requests": 0}, "max_concurrent_requests"),
    "too many requests at once": ({"max_concurrent_requests": 1_000}, "max_concurrent_requests"),
    "zero requests_per_minute": ({"requests_per_minute": 0}, "requests_per_minute"),
    "user as a list": ({"user": ["AAAA"]}, "user"),
    "group with a path": ({"scope": "group", "group": "../AAAA"}, "group"),
    "api_url with a name and password": ({"api_url": f"https://me:{SECRET}@a.example"}, "api_url"),
    "api_url of another protocol": ({"api_url": "ftp://api.calendly.com"}, "api_url"),
    "api_url without a host": ({"api_url": "https:///path"}, "api_url"),
    "api_url with a fragment": ({"api_url": f"https://api.calendly.com#{SECRET}"}, "api_url"),
    "auth_url as a number": ({"auth_url": 443}, "auth_url"),
    "flattening without a depth": ({"flattening_enabled": True}, "flattening_max_depth"),
    "flattening_enabled as a string": ({"flattening_enabled": "yes"}, "flattening_enabled"),
    "flattening_max_depth as a string": (
        {"flattening_enabled": True, "flattening_max_depth": "1"},
        "flattening_max_depth",
    ),
    "negative flattening_max_depth": (
        {"flattening_enabled": True, "flattening_max_depth": -2},
        "flattening_max_depth",
    ),
    "one-letter column names": ({"flattening_max_key_length": 1}, "flattening_max_key_length"),
    "a separator that makes two names the same": (
        {"flattening_enabled": True, "flattening_max_depth": 2, "flattening_separator": "_"},
        "flattening_separator",
    ),
    "faker_config as a string": ({"faker_config": "de_DE"}, "faker_config"),
    "a locale that is a number": ({"faker_config": {"locale": 49}}, "faker_config.locale"),
    "stream_map_config as a list": ({"stream_map_config": []}, "stream_map_config"),
    "blank user_agent": ({"user_agent": "  "}, "user_agent"),
    "user_agent with a line break": ({"user_agent": "a\r\nX-Evil: b"}, "user_agent"),
}


@pytest.mark.parametrize(("given", "setting"), INVALID.values(), ids=INVALID)
def test_an_invalid_setting_ends_the_run_in_one_line_that_names_it(
    tmp_path: Path, given: dict[str, Any], setting: str
) -> None:
    result = run_here(tmp_path, config={"personal_access_token": SECRET, **given})

    assert result.returncode == 1
    (line,) = complaints(result)
    assert f"Setting `{setting}` " in line
    assert SECRET not in result.stderr
    assert result.stdout == ""


def test_a_missing_config_file_ends_the_run_in_one_line(tmp_path: Path) -> None:
    result = run_tap(tmp_path, "--config", "nowhere.json")

    assert result.returncode == 1
    (line,) = complaints(result)
    assert "nowhere.json given to --config" in line


def test_an_invalid_number_in_the_environment_ends_the_run_in_one_line(tmp_path: Path) -> None:
    result = run_tap(
        tmp_path,
        "--config",
        "ENV",
        environment={
            "TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": SECRET,
            "TAP_CALENDLY_LOOKBACK_DAYS": "a week",
        },
    )

    assert result.returncode == 1
    (line,) = complaints(result)
    assert "TAP_CALENDLY_LOOKBACK_DAYS" in line


def test_environment_variables_add_to_a_config_file(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps(catalog({"groups"})))
    token = {"TAP_CALENDLY_PERSONAL_ACCESS_TOKEN": sandbox.token}
    arguments = ("--config", "ENV", "--catalog", "catalog.json")

    result = run_tap(tmp_path, *arguments, config={"api_url": sandbox.url}, environment=token)

    assert result.returncode == 0
    assert '"RECORD"' in result.stdout


def test_every_problem_gets_its_own_line(tmp_path: Path) -> None:
    result = run_tap(
        tmp_path, config={"personal_access_token": SECRET, "scope": "x", "lookback_days": -1}
    )

    assert [line.split("`")[1] for line in complaints(result)] == ["scope", "lookback_days"]


def test_a_mistyped_setting_gets_a_warning(tmp_path: Path, sandbox: Sandbox) -> None:
    result = run_tap(tmp_path, config=config(sandbox, start_dat="2025-01-01"))

    assert result.returncode == 0
    (line,) = complaints(result)
    assert "There is no setting `start_dat`" in line


def test_a_mistyped_part_of_the_credentials_gets_a_warning() -> None:
    given = {"oauth_credentials": {"client_id": "x", "secret": SECRET}}

    assert configuration.unknown(given, SETTINGS.to_dict()) == ["oauth_credentials.secret"]


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_credentials_mean_not_set(empty: str | None) -> None:
    given: dict[str, Any] = {
        "personal_access_token": "x",
        "oauth_credentials": {"client_id": empty, "refresh_token": empty},
    }

    assert configuration.problems(given, SETTINGS.to_dict()) == []
    assert "oauth_credentials" not in given


@pytest.mark.parametrize("empty", [None, ""])
def test_null_and_empty_mean_not_set(empty: str | None) -> None:
    given: dict[str, Any] = {"personal_access_token": "x", "start_date": empty, "scope": empty}

    assert configuration.problems(given, SETTINGS.to_dict()) == []
    assert "start_date" not in given
    assert given["scope"] == "organization"


@pytest.mark.parametrize("setting", ["personal_access_token", "api_url", "organization", "user"])
def test_spaces_around_a_setting_are_ignored(sandbox: Sandbox, setting: str) -> None:
    calendly = sandbox.calendly
    own = {"organization": calendly.organization["uri"], "user": calendly.owner}
    given = config(sandbox, **own)

    sync(sandbox, **{**own, setting: f" {given[setting]}\n"}, select={"scheduled_events"})

    assert [request.status for request in sandbox.requests] == [200]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2025-01-01", "2025-01-01T00:00:00+00:00"),
        ("2025-01-01T12:00:00", "2025-01-01T12:00:00+00:00"),
        ("2025-01-01T12:00:00.5+02:00", "2025-01-01T10:00:00.500000+00:00"),
        ("2026-02-25T18:13:01.136075Z", "2026-02-25T18:13:01.136075+00:00"),
    ],
)
def test_start_date_is_utc_unless_it_says_otherwise(given: str, expected: str) -> None:
    assert timestamps.parse(given).isoformat() == expected


@pytest.mark.parametrize(
    "value",
    [
        "AAAA-bb",
        "https://api.calendly.com/users/AAAA-bb",
        "https://api.calendly.com/users/AAAA-bb/",
    ],
)
def test_a_bare_id_means_the_same_as_the_uri(value: str) -> None:
    given = {"personal_access_token": "x", "user": value}

    assert configuration.problems(given, SETTINGS.to_dict()) == []
    assert settings.resource_uri("users", value) == "https://api.calendly.com/users/AAAA-bb"
