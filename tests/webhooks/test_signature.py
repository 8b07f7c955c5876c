"""A delivery is taken only if one of the keys signed it, lately, whatever form the header has."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tap_calendly.webhooks import refusals, signature
from tests.webhooks.deliveries import KEY, body, digest

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=timezone.utc)
STAMP = int(NOW.timestamp())
BODY = body()
RIGHT = digest(BODY, STAMP)
OTHER = digest(BODY, STAMP, "another key")
TOLERANCE = timedelta(seconds=180)


def problem(header: str, content: bytes = BODY, keys: tuple[str, ...] = (KEY,)) -> str | None:
    found = signature.problem(header, content, keys, NOW, TOLERANCE)
    return None if found is None else found.reason


@pytest.mark.parametrize(
    "header",
    [
        f"t={STAMP},v1={RIGHT}",
        f" t={STAMP} , v1={RIGHT} ",
        f"v1={RIGHT},t={STAMP}",
        f"t={STAMP},v1={RIGHT.upper()}",
        f"t={STAMP},v1={OTHER},v1={RIGHT}",
        f"t={STAMP},v1={RIGHT},v1=",
        f"t={STAMP},v0=abc,v1={RIGHT},v2=def",
    ],
)
def test_a_right_signature_is_taken_in_any_form(header: str) -> None:
    assert problem(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        RIGHT,
        f"v1={RIGHT}",
        f"t={STAMP}",
        f"T={STAMP},V1={RIGHT}",
        f"t={STAMP},t={STAMP},v1={RIGHT}",
        f"t={STAMP}.0,v1={RIGHT}",
        f"t=-{STAMP},v1={RIGHT}",
        f"t={STAMP}{'0' * 4000},v1={RIGHT}",
        f"t=\xb2{STAMP},v1={RIGHT}",
        f"t={STAMP};v1={RIGHT}",
        f"t={STAMP},v0={RIGHT}",
    ],
)
def test_a_header_of_another_form_is_no_signature(header: str) -> None:
    assert problem(header) == "no signature"


@pytest.mark.parametrize(
    "given", [OTHER, RIGHT[:-1], f"{RIGHT}0", "é" * 64, digest(BODY, f"0{STAMP}"), "0" * 64]
)
def test_any_other_digest_is_wrong(given: str) -> None:
    assert problem(f"t={STAMP},v1={given}") == "wrong signature"


def test_a_changed_body_or_time_is_wrong() -> None:
    assert problem(f"t={STAMP},v1={RIGHT}", BODY + b" ") == "wrong signature"
    assert problem(f"t={STAMP + 1},v1={RIGHT}") == "wrong signature"


def test_either_key_is_right_while_one_is_being_changed() -> None:
    assert problem(f"t={STAMP},v1={OTHER}", keys=(KEY, "another key")) is None
    assert problem(f"t={STAMP},v1={RIGHT}", keys=(KEY, "another key")) is None
    assert problem(f"t={STAMP},v1={RIGHT}", keys=("another key",)) == "wrong signature"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (181, refusals.OLD_SIGNATURE),
        (180, None),
        (0, None),
        (-180, None),
        (-181, refusals.FUTURE_SIGNATURE),
    ],
)
def test_the_tolerance_goes_both_ways(age: int, expected: refusals.Refusal | None) -> None:
    stamp = STAMP - age
    header = f"t={stamp},v1={digest(BODY, stamp)}"

    assert signature.problem(header, BODY, [KEY], NOW, TOLERANCE) == expected


def test_only_a_right_signature_can_be_old() -> None:
    assert problem(f"t={STAMP - 999},v1={digest(BODY, STAMP - 999, 'x')}") == "wrong signature"
