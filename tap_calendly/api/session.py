"""A connection to one of Calendly's hosts."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

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
"""What the HTTP library says when no answer came, or not all of it."""

# Python's own trace of connections, wherever it is switched on, would print the token.
urllib3.connection.HTTPConnection.debuglevel = 0


def new_session(url: str, agent: str) -> requests.Session:
    """Prepare connections to the host of an address.

    A session takes no credentials from the environment (`.netrc`), and proxies and certificates
    once, as they are otherwise searched for each request. No proxy reads what is sent: there is
    none without encryption, which is used on this computer only. The timeout of a request bounds
    its whole response.

    Args:
        url: The address.
        agent: The `User-Agent` of requests.

    Raises:
        FatalError: The certificates that the environment names do not exist.
    """
    made = _Session()
    made.headers["User-Agent"] = agent
    found = made.merge_environment_settings(url, {}, None, None, None)
    encrypted = url.lower().startswith("https:")
    made.proxies = found["proxies"] if encrypted else {}
    made.verify = found["verify"]
    if encrypted and isinstance(made.verify, str) and not Path(made.verify).exists():
        raise errors.FatalError(messages.NO_CERTIFICATES, path=made.verify)
    made.trust_env = False
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter())
    return made


def same_host(url: str, other: str) -> bool:
    r"""Tell whether scheme, host and port of two addresses are the same.

    They are read as the HTTP library reads them: others see the end of a host elsewhere, such as
    in `https://evil.example\@api.calendly.com`. An address that cannot be read leads nowhere.
    """
    if url.startswith(f"{other}/"):  # which is quick: every reader sees a host end there
        return True
    try:
        return _origin(url) == _origin(other)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str | None, str | None, str | None, int | None]:
    parts = urllib3.util.parse_url(url)
    port = parts.port or {"http": 80, "https": 443}.get(str(parts.scheme))
    return parts.scheme, parts.auth, parts.host, port


def may_come_back(error: requests.RequestException) -> bool:
    """Tell whether a later try may get an answer where this one got none."""
    return isinstance(error, BROKEN_OFF) and not remedies.is_untrusted(error)


class _Session(requests.Session):
    """Ignores redirects: the library reads their address even if told not to follow, and fails."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Stream(io.RawIOBase):
    """The bytes of a connection, until a response has taken too long."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._connected = connected
        timeout = connected.gettimeout()
        self._end = None if timeout is None else time.monotonic() + timeout

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        if self._end is not None:
            if (left := self._end - time.monotonic()) <= 0:
                raise TimeoutError
            self._connected.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """A response whose timeout is for all of it, and not for each byte."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as there
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Stream(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Response


class _Encrypted(HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class _Adapter(HTTPAdapter):
    """Bounds whole responses: the timeout of requests and urllib3 restarts with each byte."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _bound(self.poolmanager)

    @override
    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        _bound(manager)
        return manager


def _bound(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}
