"""The receiver as `serve` runs it, in a process of its own."""

from __future__ import annotations

import http.client
import json
import logging
import signal
import subprocess
import sys
import threading
from contextlib import closing, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_calendly.reporting import errors, redaction
from tap_calendly.settings import Settings
from tap_calendly.singer import configuration
from tap_calendly.singer.settings_schema import SETTINGS
from tests.command import ENVIRONMENT
from tests.documents.generated import ROOT
from tests.webhooks.deliveries import KEY, signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

STARTED = "Receiving webhooks at "


def settings(inbox_url: str | None, keys: str | None = KEY) -> Settings:
    """Return the settings of a receiver."""
    config: dict[str, Any] = {
        "personal_access_token": "token-of-the-receiver",
        "inbox_url": inbox_url,
        "webhook_signing_key": keys,
    }
    redaction.remember(*configuration.secrets(config))
    assert configuration.problems(config, SETTINGS.to_dict()) == []
    return Settings.parse(config, "")


class Served:
    """A receiver for the length of a `with` block.

    Attributes:
        url: Where it receives.
        log: The lines of its standard error so far.
    """

    def __init__(
        self,
        inbox_url: str,
        keys: str = KEY,
        constants: Mapping[str, float] | None = None,
        **options: object,
    ) -> None:
        """Start it.

        Args:
            inbox_url: Its inbox.
            keys: Its signing keys.
            constants: Other values for constants of modules, such as `writer.SECONDS`.
            **options: Those of `ServeOptions`.
        """
        arguments = json.dumps(
            {
                "inbox_url": inbox_url,
                "keys": keys,
                "constants": constants or {},
                "options": options,
            }
        )
        self.process = subprocess.Popen(  # noqa: S603 - our own receiver
            [sys.executable, "-m", "tests.webhooks.served", arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._started = threading.Event()
        self._logging = threading.Thread(target=self._read_log, daemon=True)
        self._logging.start()

    def __enter__(self) -> Self:
        """Wait until it receives."""
        assert self._started.wait(30)
        assert self.process.poll() is None, self.log
        (line,) = (line for line in self.log if STARTED in line)
        self.url = line.partition(STARTED)[2].rstrip(".")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill it, if it runs."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Wait until it has ended, and return its exit status."""
        status = self.process.wait(30)
        self._logging.join(30)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.send_signal(number)
        return self.end()

    def post(self, content: bytes, header: str | None = None) -> int:
        """Post a delivery with Calendly's signature, or another; return the status."""
        given = {"Calendly-Webhook-Signature": header or signature(content)}
        return self.request("POST", urlsplit(self.url).path, content, given)[0]

    def request(
        self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Return the status and the body of an answer."""
        with closing(self.connection()) as connection:
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection to it."""
        address = urlsplit(self.url)
        return http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        with suppress(ValueError):  # closed
            for line in self.process.stderr:
                self.log.append(line.rstrip())
                if STARTED in line:
                    self._started.set()
        self._started.set()


def main() -> None:
    """Serve as told by the first argument."""
    from tap_calendly.webhooks.serve import ServeOptions, serve  # noqa: PLC0415 - only here

    told = json.loads(sys.argv[1])
    for place, value in told["constants"].items():
        module, _, name = place.partition(".")
        setattr(import_module(f"tap_calendly.webhooks.{module}"), name, value)
    defaults = {"host": "127.0.0.1", "port": 0, "path": "/", "tolerance": 180, "keep_days": 90}
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    redaction.guard_logs()
    try:
        serve(
            settings(told["inbox_url"], told["keys"]),
            ServeOptions(**{**defaults, **told["options"]}),
            logging.getLogger("calendly-webhooks"),
        )
    except errors.CalendlyError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
