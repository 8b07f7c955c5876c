"""Documents generated from the code: `python -m tests.documents.generated`.

These are the tables of settings, streams and personal data in README.md and docs/, the selections
that leave out what is off by default, the diagrams of the tables, docs/meltano-hub.yml, and a
snapshot of each stream's catalog entry. `tests.documents.models` generates the rest of
docs/models.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_calendly.reading.replication import ByKey, BySweep, FullTable, Replication
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.streams import STREAMS
from tap_calendly.tap import TapCalendly
from tests.documents import diagrams, hub, personal

if TYPE_CHECKING:
    from tap_calendly.singer.stream import CalendlyStream

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
MODELS = DOCS / "models.md"
PERSONAL_DATA = DOCS / "personal-data.md"
MELTANO = ROOT / "meltano.yml"
HUB = DOCS / "meltano-hub.yml"
PARTS = 4
"""The text before a table, its opening marker, its closing marker, and the text after."""
OFF_BY_DEFAULT = re.compile(r'(?<="\*\.\*")(?:(, |\n +- )"!\w+\.\*")+')
"""The streams that a selection leaves out, on one line or on several."""
SNAPSHOTS = Path(__file__).with_name("snapshots")


def catalog_entries() -> dict[str, dict[str, Any]]:
    """Return the entry of each stream in the catalog, by name."""
    tap = TapCalendly(config={}, validate_config=False, setup_mapper=False)
    catalog = json.loads(tap.catalog_json_text)
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


def tables() -> dict[Path, dict[str, str]]:
    """Return the tables and diagrams of each document, by the name in their markers."""
    catalog = catalog_entries()
    others = catalog.keys() - set(diagrams.READ_BY_MODELS)
    return {
        README: {"settings": _settings(), "streams": _streams()},
        PERSONAL_DATA: {"personal": personal.table()},
        MODELS: {
            "raw": diagrams.of_raw_tables(catalog, diagrams.READ_BY_MODELS),
            "others": diagrams.of_raw_tables(catalog, sorted(others), direction="LR"),
        },
        MELTANO: {},
    }


def with_tables(file: Path) -> str:
    """Return the text of a document with up-to-date tables and selections."""
    text = file.read_text(encoding="utf-8")
    for name, table in tables()[file].items():
        text = with_table(text, name, table)
    off = sorted(stream.name for stream in STREAMS if not stream.selected_by_default)
    return OFF_BY_DEFAULT.sub(lambda found: "".join(f'{found[1]}"!{name}.*"' for name in off), text)


def with_table(text: str, name: str, table: str) -> str:
    """Return a text with another table between the markers of that name."""
    marked = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
    parts = re.split(marked, text, flags=re.DOTALL)
    if len(parts) != PARTS:
        message = f"There must be one pair of markers for {name}."
        raise ValueError(message)
    before, begin, end, after = parts
    return f"{before}{begin}{table}\n{end}{after}"


def _settings() -> str:
    rows = ["| setting | type | default | description |", "| --- | --- | --- | --- |"]
    for name, setting in SETTINGS.to_dict()["properties"].items():
        kind = ", ".join(kind for kind in setting["type"] if kind != "null")
        if choices := setting.get("enum"):
            kind = ", ".join(f"`{choice}`" for choice in choices if choice is not None)
        if any(part.get("secret") for part in (setting, *setting.get("properties", {}).values())):
            kind += ", secret"
        default = f"`{setting['default']}`" if "default" in setting else ""
        rows.append(f"| `{name}` | {kind} | {default} | {setting['description']} |")
    return "\n".join(rows)


def _streams() -> str:
    rows = [
        "| stream | key | replication | endpoint | token scope | plan | on by default |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for stream in STREAMS:
        key = ", ".join(f"`{name}`" for name in stream.primary_keys)
        path = "`{}`".format(re.sub(r"{\w+}", "{uuid}", stream.endpoint.path))
        scopes = ", ".join(f"`{scope}`" for scope in stream.requires.scope.split(", "))
        if not stream.from_api:
            path, scopes = "the [inbox](docs/webhooks.md)", "none"
        default = "yes" if stream.selected_by_default else "no"
        rows.append(
            f"| `{stream.name}` | {key} | {_replication(stream)} | {path} "
            f"| {scopes} | {stream.requires.plan} | {default} |"
        )
    return "\n".join(rows)


def _replication(stream: type[CalendlyStream]) -> str:
    match stream.replication:
        case BySweep():
            return "[sweep](docs/guarantees.md#what-every-run-reads)"
        case FullTable():
            return "full table"
        case ByKey(key=key, lookback=True):
            return f"incremental by `{key}`, re-read for `lookback_days`"
        case Replication(key=key):
            return f"incremental by `{key}`"


def main() -> None:
    """Regenerate everything."""
    for file in tables():
        file.write_text(with_tables(file), encoding="utf-8")
    HUB.write_text(hub.text(), encoding="utf-8")
    SNAPSHOTS.mkdir(exist_ok=True)
    for name, entry in catalog_entries().items():
        text = json.dumps(entry, indent=2, ensure_ascii=False) + "\n"
        (SNAPSHOTS / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
