"""docs/meltano-hub.yml passes the Hub's checks, and says of the tap what is so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tap_calendly.singer import configuration
from tap_calendly.tap import TapCalendly
from tests.documents import hub
from tests.documents.generated import HUB, MELTANO, ROOT
from tests.documents.test_documents import anchors

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT, "uniqueItems": True}
FLAG: dict[str, Any] = {"type": "boolean"}
ADDRESS: dict[str, Any] = {"type": "string", "pattern": r"^https://\S+$"}
KINDS = "array boolean date_iso8601 decimal email file integer oauth object options string"
CAPABILITIES = """about activate-version batch catalog discover log-based properties
schema-flattening state stream-maps structured-logging test"""


def _one_of(words: str) -> dict[str, Any]:
    return {"enum": words.split()}


def _object(required: str, optional: dict[str, Any], **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """Return the schema of an object with nothing but these properties; TEXT for those in words."""
    return {
        "type": "object",
        "properties": dict.fromkeys(required.split(), TEXT) | optional | properties,
        "required": required.split(),
        "additionalProperties": False,
    }


OPTION = _object("label value", {})
SETTING = _object(
    "name label description kind",
    dict.fromkeys(("docs", "documentation", "env", "placeholder", "tooltip"), TEXT),
    aliases=TEXTS,
    hidden=FLAG,
    kind=_one_of(KINDS),
    options={"type": "array", "items": OPTION},
    sensitive=FLAG,
    value={},
)
DEFINITION = _object(
    "name namespace variant label quality repo pip_url settings",
    dict.fromkeys(("definition", "next_steps", "prereq", "settings_preamble", "usage"), TEXT),
    capabilities={"type": "array", "items": _one_of(CAPABILITIES)},
    description=TEXT,
    docs=ADDRESS,
    domain_url=ADDRESS,
    executable=TEXT,
    keywords=TEXTS,
    logo_url={"type": "string", "pattern": r"^/assets/logos/extractors/[\w-]+\.(svg|png)$"},
    maintenance_status=_one_of("active beta development inactive unknown"),
    quality=_one_of("gold silver bronze unknown"),
    repo=ADDRESS,
    select=TEXTS,
    settings={"type": "array", "items": SETTING},
    settings_group_validation={"type": "array", "items": TEXTS},
    supported_python_versions={
        "type": "array",
        "items": {"type": "string", "pattern": r"^3\.\d+$"},
    },
)
"""What schemas/plugin_definitions/extractors.schema.json of the Hub asks of an extractor, without
the fields that this tap has no use for and the kinds that Meltano deprecates."""


def _published() -> dict[str, Any]:
    definition: dict[str, Any] = yaml.safe_load(HUB.read_text("utf-8"))
    return definition


def _breaches(definition: dict[str, Any]) -> list[str]:
    return [
        error.json_path for error in jsonschema.Draft7Validator(DEFINITION).iter_errors(definition)
    ]


def test_the_definition_matches_the_code() -> None:
    """After an intended change: `make docs`."""
    assert HUB.read_text("utf-8") == hub.text()


def test_the_definition_is_valid_by_the_schema_of_the_hub() -> None:
    assert _breaches(_published()) == []


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({"qualtiy": "gold"}, "$"),
        ({"quality": "excellent"}, "$.quality"),
        ({"capabilities": ["discovery"]}, "$.capabilities[0]"),
        (
            {"settings": [{"name": "a", "kind": "password", "label": "A", "description": "A."}]},
            "$.settings[0].kind",
        ),
        ({"domain_url": "calendly.com"}, "$.domain_url"),
        (
            {"settings_group_validation": ["personal_access_token"]},
            "$.settings_group_validation[0]",
        ),
    ],
)
def test_a_definition_that_the_hub_would_refuse_is_not_valid(
    change: dict[str, Any], breach: str
) -> None:
    (found,) = _breaches({**_published(), **change})
    assert found == breach


def test_the_definition_passes_the_yamllint_of_the_hub() -> None:
    """Keys are sorted, and nothing but an empty mapping or list is written in flow style."""
    root = yaml.compose(HUB.read_text("utf-8"))

    for node in _nodes(root):
        assert not (node.flow_style and node.value), node.start_mark
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert keys == sorted(keys), node.start_mark
    assert not re.search(r"[ \t]$", HUB.read_text("utf-8"), re.MULTILINE)


def test_the_definition_and_meltano_yml_offer_the_same_plugin() -> None:
    published = _published()
    ours, *_ = yaml.safe_load(MELTANO.read_text("utf-8"))["plugins"]["extractors"]

    for field in ("name", "namespace", "executable", "select"):
        assert published[field] == ours[field], field
    assert set(published["capabilities"]) == set(ours["capabilities"])
    linked = {one["name"]: _relative(one) for one in published["settings"]}
    assert linked == {one["name"]: one for one in ours["settings"]}


def test_the_definition_asks_for_what_the_tap_needs_to_authenticate() -> None:
    schema = TapCalendly(config={}, validate_config=False, setup_mapper=False).config_jsonschema
    groups = _published()["settings_group_validation"]

    for group in groups:
        assert configuration.problems(_config(group), schema) == []
        for left_out in group:
            rest = [name for name in group if name != left_out]
            assert configuration.problems(_config(rest), schema), left_out


def test_every_link_in_the_definition_leads_to_a_file_and_heading_of_the_repository() -> None:
    links = re.findall(rf"{re.escape(hub.FILES)}([^)\s#]+)(?:#([^)\s]+))?", HUB.read_text("utf-8"))

    assert len(links) >= 5
    assert not re.search(r"\]\((?!https://)", HUB.read_text("utf-8"))
    for path, anchor in links:
        assert (ROOT / path).exists(), path
        assert not anchor or anchor in anchors(ROOT / path), anchor


def _nodes(node: yaml.Node | None) -> Iterator[yaml.CollectionNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _nodes(value)
    if isinstance(node, yaml.SequenceNode):
        yield node
        for item in node.value:
            yield from _nodes(item)


def _relative(setting: dict[str, Any]) -> dict[str, Any]:
    return {**setting, "description": setting["description"].replace(hub.FILES, "")}


def _config(names: list[str]) -> dict[str, Any]:
    """Return a configuration with these settings and no others."""
    config: dict[str, Any] = {}
    for name in names:
        outer, _, inner = name.partition(".")
        if inner:
            config.setdefault(outer, {})[inner] = "a-secret-of-some-length"
        else:
            config[outer] = "a-secret-of-some-length"
    return config
