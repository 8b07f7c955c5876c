"""Chromium without a window, spoken to over a pipe in its DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
LOUD = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")


class Browser:
    """A page in Chromium, and what happened while it was shown.

    Attributes:
        requests: The addresses that were asked for.
        errors: What was written to the console, and what was refused or failed.
    """

    def __init__(self, commands: int, answers: int) -> None:
        """Open an empty page."""
        self._commands = os.fdopen(commands, "wb", buffering=0)
        self._answers = os.fdopen(answers, "rb")
        self._read = b""
        self._numbers = count(1)
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[Any] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Give a command, and return its result."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        command = {"id": number, "method": method, "params": parameters, **session}
        self._commands.write(json.dumps(command).encode() + b"\0")
        while (message := self._next()).get("id") != number:
            pass
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def show(self, file: Path, *, width: int, scheme: str = "light", media: str = "screen") -> None:
        """Show a file, and wait until it has loaded."""
        self.requests.clear()
        self.errors.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width < 640,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", media=media, features=[feature])
        self.send("Page.navigate", url=file.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def value(self, expression: str) -> Any:  # noqa: ANN401 - JSON
        """Return the value of an expression in the page."""
        result = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, file: Path) -> None:
        """Save what the whole page looks like."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Let go of the pipes."""
        self._commands.close()
        self._answers.close()

    def _next(self) -> dict[str, Any]:
        """Return the next message, and note it if it tells of a request or an error."""
        while b"\0" not in self._read:
            read = self._answers.read1()
            assert read, "Chromium has ended"
            self._read += read
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        method, told = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        if method in LOUD:
            self.errors.append(told)
        return message


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium, without a profile of its own to keep."""
    program = shutil.which("chromium")
    if not program:
        pytest.fail("Chromium is missing; install it with: apt-get install chromium")
    in_end, commands = os.pipe()
    answers, out_end = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        shell = 'in=$1 out=$2; shift 2; eval "exec \\"\\$@\\" 3<&$in 4>&$out"'
        process = subprocess.Popen(  # noqa: S603 - the browser is the test's subject
            [
                *("/bin/bash", "-c", shell, "bash", str(in_end), str(out_end)),
                *(program, *FLAGS, f"--user-data-dir={profile}"),
            ],
            pass_fds=(in_end, out_end),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(in_end)
        os.close(out_end)
        try:
            browser = Browser(commands, answers)
            yield browser
            browser.close()
        finally:
            process.kill()
            process.wait()
