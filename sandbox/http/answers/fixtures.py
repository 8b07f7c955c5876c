"""Lists whose rows come from files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sandbox.http.answers.query import Endpoint, found, resource
from sandbox.http.errors import not_found
from sandbox.organization import fixtures
from sandbox.organization.identifiers import API, last_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.http.answers.query import Query
    from sandbox.organization.fixtures import Fixture
    from sandbox.organization.state import Record


def endpoints(given: Mapping[str, Fixture]) -> tuple[Endpoint, ...]:
    """Return the endpoints that serve fixtures."""
    return tuple(
        Endpoint(path, fixture.scope, partial(answer, fixture))
        for fixture in given.values()
        for path, answer in ((fixture.path, _answer), (f"{fixture.path}/{{own_uuid}}", _row))
    )


def _answer(fixture: Fixture, query: Query) -> Record:
    asked = query.ids.get("uuid") or query.parameters.sent.get(fixture.parameter, "")
    rows = [
        _without_parent(row)
        for row in fixture.rows
        if last_segment(row.get("parent", "")) == last_segment(asked)
    ]
    if not fixture.single:
        return query.page(rows)
    if not rows:
        raise not_found()
    return resource(rows[0])


def _row(fixture: Fixture, query: Query) -> Record:
    """Return the row whose URI is asked for."""
    rows = {row.get("uri", ""): _without_parent(row) for row in fixture.rows}
    return resource(found(rows, API + query.request.scope["path"]))


def _without_parent(row: Record) -> Record:
    return {name: value for name, value in row.items() if name != "parent"}


ENDPOINTS = endpoints(fixtures.read())
