"""Lists whose rows come from files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sandbox.http.answers.query import Endpoint
from sandbox.organization import fixtures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.http.answers.query import Query
    from sandbox.organization.fixtures import Fixture
    from sandbox.organization.state import Record


def endpoints(found: Mapping[str, Fixture]) -> tuple[Endpoint, ...]:
    """Return the endpoints that serve fixtures."""
    return tuple(Endpoint(one.path, one.scope, partial(_page, one)) for one in found.values())


def _page(fixture: Fixture, query: Query) -> Record:
    return query.page(fixture.rows)


ENDPOINTS = endpoints(fixtures.read())
