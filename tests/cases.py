"""Parametrization of which the quick suite runs only some cases."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from _pytest.mark import ParameterSet

quick_suite = False
"""Whether this is the quick suite: the command is then forked from a process that has loaded it."""

T = TypeVar("T")


def cases(values: Iterable[T], *, quick: Collection[T]) -> list[ParameterSet]:
    """Return all values as parameters; those that are not quick are left to `make test-all`."""
    return [
        pytest.param(value, marks=_marks(quick=value in quick), id=str(value)) for value in values
    ]


def crossed(
    ones: Iterable[str], others: Iterable[str], *, quick: Callable[[str, str], bool]
) -> list[ParameterSet]:
    """Return all pairs as parameters; those that are not quick are left to `make test-all`."""
    return [
        pytest.param(*pair, marks=_marks(quick=quick(*pair)), id="-".join(pair))
        for pair in product(ones, others)
    ]


def _marks(*, quick: bool) -> tuple[pytest.MarkDecorator, ...]:
    return () if quick else (pytest.mark.exhaustive,)
