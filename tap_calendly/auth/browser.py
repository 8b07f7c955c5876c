"""The user's browser: sent to Calendly, and awaited when it comes back with an answer.

For an app whose redirect URI is `http://localhost:…` it comes back to a server here, which runs for
as long as that takes; for any other the user pastes the address.
"""

from __future__ import annotations

import queue
import secrets
import sys
import threading
import webbrowser
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import click
from typing_extensions import override

from tap_calendly.reporting import errors, messages, remedies

POLL = 0.05
"""Seconds after which the server looks whether to end."""

TIMEOUT = 300
"""Seconds for the user to decide; Calendly's code lives twice as long."""


def code_in(address: str, state: str) -> str | None:
    """Read the code from the address that the browser was sent back to; None if it has no answer.

    Raises:
        CalendlyError: The user or Calendly denied access, or it answers another request.
    """
    try:
        answer = dict(parse_qsl(urlsplit(address.strip()).query))
    except ValueError:
        return None
    if not answer.keys() & {"code", "error"}:
        return None
    if not secrets.compare_digest(answer.get("state", "").encode(errors="replace"), state.encode()):
        raise errors.CalendlyError(messages.STATE_MISMATCH)
    if "code" not in answer:
        error = answer["error"]  # RFC 6749, section 4.1.2.1
        if error == "access_denied":
            raise errors.CalendlyError(messages.ACCESS_DENIED)
        shown = f" ({error})" if remedies.is_error_code(error) else ""
        raise errors.CalendlyError(messages.NO_CODE_GIVEN, error=shown)
    return answer["code"]


def code_by_server(address: str, state: str, port: int) -> str:
    """Send the browser to Calendly, and wait on a port for it to come back with a code.

    Raises:
        CalendlyError: None came.
    """
    answers: queue.SimpleQueue[str | errors.CalendlyError] = queue.SimpleQueue()
    try:
        server = _Server(("127.0.0.1", port), state, answers)
    except OSError as error:
        raise errors.CalendlyError(
            messages.PORT_UNUSABLE, port=port, why=errors.why(error)
        ) from None
    threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    try:
        _show(address)
        answer = answers.get(timeout=TIMEOUT)
    except queue.Empty:
        raise errors.CalendlyError(messages.BROWSER_TIMEOUT, minutes=TIMEOUT // 60) from None
    finally:
        server.shutdown()
        server.server_close()
    if isinstance(answer, errors.CalendlyError):
        raise answer
    return answer


def code_by_hand(address: str, state: str) -> str:
    """Send the browser to Calendly, and have the user paste where it was sent from there.

    Raises:
        CalendlyError: That holds no code.
    """
    _show(address)
    pasted = click.prompt("Then paste the address that the browser was sent to")
    code = code_in(pasted, state)
    if code is None:
        raise errors.CalendlyError(messages.NO_CODE)
    return code


def _show(address: str) -> None:
    """Open the browser, and say what to do where there is none."""
    click.echo(f"Allow the app to read Calendly in your browser. If none opens, go to:\n{address}")
    # A browser in the terminal keeps its caller waiting until it is closed.
    threading.Thread(target=_browse, args=(address,), daemon=True).start()


def _browse(address: str) -> None:
    try:
        webbrowser.open(address)
    except webbrowser.Error:
        return  # the address was shown


class _Server(ThreadingHTTPServer):
    """Waits for the browser; the empty connections that browsers open do no harm."""

    daemon_threads = True
    # On Windows it would let two programs have one port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self,
        address: tuple[str, int],
        state: str,
        answers: queue.SimpleQueue[str | errors.CalendlyError],
    ) -> None:
        self.state = state
        self.answers = answers
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Reads the answer from the address, and tells the user in the browser."""

    server: _Server

    def do_GET(self) -> None:
        try:
            answer: str | errors.CalendlyError | None = code_in(self.path, self.server.state)
        except errors.CalendlyError as error:
            answer = error
        if answer is None:
            self._say(HTTPStatus.NOT_FOUND, "Nothing is here.")
            return
        self.server.answers.put(answer)  # first, as the browser may be gone
        if isinstance(answer, str):
            self._say(HTTPStatus.OK, "Done: you can close this window.")
        else:
            self._say(HTTPStatus.BAD_REQUEST, str(answer))

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the lines would hold the code."""

    def _say(self, status: HTTPStatus, text: str) -> None:
        content = f"{text}\n".encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)
