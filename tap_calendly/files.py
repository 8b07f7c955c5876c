"""The files given on the command line: settings, catalog, state."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from typing_extensions import override

from tap_calendly.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable


class JSONFile(click.File):
    """A file given to an option, which must hold what the option is for."""

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[str]:
        super().convert(value, param, ctx).close()
        return io.StringIO(read(str(value), param.opts[0] if param else "--config"))


def read(path: str, option: str) -> str:
    """Read a file and check that it can be used.

    Args:
        path: Where it is.
        option: What it was given to: --config, --catalog or --state.

    Returns:
        Its text.

    Raises:
        SettingsError: It cannot be read, or does not hold what the option is for.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        problem = f"is not JSON: see line {error.lineno}, column {error.colno}."
    except (OSError, UnicodeDecodeError):
        problem = "cannot be read as text in UTF-8."
    except (RecursionError, ValueError):
        problem = "is not JSON that can be used: a number or the nesting is out of bounds."
    else:
        if _SHAPES[option](content):
            return text
        problem = f"does not hold {_HOLDS[option]}."
    named = "{…}" if path.lstrip().startswith("{") else path  # what it should hold is no name
    raise SettingsError([f"The file {named} given to {option} {problem}"])


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_settings(content: object) -> bool:
    return isinstance(content, dict)


def _is_state(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    bookmarks = content.get("bookmarks", {})
    return isinstance(bookmarks, dict) and all(isinstance(e, dict) for e in bookmarks.values())


def _is_catalog(content: object) -> bool:
    streams = content.get("streams") if isinstance(content, dict) else None
    return isinstance(streams, list) and all(
        isinstance(stream, dict)
        and isinstance(stream.get("tap_stream_id"), str)
        and isinstance(stream.get("schema"), dict)
        and isinstance(stream.get("metadata", []), list)
        for stream in streams
    )


_SHAPES: dict[str, Callable[[object], bool]] = {
    "--config": _is_settings,
    "--catalog": _is_catalog,
    "--state": _is_state,
}
_HOLDS = {
    "--config": "a JSON object of settings",
    "--catalog": "a Singer catalog, as tap-calendly --discover gives it",
    "--state": "a Singer state, as tap-calendly gives it",
}
