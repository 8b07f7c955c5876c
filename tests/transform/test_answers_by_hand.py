"""The independent answers, against some that were worked out by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.transform.answers import QUESTIONS, Answer, one_decimal, percentile
from tests.transform.meaning import Meaning

if TYPE_CHECKING:
    from tests.singer import Row

NOW = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


def _meeting(uri: str, of: str, start: str, minutes: int, *hosts: Row, active: bool = True) -> Row:
    starts_at = datetime.fromisoformat(f"2026-{start}:00+00:00")
    return {
        "uri": uri,
        "event_type": of,
        "name": "Chat",
        "status": "active" if active else "canceled",
        "start_time": _stamp(starts_at),
        "end_time": _stamp(starts_at + timedelta(minutes=minutes)),
        "event_memberships": list(hosts),
    }


def _host(user: str, name: str, *buffered: str) -> Row:
    first, last = (f"2026-{one}:00.000000Z" for one in buffered) if buffered else (None, None)
    return {
        "user": user,
        "user_name": name,
        "buffered_start_time": first,
        "buffered_end_time": last,
    }


def _invitee(uri: str, event: str, created: str, **fields: object) -> Row:
    return {
        "uri": uri,
        "event": event,
        "created_at": f"2026-{created}:00.000000Z",
        "status": "canceled" if "cancellation" in fields else "active",
        "no_show": None,
        "old_invitee": None,
        "rescheduled": False,
        "timezone": None,
        "tracking": {"utm_source": None, "utm_campaign": None},
        "questions_and_answers": [],
        "routing_form_submission": None,
        "payment": None,
        **fields,
    }


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.000000Z"


def _paid(external_id: str, amount: float | str, currency: str, *, successful: bool = True) -> Row:
    return {
        "external_id": external_id,
        "amount": amount,
        "currency": currency,
        "successful": successful,
    }


def _answered(**answers: str) -> list[Row]:
    return [{"question": question, "answer": answer} for question, answer in answers.items()]


def _submission(uri: str, created: str, result: str, submitter: str | None = None) -> Row:
    return {
        "uri": uri,
        "routing_form": "form",
        "result": {"type": result},
        "created_at": f"2026-{created}:00.000000Z",
        "submitter": submitter,
    }


def _place(group: str) -> Row:
    owner = {"type": "OrganizationMembership", "user": {"uri": "ada"}}
    return {"uri": f"in {group}", "group": group, "owner": owner}


BY_HOST, BY_INVITEE = {"canceler_type": "host"}, {"canceler_type": "invitee"}
MOVED = {"rescheduled": True, "cancellation": BY_INVITEE}
ADA = _host("ada", "As Calendly had it")
PARIS = "Europe/Paris"

ROWS: dict[str, list[Row]] = {
    "event_types": [
        {"uri": "call", "name": "Call", "profile": {"type": "Team", "name": "Sales"}},
        {"uri": "one-off", "name": None, "profile": {"type": "User", "name": "Ada"}},
    ],
    "organization_memberships": [{"uri": "m", "user": {"uri": "ada", "name": "Ada"}}],
    "groups": [{"uri": "g1", "name": "Zebras"}, {"uri": "g2", "name": "Apes"}],
    "group_relationships": [_place("g1"), _place("g2")],
    "scheduled_events": [
        # On a Sunday in New York.
        _meeting(
            "m1",
            "call",
            "02-23T02:00",
            30,
            _host("ada", "As Calendly had it", "02-23T01:45", "02-23T02:40"),
        ),
        _meeting("m2", "one-off", "03-02T15:00", 60, ADA),
        _meeting("m3", "one-off", "03-03T15:00", 60, ADA, active=False),
        _meeting("m4", "one-off", "03-05T03:00", 90, _host("bo", "Bo")),
        _meeting("m5", "call", "03-17T03:30", 30, ADA, active=False),
        _meeting(
            "m6",
            "call",
            "02-20T10:00",
            60,
            _host("bo", "Bo, once"),
            _host("ada", "As Calendly had it", "02-20T10:00", "02-20T11:15"),
        ),
    ],
    "event_invitees": [
        _invitee(
            "a",
            "m1",
            "02-21T02:00",
            no_show={"uri": "n"},
            timezone=PARIS,
            tracking={"utm_source": "s", "utm_campaign": "c"},
            questions_and_answers=_answered(Q="yes"),
            payment=_paid("e1", "90.50", "EUR"),
        ),
        _invitee("b1", "m3", "03-01T15:00", routing_form_submission="s2", **MOVED),
        _invitee("b2", "m2", "03-01T16:00", old_invitee="b1"),
        _invitee("c", "m4", "03-03T03:00", old_invitee="unknown", payment=_paid("e2", 10, "USD")),
        _invitee(
            "d",
            "m5",
            "03-03T03:30",
            cancellation=BY_HOST,
            timezone=PARIS,
            payment=_paid("e3", 5.0, "USD"),
        ),
        # A fork: f1 -> f2 -> f4, and f1 -> f3.
        _invitee(
            "f1",
            "m6",
            "02-18T10:00",
            payment=_paid("e4", 10, "EUR"),
            questions_and_answers=_answered(Q="no"),
            **MOVED,
        ),
        _invitee(
            "f2",
            "m6",
            "02-18T11:00",
            old_invitee="f1",
            payment=_paid("e5", 99, "EUR", successful=False),
            **MOVED,
        ),
        _invitee(
            "f3",
            "m6",
            "02-18T13:00",
            old_invitee="f1",
            no_show={"uri": "n"},
            payment=_paid("e4", "10.00", "EUR"),
        ),
        _invitee(
            "f4",
            "m6",
            "02-18T12:00",
            old_invitee="f2",
            timezone=PARIS,
            payment=_paid("e6", 7.5, "EUR"),
            questions_and_answers=_answered(Q="yes", R=""),
        ),
        # A cycle.
        _invitee("x", "m1", "02-22T02:00", old_invitee="y", **MOVED),
        _invitee("y", "m1", "02-22T03:00", old_invitee="x", cancellation=BY_INVITEE),
    ],
    "routing_forms": [{"uri": "form", "name": "Form"}],
    "routing_form_submissions": [
        _submission("s1", "02-21T01:30", "event_type", "a"),
        _submission("s2", "03-01T14:00", "event_type"),
        _submission("s3", "03-01T14:00", "external_url"),
    ],
}

ANSWERS: dict[str, Answer] = {
    "01_meetings_by_week_and_team": [
        (date(2026, 2, 16), "Sales", 2),
        (date(2026, 3, 2), "Apes", 1),
    ],
    "02_no_show_rate_by_event_type": [("Call", 2, 1, 50), ("Chat", 1, 0, 0)],
    "03_cancellation_rate_without_reschedules": [("Call", 4, 2, 50, 1), ("Chat", 2, 0, 0, 0)],
    "04_lead_time": [("Call", 4, 2, Decimal("10.4")), ("Chat", 2, 2, 2)],
    "05_host_load": [("Ada", 3, Decimal("2.5"), Decimal("3.2")), ("Bo", 1, 1, 1)],
    "06_reschedule_chains": [(0, 3, 0, 1, 0), (1, 2, 1, 1, Decimal("-0.5")), (2, 1, 1, 0, 0)],
    "07_sources": [("(none)", "(none)", 5, 100), ("s", "c", 1, 0)],
    "08_routing_conversion": [
        ("Form", "event_type", 2, 2, 100, 45),
        ("Form", "external_url", 1, 0, 0, None),
    ],
    "09_answers": [("Q", "yes", 2)],
    "10_next_14_days": [
        (date(2026, 3, 4), 1, 1, Decimal("1.5")),
        *((date(2026, 3, day), 0, 0, 0) for day in range(5, 18)),
    ],
    "11_time_zones": [("(unknown)", 3, 50), (PARIS, 3, 50)],
    "12_revenue": [
        ("Call", "EUR", 2, 108, 0),
        ("Chat", "USD", 1, 10, 0),
        ("Call", "USD", 1, 5, 5),
    ],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_one_worked_out_by_hand(question: str) -> None:
    rows = {name: {row["uri"]: row for row in found} for name, found in ROWS.items()}

    meaning = Meaning(rows, NOW, "America/New_York")

    assert QUESTIONS[question].answer(meaning) == ANSWERS[question]


def test_halves_are_rounded_away_from_zero() -> None:
    rounded = [one_decimal(Fraction(number, 20)) for number in (5, 4, -5, -3)]

    assert rounded == [Decimal(one) for one in ("0.3", "0.2", "-0.3", "-0.2")]


def test_percentiles_are_interpolated() -> None:
    found = [percentile([Fraction(one) for one in (1, 2, 4)], Fraction(n, 4)) for n in range(5)]

    assert found == [1, Fraction(3, 2), 2, 3, 4]
