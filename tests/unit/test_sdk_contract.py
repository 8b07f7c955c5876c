"""The SDK's members that the tap overrides or relies on are as they were when last reviewed."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.streams import Stream

import tap_calendly
from tap_calendly.singer import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

OVERRIDDEN = {
    "CustomStreamMap._eval": "389317fd6fbb",
    "Stream._increment_stream_state": "cabc0edb2fd4",
    "Stream._write_record_message": "292b7bed3988",
    "Stream._write_schema_message": "4077b24e5440",
    "Stream._write_starting_replication_value": "0a24e5d05cd5",
    "Stream.sync": "6b4262dcdddf",
    "Tap._handle_termination": "2bb79ae47769",
    "Tap._validate_config": "0584b9e347e3",
    "Tap.load_streams": "2cdb15066fa1",
    "Tap.run_connection_test": "ae205b5e8d68",
    "Tap.sync_all": "e4412393757b",
}
"""Digests of the source of each overridden member that is private or final. If one has changed,
read the new source, check that `tap_calendly/singer/sdk.py` fits it, and enter the new digest."""

CALLED = {
    "Stream._generate_record_messages": "9b5f9fbcdedb",
    "Stream._sync_children": "465238efa6b2",
    "Stream._sync_records": "8928dc7f50e9",
    "Stream._write_activate_version_message": "b5295d35a81b",
    "Stream._write_state_message": "f82ecd8d1698",
    "Tap._env_var_config": "4e00272a5767",
    "Tap._env_var_prefix": "87d8f7483c45",
}
"""The same for members that are not overridden, but called or relied on."""

BASES: tuple[type, ...] = (Stream, Tap, CustomStreamMap)


def _digest(member: object) -> str:
    function: Any = inspect.unwrap(getattr(member, "fget", None) or member)  # type: ignore[arg-type]
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def _classes() -> Iterator[type]:
    """Yield every class of the tap that is derived from one of the SDK's."""
    for module in pkgutil.walk_packages(tap_calendly.__path__, f"{tap_calendly.__name__}."):
        for cls in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(cls) and cls.__module__ == module.name and issubclass(cls, BASES):
                yield cls


def _overridden(cls: type) -> Iterator[tuple[str, object]]:
    """Yield the SDK's private or final members that a class overrides."""
    base = next(base for base in BASES if issubclass(cls, base))
    for name in vars(cls):
        theirs = inspect.getattr_static(base, name, None)
        if theirs is None or name.startswith("__") or not callable(theirs):
            continue
        if name.startswith("_") or "@t.final" in inspect.getsource(theirs):
            yield f"{base.__name__}.{name}", theirs


def test_overridden_sdk_members_are_unchanged() -> None:
    digests = {name: _digest(theirs) for cls in _classes() for name, theirs in _overridden(cls)}

    assert digests == OVERRIDDEN


def test_called_sdk_members_are_unchanged() -> None:
    owners = {base.__name__: base for base in BASES}
    members = {name: name.split(".") for name in CALLED}
    digests = {
        name: _digest(inspect.getattr_static(owners[owner], member))
        for name, (owner, member) in members.items()
    }

    assert digests == CALLED


def test_sdk_members_are_overridden_in_one_file_only() -> None:
    modules = {cls.__module__ for cls in _classes() for _ in _overridden(cls)}

    assert modules == {sdk.__name__}
