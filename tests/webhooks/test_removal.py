"""What is pruned or forgotten is gone, and a reader that has not read it can tell."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tap_calendly.inbox import tables
from tap_calendly.inbox.delivery import parse
from tap_calendly.inbox.reader import InboxReader
from tap_calendly.inbox.store import Store
from tap_calendly.reporting.errors import CalendlyError
from tests.webhooks.deliveries import delivery

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def kept(url: str) -> list[str | None]:
    return [one.delivery.invitee_uri for one in InboxReader(url).after(0)]


def test_pruning_removes_what_is_older_and_notes_the_highest_position(inbox_url: str) -> None:
    store = Store(inbox_url)
    for number in range(1, 5):
        store.add(delivery(number), NOW + number * DAY)

    assert store.prune(NOW + 3 * DAY) == 2
    assert store.prune(NOW) == 0
    assert kept(inbox_url) == [delivery(3).invitee_uri, delivery(4).invitee_uri]
    assert InboxReader(inbox_url).removed == 2
    assert InboxReader(inbox_url).last == 4


def test_pruning_everything_leaves_the_last_position(inbox_url: str) -> None:
    store = Store(inbox_url)
    store.add_all([delivery(1), delivery(2)], NOW)

    assert store.prune(NOW + DAY) == 2
    assert (InboxReader(inbox_url).last, InboxReader(inbox_url).removed) == (2, 2)
    assert InboxReader(inbox_url).has_delivery_after(1)
    assert not InboxReader(inbox_url).has_delivery_after(2)


def test_forgetting_removes_a_person_and_nobody_else(inbox_url: str) -> None:
    store = Store(inbox_url)
    store.add_all([delivery(number, email=f"guest{number % 3}@x.org") for number in range(9)], NOW)

    assert store.forget(" Guest2@X.org ") == 3
    assert len(kept(inbox_url)) == 6
    assert InboxReader(inbox_url).removed == 9
    assert store.forget("guest2@x.org") == 0
    store.add(delivery(20), NOW)
    assert store.forget("guest1@x.org") == 3
    assert InboxReader(inbox_url).removed == 9, "never lower"
    assert InboxReader(inbox_url).last == 10


def test_forgetting_removes_what_names_a_person_by_uri_alone(inbox_url: str) -> None:
    store = Store(inbox_url)
    marked = delivery(1, "invitee_no_show.created", email=None)
    store.add_all([delivery(1, email="o'brien@x.org"), marked, delivery(2)], NOW)

    assert store.forget("brien@x.org") == 0
    assert store.forget("O'Brien@x.org") == 2
    assert kept(inbox_url) == [delivery(2).invitee_uri]


def test_forgetting_says_that_the_log_is_in_use(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BUSY_SECONDS", 0.1)
    store = Store(sqlite)
    store.add(delivery(1, email="ann@x.org"), NOW)
    with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM calendly_deliveries").fetchall()

        with pytest.raises(CalendlyError, match="another program is reading the inbox"):
            store.forget("ann@x.org")
    assert kept(sqlite) == []


def test_forgetting_goes_through_all_deliveries(sqlite: str) -> None:
    store = Store(sqlite)
    store.add_all([delivery(number, email="ann@x.org") for number in range(1100)], NOW)

    assert store.forget("ann@x.org") == 1100
    assert kept(sqlite) == []


def test_forgetting_leaves_nothing_in_the_files(sqlite: str) -> None:
    store = Store(sqlite)
    store.add_all([delivery(number, email="ann@x.org") for number in range(50)], NOW)
    store.add(delivery(60), NOW)
    folder = Path(str(make_url(sqlite).database)).parent
    assert any(b"ann@x.org" in file.read_bytes() for file in folder.iterdir())

    store.forget("ann@x.org")

    assert not any(b"ann@x.org" in file.read_bytes() for file in folder.iterdir())
    assert any(b"guest60@" in file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        '"ann@x.org"',
        '"ANN@X.ORG"',
        r'"ann\u0040x.org"',
        r'"\u0061nn@x.org"',
        r'"mail me:\nann@x.org\t"',
        r'"\"ann@x.org\""',
        r'"mailto:ann@x.org."',
        '"Ann <ann@x.org>, others"',
        '"https://x.org/?email=ann%40x.org&a=b"',
        r'"https:\/\/x.org\/ann@x.org"',
        '{"ann@x.org": 1}',
        '[["ann@x.org"]]',
    ],
)
def test_an_address_is_found_wherever_a_body_names_it(text: str) -> None:
    body = f'{{"event": "a", "payload": {text}}}'
    assert json.loads(body)

    assert parse(body.encode()).names("Ann@x.org")


@pytest.mark.parametrize("other", ["joann@x.org", "jo.ann@x.org", "a+ann@x.org", "jo-ann@x.org"])
def test_a_longer_address_is_another_persons(other: str) -> None:
    body = json.dumps({"event": "a", "payload": [other, "ann@x.org.uk", "ann@x.orgs", "ann@xyorg"]})

    assert not parse(body.encode()).names("ann@x.org")


@pytest.mark.parametrize("nothing", ["", " ", "ann", "x.org"])
def test_what_is_no_address_names_nobody(nothing: str) -> None:
    assert not delivery(email="ann@x.org").names(nothing)
