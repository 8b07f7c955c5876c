"""The user's browser, sent to Calendly to come back with a code.

If the app's redirect URI is `http://localhost:…`, it comes back to a server that runs here until
then; otherwise the user pastes the address.
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
"""Seconds between two checks of the server whether to stop."""

TIMEOUT = 300
"""Seconds for the user to decide; a code from Calendly is valid twice as long."""


def code_in(address: str, state: str) -> str | None:
    """Read the code from the address that the browser was sent back to; None if that is no answer.

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
    """Send the browser to Calendly, and wait on a port for it to come back with a code."""
    try:
        server = _Server(state, port)
    except OSError as error:
        raise errors.CalendlyError(
            messages.PORT_UNUSABLE, port=port, why=errors.why(error)
        ) from None
    threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    try:
        _show(address)
        answer = server.answers.get(timeout=TIMEOUT)
    except queue.Empty:
        raise errors.CalendlyError(messages.BROWSER_TIMEOUT, minutes=TIMEOUT // 60) from None
    finally:
        server.shutdown()
        server.server_close()
    if isinstance(answer, errors.CalendlyError):
        raise answer
    return answer


def code_by_hand(address: str, state: str) -> str:
    """Send the browser to Calendly, and let the user paste the address it was sent back to."""
    _show(address)
    pasted = click.prompt("Then paste the address that the browser was sent to")
    code = code_in(pasted, state)
    if code is None:
        raise errors.CalendlyError(messages.NO_CODE)
    return code


def _show(address: str) -> None:
    """Open the browser, and show the address in case there is none."""
    click.echo(f"Allow the app to read Calendly in your browser. If none opens, go to:\n{address}")
    # A browser in the terminal keeps its caller waiting until it is closed.
    threading.Thread(target=_browse, args=(address,), daemon=True).start()


def _browse(address: str) -> None:
    with suppress(webbrowser.Error):  # the address was shown
        webbrowser.open(address)


class _Server(ThreadingHTTPServer):
    """Waits for the browser, in threads, as browsers also open connections without a request."""

    # On Windows it would let two programs share a port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, state: str, port: int) -> None:
        self.state = state
        self.answers: queue.SimpleQueue[str | errors.CalendlyError] = queue.SimpleQueue()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Reads the answer from the address, and shows the user the outcome."""

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
        """Log nothing: the lines would hold the code."""

    def _say(self, status: HTTPStatus, text: str) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"{text}\n".encode())
