"""The executable, and `python -m tap_calendly`."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command."""
    # Modules are no garbage: looking for some in them would take a tenth of the start.
    gc.disable()
    from tap_calendly import cli  # noqa: PLC0415 - once the collector rests

    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
