"""Requests to a sandbox, as any HTTP client makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from sandbox.organization.identifiers import API

if TYPE_CHECKING:
    from sandbox.http.server import Sandbox


def ask(
    sandbox: Sandbox, path: str, params: dict[str, Any] | None = None, token: str | None = None
) -> requests.Response:
    """Return the answer to a GET, with the owner's token unless another is given.

    ``path`` may be a path, a canonical URI of Calendly's, or an address of the sandbox.
    """
    address = path.removeprefix(API).removeprefix(sandbox.url)
    headers = {"Authorization": f"Bearer {sandbox.token if token is None else token}"}
    return requests.get(f"{sandbox.url}{address}", params, headers=headers, timeout=10)


def whole(sandbox: Sandbox, path: str, params: dict[str, Any] | None = None) -> list[Any]:
    """Return all rows of a list, page by page as ``next_page`` leads."""
    rows: list[Any] = []
    answer = ask(sandbox, path, params).json()
    while True:
        rows += answer["collection"]
        following = answer["pagination"]["next_page"]
        if following is None:
            return rows
        answer = ask(sandbox, following).json()


def path_of(uri: str) -> str:
    """Return the path of a canonical URI."""
    return uri.removeprefix(API)


def starts(answer: requests.Response) -> list[str]:
    """Return the starts of the meetings on a page."""
    assert answer.status_code == 200, answer.text
    return [one["start_time"] for one in answer.json()["collection"]]


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return the status and the message of a refusal."""
    return answer.status_code, answer.json()["message"]
