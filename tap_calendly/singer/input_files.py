"""The files given on the command line: --config, --catalog, --state."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import click
from typing_extensions import override

from tap_calendly.reporting.errors import SettingsError
from tap_calendly.reporting.redaction import hide_long_words

Problems = Callable[[object], list[str]]
"""Checks the content of a file: returns a sentence for each problem."""


class JSONFile(click.File):
    """A JSON file given to an option, checked as soon as the command line is parsed."""

    def __init__(self, problems: Problems) -> None:
        """Check files with `problems`."""
        super().__init__()
        self._problems = problems

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[str]:
        option = param.opts[0] if param else "an option"
        return io.StringIO(read(str(value), option, self._problems))


def read(path: str, option: str, problems: Problems) -> str:
    """Return the text of a file given to an option; raise SettingsError if it cannot be used."""
    try:
        # Editors on Windows start a file with a byte order mark.
        text = Path(path).read_text(encoding="utf-8-sig")
        found = problems(json.loads(text, parse_constant=_reject, object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        found = [f"it is not JSON: see line {error.lineno}, column {error.colno}."]
    except OSError as error:
        found = [f"it cannot be read ({error.strerror or type(error).__name__})."]
    except UnicodeDecodeError:
        found = ["it must be UTF-8 text."]
    except _DuplicateNameError as error:
        found = [f"it has {json.dumps(str(error))} twice."]
    except (RecursionError, ValueError):
        found = ["its JSON cannot be used: a number is out of range, or the nesting is too deep."]
    if found:
        shown = "{…}" if path.lstrip().startswith("{") else path  # JSON itself, not a path
        raise SettingsError(
            [f"The file {shown} given to {option}: {hide_long_words(one)}" for one in found]
        )
    return text


class _DuplicateNameError(Exception):
    """An object has a name twice: one of the values would be ignored."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _DuplicateNameError(name)
        found[name] = value
    return found


def _reject(constant: str) -> NoReturn:
    raise ValueError(constant)
