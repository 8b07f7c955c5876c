"""A connection to one of Calendly's hosts."""

from __future__ import annotations

import requests

BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What the HTTP library says when no answer came, or not all of it."""


def session(url: str, agent: str) -> requests.Session:
    """Prepare connections to a host.

    Args:
        url: An address there.
        agent: What requests call themselves.

    Returns:
        A session that takes no credentials from the environment (`.netrc`), and its proxies and
        certificates once, as they are otherwise searched for each request.
    """
    made = requests.Session()
    made.headers["User-Agent"] = agent
    found = made.merge_environment_settings(url, {}, None, None, None)
    made.proxies, made.verify = found["proxies"], found["verify"]
    made.trust_env = False
    return made
