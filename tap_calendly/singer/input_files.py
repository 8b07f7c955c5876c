"""The files given on the command line: settings, catalog, state."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from typing_extensions import override

from tap_calendly.reporting.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    Problems = Callable[[object], list[str]]
    """Finds what is wrong with the content of a file, one sentence for each problem."""


class JSONFile(click.File):
    """A file given to an option, which must hold what the option is for."""

    def __init__(self, problems: Problems) -> None:
        """Prepare.

        Args:
            problems: What is wrong with a content.
        """
        super().__init__()
        self._problems = problems

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[str]:
        option = param.opts[0] if param else "an option"
        return io.StringIO(read(str(value), option, self._problems))


TOO_LONG = re.compile(r"\S{41,}")
"""What is no name in a file, but may be a misplaced secret: it is not repeated."""


def read(path: str, option: str, problems: Problems) -> str:
    """Read a file and check that it can be used.

    Args:
        path: Where it is.
        option: What it was given to: --config, --catalog or --state.
        problems: What is wrong with a content.

    Returns:
        Its text.

    Raises:
        SettingsError: It cannot be read, or does not hold what the option is for.
    """
    try:
        # Editors on Windows begin a file with the mark of its encoding.
        text = Path(path).read_text(encoding="utf-8-sig")
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        found = [f"it is not JSON: see line {error.lineno}, column {error.colno}."]
    except OSError as error:
        found = [f"it cannot be read ({error.strerror or type(error).__name__})."]
    except UnicodeDecodeError:
        found = ["it must be text in UTF-8."]
    except _TwiceError as error:
        found = [f"it must say {json.dumps(str(error))} once, not twice."]
    except (RecursionError, ValueError):
        found = ["it is not JSON that can be used: a number or the nesting is out of bounds."]
    else:
        found = problems(content)
    found = [TOO_LONG.sub("…", problem) for problem in found]
    if found:
        named = "{…}" if path.lstrip().startswith("{") else path  # what it should hold is no name
        raise SettingsError([f"The file {named} given to {option}: {problem}" for problem in found])
    return text


class _TwiceError(Exception):
    """An object has two values of one name, of which one would be ignored."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
