"""What runs and is installed is pinned and locked, with no more permissions than needed."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.documents.generated import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = (ROOT / "uv.lock", ROOT / "integrations" / "plugins" / "uv.lock")
PROJECT = ROOT / "integrations" / "plugins" / "pyproject.toml"
PLUGINS = {
    "tap-calendly": "extractors",
    "target-duckdb": "loaders",
    "target-jsonl": "loaders",
    "target-postgres": "loaders",
    "dbt-duckdb": "utilities",
    "dbt-postgres": "utilities",
}

each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)


@each_workflow
def test_every_action_is_pinned_to_a_commit_and_names_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text("utf-8"))

    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_the_same_version_everywhere() -> None:
    used = {one for file in WORKFLOWS for one in re.findall(r"uses: (.+)", file.read_text("utf-8"))}

    assert len({action.split("@")[0] for action in used}) == len(used)


@each_workflow
def test_a_workflow_has_no_permissions_but_those_of_its_jobs(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))

    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        permissions = {"id-token": "write"} if name == "publish" else {"contents": "read"}
        assert job["permissions"] == permissions, name


@each_workflow
def test_no_checkout_persists_git_credentials(file: Path) -> None:
    jobs = yaml.safe_load(file.read_text("utf-8"))["jobs"].values()
    steps = [step for job in jobs for step in job["steps"] if "checkout" in step.get("uses", "")]

    assert steps
    for step in steps:
        assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_every_package_is_locked_with_hashes_and_comes_from_pypi(lock: Path) -> None:
    packages = lock.read_text("utf-8").split("\n[[package]]\n")[1:]
    fetched = [package for package in packages if "source = { virtual" not in package]
    fetched = [package for package in fetched if "source = { editable" not in package]

    assert len(packages) - len(fetched) == 1  # the project itself
    for package in fetched:
        assert 'source = { registry = "https://pypi.org/simple" }' in package
        files = re.findall(r"\{ url = .+\}", package)
        assert files
        assert [
            file for file in files if not re.search(r'hash = "sha256:[0-9a-f]{64}"', file)
        ] == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_has_only_the_packages_locked_for_it(plugin: str) -> None:
    locked = (ROOT / ".cache" / f"{plugin}.txt").read_text("utf-8")
    environment = ROOT / ".meltano" / PLUGINS[plugin] / plugin / "venv" / "lib"
    (folder,) = environment.glob("python*/site-packages")
    installed = {
        f"{re.sub(r'[-_.]+', '-', one.name).lower()}=={one.version}"
        for one in distributions(path=[str(folder)])
    }
    ours = {
        one for one in installed if one.startswith(("singer-tap-calendly=", "target-duckdb-all"))
    }

    assert installed > ours
    assert [one for one in installed - ours if f"\n{one} " not in f"\n{locked}"] == []


def test_each_plugin_is_installed_with_what_is_locked_for_it() -> None:
    """In a new checkout, where `make` has to lock and install all of them."""
    plan = subprocess.run(
        ["make", "--dry-run", "--always-make", ".cache/plugins"],  # noqa: S607 - the user's make
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout

    for plugin in PLUGINS:
        assert f"--output-file .cache/{plugin}.txt" in plan
        assert f"/.cache/{plugin}.txt UV_OVERRIDE" in plan


def test_the_locked_plugins_are_those_in_meltano_yml() -> None:
    """Except target-duckdb, which comes through the package that patches it."""
    patched = (ROOT / "integrations" / "target-duckdb" / "pyproject.toml").read_text("utf-8")
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]
    named = {
        plugin["name"]: shlex.split(plugin["pip_url"])
        for kind in ("loaders", "utilities")
        for plugin in plugins[kind]
    }

    assert {*named, "tap-calendly"} == set(PLUGINS)
    for name, packages in named.items():
        locked = _in_plugins(name)
        assert packages == locked or f"dependencies = {json.dumps(locked)}" in patched, name


def test_what_dbt_would_fetch_past_the_lock_is_not_installed() -> None:
    """Neither by the lock, nor when Meltano installs what is locked."""
    overrides = (PROJECT.parent / "overrides.txt").read_text("utf-8")

    assert overrides.splitlines() == _in_plugins("override-dependencies")
    assert 'name = "dbt-core-experimental-parser"\nversion' not in LOCKS[1].read_text("utf-8")


def _in_plugins(name: str) -> list[str]:
    """Return a list in the project that locks plugins."""
    pattern = rf"^{name} = (\[.*?\])$"
    (found,) = re.findall(pattern, PROJECT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    listed: list[str] = ast.literal_eval(found)
    return listed
