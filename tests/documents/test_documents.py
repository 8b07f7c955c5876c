"""README.md, docs/, meltano.yml and the sample configuration match the code."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from meltano.core.plugin.singer.catalog import (
    MetadataExecutor,
    select_filter_metadata_rules,
    select_metadata_rules,
)

from tap_calendly.singer import configuration, settings_schema
from tap_calendly.streams import STREAMS
from tap_calendly.tap import TapCalendly
from tests.documents import hub
from tests.documents.generated import DOCS, README, ROOT, catalog_entries, tables, with_tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

SETTINGS = settings_schema.SETTINGS.to_dict()
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")))
MESSAGE_TABLE = "| message | meaning |\n| --- | --- |\n"


@pytest.mark.parametrize("file", tables(), ids=lambda file: file.stem)
def test_the_tables_in_the_docs_match_the_code(file: Path) -> None:
    """After an intended change: `make docs`."""
    assert file.read_text(encoding="utf-8") == with_tables(file)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_every_link_between_documents_works(file: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", file.read_text(encoding="utf-8"))

    for link in links:
        path, _, anchor = link.partition("#")
        target = (file.parent / path) if path else file
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("file", [README, DOCS / "troubleshooting.md"], ids=lambda file: file.stem)
def test_the_tap_prints_every_message_that_the_docs_explain(file: Path) -> None:
    printed = "\n".join(_strings_in_the_code())
    explained = [
        message
        for table in file.read_text(encoding="utf-8").split(MESSAGE_TABLE)[1:]
        for row in table.split("\n\n")[0].splitlines()
        for message in re.findall(r"(?<!`)(`+)(?!`)(.+?)\1", row.split(" | ")[0])
    ]

    assert len(explained) >= 10
    for _, message in explained:
        # What the tap fills in is shown as "…", a number, an option, or in parentheses.
        for part in re.split(r"[…\d()]+|--\w+", message):
            assert part.strip() in printed, message


def test_the_readme_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_oauth_credentials_in_the_docs_are_valid() -> None:
    text = (DOCS / "oauth.md").read_text(encoding="utf-8")
    shown = json.loads(text.split("```json\n")[1].split("```")[0])

    assert configuration.problems(dict(shown), SETTINGS) == []
    assert configuration.unknown(shown, SETTINGS) == []


def test_each_guarantee_in_the_docs_has_its_test() -> None:
    text = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    table = next(block for block in text.split("\n\n") if block.startswith("| "))
    rows = table.splitlines()[2:]
    files = (ROOT / "tests" / "runs").glob("test_*.py")
    tests = "".join(path.read_text(encoding="utf-8") for path in files)

    assert len(rows) > 10
    for row in rows:
        (name,) = re.findall(r"`(test_\w+)`", row)
        assert f"def {name}(" in tests, name


def test_the_plugin_in_the_readme_can_be_pasted_into_meltano() -> None:
    snippet = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (pasted,) = yaml.safe_load(snippet)["plugins"]["extractors"]
    extractor = _extractor()

    assert pasted.pop("pip_url") == TapCalendly.package_name
    for key in ("name", "namespace", "executable", "capabilities"):
        assert pasted[key] == extractor[key]
    offered = {setting["name"]: setting for setting in extractor["settings"]}
    for setting in pasted["settings"]:
        assert setting.items() <= offered[setting["name"]].items()


def test_the_example_env_file_names_only_settings() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    names = {line.strip("# ").split("=")[0] for line in lines if "=" in line}
    plugins = [plugin for kind in _project()["plugins"].values() for plugin in kind]
    known = {
        re.sub(r"[-.]", "_", f"{plugin['name']}_{setting['name']}").upper()
        for plugin in plugins
        for setting in plugin.get("settings", ())
    }

    assert names
    assert names <= known


def test_the_sample_configuration_names_every_setting_and_is_valid() -> None:
    sample = json.loads((ROOT / "sample_config.json").read_text(encoding="utf-8"))

    # It shows one way to authenticate; docs/oauth.md shows the other.
    assert list(sample) == [name for name in SETTINGS["properties"] if name != "oauth_credentials"]
    assert configuration.problems(dict(sample), SETTINGS) == []
    for name, value in sample.items():
        assert value == SETTINGS["properties"][name].get("default", value), name


def test_meltano_offers_every_setting_as_the_code_defines_it() -> None:
    offered = {setting["name"]: setting for setting in _extractor()["settings"]}

    assert offered == {setting["name"]: setting for setting in hub.settings(SETTINGS)}


def test_meltano_knows_the_taps_capabilities() -> None:
    capabilities = {capability.value for capability in TapCalendly.capabilities}

    assert set(_extractor()["capabilities"]) == capabilities


def test_meltano_neither_asks_the_hub_nor_reports_usage() -> None:
    project = _project()

    assert project["send_anonymous_usage_stats"] is False
    for plugins in project["plugins"].values():
        for plugin in (one for one in plugins if "inherit_from" not in one):
            assert {"namespace", "pip_url", "executable"} <= set(plugin), plugin["name"]


def test_secrets_are_marked_in_meltano() -> None:
    for plugins in _project()["plugins"].values():
        for setting in (one for plugin in plugins for one in plugin.get("settings", ())):
            name = setting["name"]
            secret = name in {"password", "sqlalchemy_url"} | configuration.SECRETS
            secret |= name.startswith("oauth_credentials.")
            assert setting.get("sensitive", False) is secret, name


def anchors(file: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def _strings_in_the_code() -> Iterator[str]:
    """Yield every string in the tap's code, with "…" for what is filled in."""
    for file in (ROOT / "tap_calendly").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else "…" for part in parts]
            if all(isinstance(text, str) for text in texts):
                yield re.sub(r"%(\.\d)?[sdf]", "…", "".join(map(str, texts)))


def _project() -> dict[str, Any]:
    project: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    return project


def _extractor() -> dict[str, Any]:
    extractor, *_ = _project()["plugins"]["extractors"]
    return dict(extractor)


def test_meltano_deselects_the_streams_that_are_off_by_default() -> None:
    deselected = {
        rule[1:].partition(".")[0] for rule in _extractor()["select"] if rule.startswith("!")
    }

    assert deselected == {stream.name for stream in STREAMS if not stream.selected_by_default}


def test_the_two_jobs_with_an_inbox_load_together_what_one_job_would() -> None:
    extractors = _project()["plugins"]["extractors"]
    usual, meetings, rest = (_selected(one.get("select_filter", ())) for one in extractors)

    assert usual == {stream.name for stream in STREAMS if stream.selected_by_default}
    assert meetings == {"scheduled_events", "event_invitees"}
    assert rest == usual - meetings


def _selected(select_filter: Collection[str]) -> set[str]:
    """Return the streams that Meltano selects by the usual `select` and a filter of its own."""
    catalog = {"streams": list(catalog_entries().values())}
    rules = select_metadata_rules(_extractor()["select"])
    rules += select_filter_metadata_rules(select_filter)
    MetadataExecutor(rules).visit(catalog)  # type: ignore[attr-defined]
    return {
        entry["tap_stream_id"]
        for entry in catalog["streams"]
        if next(one for one in entry["metadata"] if not one["breadcrumb"])["metadata"]["selected"]
    }
