"""A tap without streams, to measure how long the SDK takes to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.streams import Stream


class EmptyTap(Tap):
    """The tap."""

    name = "empty"
    package_name = "singer-tap-calendly"
    config_jsonschema = th.PropertiesList().to_dict()

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return []


if __name__ == "__main__":
    EmptyTap.cli()
