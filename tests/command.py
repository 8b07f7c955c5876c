"""The executable as a user runs it."""

from __future__ import annotations

import io
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tap_calendly import __main__, cli
from tests import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXECUTABLE = Path(sys.executable).with_name("tap-calendly")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("TAP_")},
    "PYTHONWARNINGS": "ignore:Python 3.10 reached its end of life",  # a warning of the SDK
}


def run_tap(
    folder: Path,
    *arguments: str,
    config: Mapping[str, Any] | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `tap-calendly` to its end, in a process of its own.

    Args:
        folder: Working directory; the configuration is written there.
        *arguments: Command-line arguments after `--config`.
        config: The settings, or the text of the configuration file.
        environment: Variables besides the usual ones.

    Returns:
        Exit status, standard output, and standard error.
    """
    if config is not None:
        file = folder / "config.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        arguments = ("--config", str(file), *arguments)
    variables = {**ENVIRONMENT, **(environment or {})}
    # Starting Python takes a second, but only then do its own variables take effect.
    if cases.quick_suite and not any(name.startswith("PYTHON") for name in environment or ()):
        return _fork(folder, arguments, variables)
    return subprocess.run(  # noqa: S603 - our own executable
        [EXECUTABLE, *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _fork(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch, name) for name in ("stdout", "stderr")]
        process = context.Process(target=_become, args=(folder, arguments, environment, files))
        process.start()
        process.join(60)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, 60)
        output, errors = (file.read_text("utf-8") for file in files)
    return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


def _become(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str], files: list[Path]
) -> None:
    """Turn a forked process into the command."""
    for descriptor, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [EXECUTABLE.name, *arguments]
    __main__.main()


def run_here(
    folder: Path,
    *arguments: str,
    config: Mapping[str, Any] | str,
    environment: Mapping[str, str] | None = None,
    main: Callable[[], None] = cli.main,
) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which takes a hundredth of the time.

    Args:
        folder: Where to write the configuration.
        *arguments: Command-line arguments after `--config`.
        config: The settings, or the text of the configuration file.
        environment: Variables besides the usual ones.
        main: The command.

    Returns:
        Exit status, standard output, and standard error.
    """
    file = folder / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    root, status = logging.getLogger(), None
    level = root.level
    with (
        patch.object(sys, "argv", ["tap-calendly", "--config", str(file), *arguments]),
        patch.object(sys, "excepthook", sys.excepthook),
        patch.object(root, "handlers", []),
        patch.dict(os.environ, {**ENVIRONMENT, **(environment or {})}, clear=True),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as exit_:
            status = exit_.code
        finally:
            logging.captureWarnings(capture=False)
            root.setLevel(level)
    output, errors = (str(s.buffer.getvalue(), "utf-8") for s in (stdout, stderr))
    return subprocess.CompletedProcess(arguments, int(status or 0), output, errors)


def start_tap(
    folder: Path, config: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `tap-calendly`; its standard output and standard error can be read while it runs."""
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return subprocess.Popen(  # noqa: S603 - our own executable
        [EXECUTABLE, "--config", file],
        cwd=folder,
        env={**ENVIRONMENT, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def complaints(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of standard error above the level INFO."""
    return [line for line in result.stderr.splitlines() if "| INFO " not in line]
