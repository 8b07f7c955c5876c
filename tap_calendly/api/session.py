"""Connections to Calendly's hosts."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection

from tap_calendly.reporting import errors, messages, remedies

BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What requests raises when no answer came, or only a part of one."""

# Python's own trace of connections, were it switched on anywhere, would print the token.
urllib3.connection.HTTPConnection.debuglevel = 0


def new_session(url: str, agent: str) -> requests.Session:
    """Prepare connections to the host of a URL.

    A session takes no credentials from the environment (`.netrc`), and looks for proxies and
    certificates there once, not for each request. Plain HTTP, which is for this computer only, goes
    through no proxy, so that none reads what is sent. A timeout bounds the whole response.

    Raises:
        FatalError: The certificates that the environment names do not exist.
    """
    session = _Session()
    session.headers["User-Agent"] = agent
    environment = session.merge_environment_settings(url, {}, None, None, None)
    encrypted = url.lower().startswith("https:")
    session.proxies = environment["proxies"] if encrypted else {}
    session.verify = environment["verify"]
    if encrypted and isinstance(session.verify, str) and not Path(session.verify).exists():
        raise errors.FatalError(messages.NO_CERTIFICATES, path=session.verify)
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter())
    return session


def same_host(url: str, other: str) -> bool:
    r"""Tell whether two URLs have the same scheme, host and port; False if one cannot be parsed.

    They are parsed as urllib3 does when it connects: other parsers see a different host in
    `https://evil.example\@api.calendly.com`.
    """
    try:
        return _origin(url) == _origin(other)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str | None, str | None, str | None, int | None]:
    parts = urllib3.util.parse_url(url)
    port = parts.port or {"http": 80, "https": 443}.get(str(parts.scheme))
    return parts.scheme, parts.auth, parts.host, port


def no_answer(
    error: requests.RequestException, stream: str, method: str, url: str, setting: str
) -> errors.CalendlyError:
    """Report that no answer came from the host that a setting names."""
    parts = urlsplit(url)
    may_come_back = isinstance(error, BROKEN_OFF) and not remedies.is_untrusted(error)
    failed = errors.TransientError if may_come_back else errors.CalendlyError
    return failed(
        messages.NO_ANSWER,
        stream=stream,
        method=method,
        host=parts.netloc,
        path=parts.path,
        failure=remedies.failure(error),
        next_step=remedies.step_without_answer(error, setting),
    )


class _Session(requests.Session):
    """Ignores redirects: requests parses their URL even if it is not to follow them, and fails."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Stream(io.RawIOBase):
    """The bytes of a connection, until the response has taken too long."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._connected = connected
        self._end = time.monotonic() + (connected.gettimeout() or 0)  # all our requests have one

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        self._connected.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """A response whose timeout is for the whole of it: usually it restarts with each byte."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as there
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Stream(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Response


class _Encrypted(HTTPSConnection):
    response_class = _Response


class _Adapter(HTTPAdapter):
    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _Encrypted if pool.scheme == "https" else _Plain
        return pool
