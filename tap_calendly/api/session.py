"""A connection to one of Calendly's hosts."""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection

from tap_calendly.reporting import errors

if TYPE_CHECKING:
    import socket

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
    """Prepare connections to a host.

    Args:
        url: An address there.
        agent: What requests call themselves.

    Returns:
        A session that takes no credentials from the environment (`.netrc`), and its proxies and
        certificates once, as they are otherwise searched for each request. No proxy gets to read
        what is sent: without encryption, which is to this computer alone, there is none. The
        timeout of a request bounds its whole answer.

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
        raise errors.FatalError(errors.no_certificates(made.verify))
    made.trust_env = False
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter())
    return made


def same_host(url: str, other: str) -> bool:
    r"""Tell whether two addresses lead to the same host, so that the token may go to either.

    They are read as the HTTP library reads them: others see the end of a host elsewhere, such as
    in `https://evil.example\@api.calendly.com`.

    Args:
        url: An address; one that cannot be read leads nowhere.
        other: The other.

    Returns:
        Whether scheme, credentials (there should be none), host and port are the same.
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
    """Tell whether a later try may get an answer where this one got none.

    Args:
        error: What the HTTP library raised.

    Returns:
        Whether the connection was broken off, and not refused by us.
    """
    return isinstance(error, BROKEN_OFF) and not errors.is_untrusted(error)


class _Session(requests.Session):
    """Leaves redirects alone: the library looks where they lead even if it is not to follow them.

    What it finds there may be no address at all, on which it stumbles.
    """

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Stream(io.RawIOBase):
    """What comes over a connection, until an answer has taken too long."""

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
    """An answer that has come whole in the time for which others would wait for each byte."""

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
    """Bounds whole answers: the timeout of requests and urllib3 begins anew with each byte."""

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
