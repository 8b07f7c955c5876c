"""What the tap overrides of the SDK's private and final members is what was read when it did."""

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

READ = {
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
"""Digests of the source of each such member in the SDK. One that changed: read what is new there,
see that `tap_calendly/singer/sdk.py` still does right by it, and enter the new digest."""

CALLED = {
    "Stream._generate_record_messages": "9b5f9fbcdedb",
    "Stream._sync_children": "465238efa6b2",
    "Stream._sync_records": "8928dc7f50e9",
    "Stream._write_activate_version_message": "b5295d35a81b",
    "Stream._write_state_message": "f82ecd8d1698",
}
"""The same of those that are not overridden, but called or counted on."""

BASES: tuple[type, ...] = (Stream, Tap, CustomStreamMap)


def _digest(member: object) -> str:
    function: Any = inspect.unwrap(getattr(member, "fget", None) or member)  # type: ignore[arg-type]
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def _classes() -> Iterator[type]:
    """Give every class of the tap that is made from one of the SDK's."""
    for module in pkgutil.walk_packages(tap_calendly.__path__, f"{tap_calendly.__name__}."):
        for one in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(one) and one.__module__ == module.name and issubclass(one, BASES):
                yield one


def _overridden(one: type) -> Iterator[tuple[str, object]]:
    """Give what a class overrides of the SDK's that is private, or final by its word."""
    base = next(base for base in BASES if issubclass(one, base))
    for name in vars(one):
        theirs = inspect.getattr_static(base, name, None)
        if theirs is None or name.startswith("__") or not callable(theirs):
            continue
        if name.startswith("_") or "@t.final" in inspect.getsource(theirs):
            yield f"{base.__name__}.{name}", theirs


def test_overridden_sdk_members_are_unchanged() -> None:
    found = {name: _digest(theirs) for one in _classes() for name, theirs in _overridden(one)}

    assert found == READ


def test_called_sdk_members_are_unchanged() -> None:
    assert {
        name: _digest(inspect.getattr_static(Stream, name.partition(".")[2])) for name in CALLED
    } == CALLED


def test_sdk_members_are_overridden_in_one_file_only() -> None:
    places = {one.__module__ for one in _classes() for _ in _overridden(one)}

    assert places == {sdk.__name__}
