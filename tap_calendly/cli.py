"""The command `tap-calendly`: whatever stops a command ends in one line each and status 1."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from singer_sdk.exceptions import ConfigurationError, MappingError

from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.singer import configuration
from tap_calendly.tap import TapCalendly


def main() -> None:
    """Run the command."""
    run(_tap, TapCalendly.name)


def run(command: Callable[[], object], name: str) -> None:
    """Run a command by this name."""
    redaction.guard_logs()
    logger = logging.getLogger(name)
    if (problem := configuration.problem_with_log_level(os.environ)) is not None:
        _give_up([problem], logger)
    try:
        command()
    except errors.SettingsError as error:
        _give_up(error.problems, logger)
    except errors.StreamsError as error:
        _give_up(error.lines, logger)
    except errors.CalendlyError as error:
        _give_up([str(error)], logger)
    except (ConfigurationError, MappingError) as error:
        _give_up([messages.MAPS_UNUSABLE.format(why=" ".join(str(error).split()))], logger)
    except Exception as error:
        logger.debug("Where it happened:", exc_info=True)
        _give_up([str(errors.unexpected(name, error))], logger)


def _tap() -> None:
    TapCalendly.cli()  # which sets up the logs once their level has been checked


def _give_up(lines: list[str], logger: logging.Logger) -> NoReturn:
    for line in lines:
        logger.error(" ".join(line.split()))  # a name in a file may hold line breaks
    sys.exit(1)
