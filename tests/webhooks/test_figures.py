"""The figures of an inbox, as `status` shows them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tap_calendly.inbox.figures import figures
from tap_calendly.inbox.store import Store
from tap_calendly.reporting.errors import CalendlyError
from tests.webhooks.deliveries import delivery

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def test_an_inbox_says_what_came_in_the_last_day(inbox_url: str) -> None:
    store = Store(inbox_url)
    store.beat(NOW - 30 * HOUR)
    store.add(delivery(1), NOW - 30 * HOUR)
    store.add(delivery(2), NOW - 23 * HOUR)
    store.add(delivery(3, "invitee.canceled"), NOW - 2 * HOUR)
    store.add(delivery(4), NOW - HOUR)
    store.beat(NOW)

    found = figures(inbox_url, NOW)

    assert found.deliveries == 4
    assert found.last_received_at == NOW - HOUR
    assert found.by_event == {"invitee.canceled": 1, "invitee.created": 2}
    assert found.beat == NOW
    assert found.size_bytes is not None
    assert found.size_bytes > 10_000


def test_refused_deliveries_of_all_receivers_are_added_up_for_a_day(inbox_url: str) -> None:
    one, other = Store(inbox_url), Store(inbox_url)
    one.beat(NOW - 26 * HOUR, {"wrong signature": 1000})
    one.beat(NOW - 23 * HOUR, {"wrong signature": 100, "too large": 1})
    one.beat(NOW, {"wrong signature": 10})
    other.beat(NOW, {"wrong signature": 1, "old signature": 2})
    other.beat(NOW)

    assert figures(inbox_url, NOW).refused == {
        "old signature": 2,
        "too large": 1,
        "wrong signature": 111,
    }
    one.beat(NOW + 3 * HOUR)
    assert figures(inbox_url, NOW).refused == {"old signature": 2, "wrong signature": 11}


def test_an_inbox_that_is_not_there_is_not_created(sqlite: str, postgres: str) -> None:
    with pytest.raises(CalendlyError, match="does not exist"):
        figures(sqlite, NOW)
    with pytest.raises(CalendlyError, match="cannot be reached \\(UndefinedTable\\)"):
        figures(postgres, NOW)
    with pytest.raises(CalendlyError, match="cannot be reached \\(UndefinedTable\\)"):
        figures(postgres, NOW)
