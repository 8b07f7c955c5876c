"""The executable, and `python -m tap_calendly.webhooks`."""

from __future__ import annotations

import sys

from tap_calendly import cli
from tap_calendly.reporting import messages
from tap_calendly.singer import configuration


def main() -> None:
    """Run the command."""
    if not configuration.has_extra():
        sys.exit(messages.EXTRA_MISSING.format(what="calendly-webhooks"))
    from tap_calendly.webhooks.cli import NAME  # noqa: PLC0415 - which needs the extra
    from tap_calendly.webhooks.cli import main as command  # noqa: PLC0415 - likewise

    cli.run(command, NAME)


if __name__ == "__main__":
    main()
