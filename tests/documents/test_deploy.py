"""The files in deploy/ fit together, and start what there is."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from tap_calendly.tap import TapCalendly
from tap_calendly.webhooks.cli import calendly_webhooks
from tests.documents.generated import DOCS, ROOT

DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "calendly-webhooks.service").read_text("utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")
PROXY = (DEPLOY / "Caddyfile").read_text("utf-8")
BIN = Path(sys.executable).parent


def _command_of_the_unit() -> list[str]:
    (command,) = re.findall(r"^ExecStart=(.+)$", UNIT, re.MULTILINE)
    return str(command).split()


def _command_of_the_container() -> list[str]:
    parts = (
        re.findall(rf"^{name} (.+)$", CONTAINER, re.MULTILINE) for name in ("ENTRYPOINT", "CMD")
    )
    return [word for (part,) in parts for word in json.loads(part)]


def _option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_unit_and_container_start_the_receiver_alike() -> None:
    unit, container = _command_of_the_unit(), _command_of_the_container()
    assert Path(unit[0]).name == container[0] == "calendly-webhooks"
    assert (BIN / "calendly-webhooks").exists()
    assert _option(container, "--host") == "0.0.0.0"  # noqa: S104 - of the container
    host = container.index("--host")
    assert unit[1:] == container[1:host] + container[host + 2 :]


def _commands_in_the_docs() -> list[list[str]]:
    files = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
    texts = (re.sub(r"\s*\n\s*", " ", file.read_text("utf-8")) for file in files)
    found = [match for text in texts for match in re.findall(r"`calendly-webhooks ([^`]+)`", text)]
    for block in (DOCS / "webhooks.md").read_text("utf-8").split("```shell\n")[1:]:
        found += re.findall(r"^calendly-webhooks (.+)$", block.split("```")[0], re.MULTILINE)
    return [command.split() for command in found]


def test_every_command_line_in_the_docs_and_in_deploy_can_be_parsed() -> None:
    lines = [*_commands_in_the_docs(), _command_of_the_unit()[1:], _command_of_the_container()[1:]]
    assert len(lines) > 10
    for line in lines:
        name, *given = line[2:] if line[0] == "--config" else line
        command = calendly_webhooks.commands[name]
        if given:  # not only its name
            command.make_context(name, given)


def test_the_docs_list_every_command() -> None:
    table = (
        (DOCS / "webhooks.md").read_text("utf-8").split("## The commands\n")[1].split("\n## ")[0]
    )
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    listed = {found.split()[0] for row in rows for found in re.findall(r"`([^`]+)`", row)}
    assert listed == set(calendly_webhooks.commands)


def test_the_proxies_pass_on_only_the_path_of_deliveries() -> None:
    path = _option(_command_of_the_unit(), "--path")
    nginx = (DOCS / "webhooks.md").read_text("utf-8").split("```nginx\n")[1].split("```")[0]
    assert re.findall(r"^\thandle(.*) {$", PROXY, re.MULTILINE) == [f" {path}", ""]
    assert re.findall(r"^location (.*) {$", nginx, re.MULTILINE) == [f"= {path}"]
    for proxy in (PROXY, nginx):
        assert re.findall(r"127\.0\.0\.1:(\d+)", proxy) == ["8790"]
    assert "EXPOSE 8790\n" in CONTAINER
    assert "respond 404" in PROXY.split("\thandle {")[1]


def test_the_container_installs_the_extra_that_the_receiver_needs() -> None:
    assert f'"{TapCalendly.package_name}[webhooks]"' in CONTAINER
    assert "webhooks" in metadata(TapCalendly.package_name).get_all("Provides-Extra", [])


def test_the_asgi_application_in_the_docs_exists() -> None:
    (module, name) = re.findall(
        r"uvicorn --factory ([\w.]+):(\w+)", (DOCS / "webhooks.md").read_text("utf-8")
    )[0]
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    file = tmp_path / "calendly-webhooks.service"
    command = _command_of_the_unit()[0]
    file.write_text(UNIT.replace(command, str(BIN / "calendly-webhooks")), "utf-8")

    result = subprocess.run(  # noqa: S603 - what we wrote
        ["systemd-analyze", "verify", file],  # noqa: S607 - wherever systemd is
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    # It only warns of a directive that it does not know or cannot parse.
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
