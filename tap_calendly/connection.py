"""A connection to one of Calendly's hosts."""

from __future__ import annotations

import requests
import urllib3

BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What the HTTP library says when no answer came, or not all of it."""

# Python's own trace of connections, wherever it is switched on, would print the token.
urllib3.connection.HTTPConnection.debuglevel = 0


def session(url: str, agent: str) -> requests.Session:
    """Prepare connections to a host.

    Args:
        url: An address there.
        agent: What requests call themselves.

    Returns:
        A session that takes no credentials from the environment (`.netrc`), and its proxies and
        certificates once, as they are otherwise searched for each request. No proxy gets to read
        what is sent: without encryption, which is to this computer alone, there is none.
    """
    made = requests.Session()
    made.headers["User-Agent"] = agent
    found = made.merge_environment_settings(url, {}, None, None, None)
    made.proxies = found["proxies"] if url.lower().startswith("https:") else {}
    made.verify = found["verify"]
    made.trust_env = False
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
