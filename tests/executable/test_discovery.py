"""What the tap reports without a token, and how a schema change shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_calendly.streams import STREAMS
from tests.command import run_tap
from tests.documents.generated import SNAPSHOTS, catalog_entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_NETWORK = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1"
)


@pytest.mark.parametrize("option", ["--discover", "--about", "--version", "--help"])
def test_these_options_need_no_configuration_and_no_network(tmp_path: Path, option: str) -> None:
    result = run_tap(tmp_path, option, environment=NO_NETWORK)

    assert result.returncode == 0
    assert "ERROR" not in result.stderr
    assert result.stdout


def test_the_help_says_what_test_mode_prints(tmp_path: Path) -> None:
    help_text = " ".join(run_tap(tmp_path, "--help").stdout.split())

    assert "Print which streams the token gives access to" in help_text


def test_the_catalog_lists_every_stream_with_its_key(tmp_path: Path) -> None:
    catalog = json.loads(run_tap(tmp_path, "--discover").stdout)

    assert {stream["tap_stream_id"] for stream in catalog["streams"]} == {
        stream.name for stream in STREAMS
    }
    assert {stream["tap_stream_id"]: stream["key_properties"] for stream in catalog["streams"]} == {
        stream.name: list(stream.primary_keys) for stream in STREAMS
    }


def test_about_names_every_setting_and_marks_the_secret(tmp_path: Path) -> None:
    about = json.loads(run_tap(tmp_path, "--about", "--format=json").stdout)

    assert about["settings"]["properties"]["personal_access_token"]["secret"] is True
    assert about["version"] == "0.1.0"


@pytest.mark.parametrize("stream", [stream.name for stream in STREAMS])
def test_a_schema_change_shows_in_review(stream: str) -> None:
    """After an intended change: `make docs`, then look at the diff."""
    snapshot = (SNAPSHOTS / f"{stream}.json").read_text(encoding="utf-8")

    assert json.loads(snapshot) == catalog_entries()[stream]


def test_every_property_has_a_type_and_a_description() -> None:
    for stream, entry in catalog_entries().items():
        for path, schema in _properties(entry["schema"], stream):
            assert schema.get("type"), path
            assert schema.get("description"), path


def test_everything_but_the_key_may_be_null() -> None:
    for stream, entry in catalog_entries().items():
        keys = {f"{stream}.{name}" for name in entry["key_properties"]}
        for path, schema in _properties(entry["schema"], stream):
            assert ("null" in schema["type"]) == (path not in keys), path


def _properties(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from _properties(inner, f"{path}.{name}")
        yield from _properties(inner.get("items", {}), f"{path}.{name}[]")
