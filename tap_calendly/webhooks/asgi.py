"""The receiver for any ASGI server, such as `uvicorn --factory tap_calendly.webhooks.asgi:app`.

For other options, point the server at a function of your own that calls `app` with them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from starlette.applications import Starlette

from tap_calendly.reporting import errors, redaction
from tap_calendly.settings import Settings
from tap_calendly.singer import configuration
from tap_calendly.singer.settings_schema import SETTINGS
from tap_calendly.webhooks.receiver import ReceiverOptions, receiver

LOGGER = logging.getLogger("calendly-webhooks")

NEEDED = ("inbox_url", "webhook_signing_key")


def app(path: str = "/", tolerance: int = 180, keep_days: int = 90) -> Starlette:
    """Return the receiver, by the variables TAP_CALENDLY_INBOX_URL and …_WEBHOOK_SIGNING_KEY.

    Args:
        path: Where deliveries are posted.
        tolerance: By how many seconds a signature's time may differ from this machine's.
        keep_days: After how many days deliveries are removed; 0 for never.

    Raises:
        SystemExit: It cannot start; one line says why.
    """
    redaction.guard_logs()
    try:
        return receiver(_settings(os.environ), ReceiverOptions(path, tolerance, keep_days), LOGGER)
    except errors.CalendlyError as error:
        raise SystemExit(str(error)) from None


def _settings(environ: Mapping[str, str]) -> Settings:
    config = {name: environ.get(f"TAP_CALENDLY_{name.upper()}") for name in NEEDED}
    configuration.check(config, SETTINGS.to_dict(), LOGGER, needs_token=False)
    return Settings.parse(config, "")
