"""The command `tap-calendly`: whatever stops it ends in one line each and status 1."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from singer_sdk.exceptions import ConfigurationError, MappingError

from tap_calendly.reporting import errors, messages, redaction
from tap_calendly.singer import configuration
from tap_calendly.tap import TapCalendly


def main() -> None:
    """Run the command."""
    redaction.guard_logs()
    if (problem := configuration.problem_with_log_level(os.environ)) is not None:
        _give_up([problem])
    try:
        TapCalendly.cli()
    except errors.SettingsError as error:
        _give_up(error.problems)
    except errors.StreamsError as error:
        _give_up(error.lines)
    except errors.CalendlyError as error:
        _give_up([str(error)])
    except (ConfigurationError, MappingError) as error:
        _give_up([messages.MAPS_UNUSABLE.format(why=" ".join(str(error).split()))])
    except Exception as error:  # noqa: BLE001 - the last resort for the user at 7 a.m.
        TapCalendly.logger.debug("Where it happened:", exc_info=True)
        _give_up([str(errors.unexpected("tap-calendly", error))])


def _give_up(lines: list[str]) -> NoReturn:
    for line in lines:
        TapCalendly.logger.error(" ".join(line.split()))  # a name in a file may hold line breaks
    sys.exit(1)
