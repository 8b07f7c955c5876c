"""What is asked, and the shapes that answers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import compile_path

from sandbox.http.errors import not_found
from sandbox.http.paging import PAGE_TOKEN, Moment, page_of
from sandbox.http.parameters import MAX_COUNT
from sandbox.organization.identifiers import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from starlette.requests import Request

    from sandbox.http.access import Caller
    from sandbox.http.parameters import Parameters
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.state import Record


@dataclass(frozen=True)
class Query:
    """A request that may be answered: the token is valid and has the scope.

    Attributes:
        calendly: What there is to read.
        caller: Whoever asks.
        ids: The identifiers in the path.
        parameters: The parameters behind it.
        request: The request itself.
        page_token_life: How long page tokens are good for; ``None`` for ever.
    """

    calendly: Calendly
    caller: Caller
    ids: Mapping[str, str]
    parameters: Parameters
    request: Request
    page_token_life: timedelta | None

    @property
    def members(self) -> set[str]:
        """The URIs of the organisation's users."""
        return {one["user"]["uri"] for one in self.calendly.memberships.values()}

    def found(self, records: Mapping[str, Record], collection: str, name: str = "uuid") -> Record:
        """Return the record in ``collection`` that the path names.

        Raises:
            CalendlyError: 404, if there is none.
        """
        return found(records, f"{API}/{collection}/{self.ids[name]}")

    def page(self, rows: Iterable[Record], most: int = MAX_COUNT) -> Record:
        """Return the page of ``rows`` that is asked for, in the envelope of a list.

        Args:
            rows: The whole list.
            most: How many rows a page may have.
        """
        page = page_of(
            list(rows),
            path=self.request.scope["path"],
            query=self.parameters.pairs,
            count=self.parameters.count(most),
            moment=Moment(self.calendly.clock.now(), self.page_token_life),
        )
        return {
            "collection": page.rows,
            "pagination": {
                "count": len(page.rows),
                "next_page": self._address(page.next_token),
                "previous_page": self._address(page.previous_token),
                "next_page_token": page.next_token,
                "previous_page_token": page.previous_token,
            },
        }

    def _address(self, token: str | None) -> str | None:
        if token is None:
            return None
        return str(self.request.url.include_query_params(**{PAGE_TOKEN: token}))


class Endpoint:
    """A path of the API.

    Attributes:
        template: The path with its identifiers in braces, as Calendly's API reference has it.
        scope: What a token must be ticked for.
        answer: Makes the body of the answer.
    """

    def __init__(self, template: str, scope: str, answer: Callable[[Query], Record]) -> None:
        """Serve ``template`` by ``answer``."""
        self.template = template
        self.scope = scope
        self.answer = answer
        self._pattern, _, _ = compile_path(template)

    def ids(self, path: str) -> dict[str, str] | None:
        """Return the identifiers in ``path``, or ``None`` if it is another path."""
        match = self._pattern.match(path)
        return None if match is None else match.groupdict()


def resource(record: Record) -> Record:
    """Return ``record`` in the envelope of a single one."""
    return {"resource": record}


def collection(rows: Iterable[Record]) -> Record:
    """Return ``rows`` in the envelope of a list that has no pages."""
    return {"collection": list(rows)}


def found(records: Mapping[str, Record], uri: str) -> Record:
    """Return the record that ``uri`` names.

    Raises:
        CalendlyError: 404, if there is none.
    """
    record = records.get(uri)
    if record is None:
        raise not_found()
    return record


def ordered(rows: Iterable[Record], order: str | None) -> list[Record]:
    """Return ``rows`` sorted by an order such as ``start_time:desc``; as they are without one."""
    if order is None:
        return list(rows)
    field, _, way = order.partition(":")
    # The two parts let rows without a value (one-off event types have no name) come first.
    return sorted(rows, key=lambda row: (row[field] is not None, row[field]), reverse=way == "desc")
