"""A receiver that is killed under load has every delivery that it answered 200, exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPException
from itertools import count
from threading import Event

import pytest

from tap_calendly.inbox.reader import InboxReader
from tests.cases import cases
from tests.webhooks.deliveries import body, signature
from tests.webhooks.served import Served

CONNECTIONS = 8
ANSWERS = 60
"""How many deliveries are answered before each kill, at least."""


@pytest.mark.parametrize("kills", cases([1, 10], quick=[1]))
def test_whatever_was_answered_200_is_kept_exactly_once(inbox_url: str, kills: int) -> None:
    numbers, answered = count(), set[bytes]()
    for _ in range(kills):
        with Served(inbox_url) as served:
            answered |= _post_until_killed(served, numbers)

    found = [one.delivery.body.encode() for one in InboxReader(inbox_url).after(0)]
    assert len(answered) >= kills * ANSWERS
    assert answered <= set(found)
    assert len(found) == len(set(found))


def _post_until_killed(served: Served, numbers: count[int]) -> set[bytes]:
    """Post over several connections; kill the receiver while they wait for answers."""
    answered: list[bytes] = []
    enough = Event()

    def post() -> None:
        with closing(served.connection()) as connection:
            while True:
                content = body(next(numbers))
                headers = {"Calendly-Webhook-Signature": signature(content)}
                try:
                    connection.request("POST", "/", content, headers)
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, HTTPException):
                    return  # killed
                assert answer.status == 200
                answered.append(content)
                if len(answered) >= ANSWERS:
                    enough.set()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        posting = [threads.submit(post) for _ in range(CONNECTIONS)]
        assert enough.wait(60)
        served.process.kill()
        for one in posting:
            one.result(60)
    return set(answered)
