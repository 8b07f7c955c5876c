"""A request to answer, and the shapes that answers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import compile_path

from sandbox.http.errors import not_found
from sandbox.http.paging import PAGE_TOKEN, PageTokens
from sandbox.http.parameters import MAX_COUNT
from sandbox.organization.identifiers import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from starlette.requests import Request

    from sandbox.http.access import Caller
    from sandbox.http.parameters import Parameters
    from sandbox.organization.calendly import Calendly
    from sandbox.organization.lag import Meetings
    from sandbox.organization.state import Record


@dataclass(frozen=True)
class Query:
    """A request whose token is valid and has the scope.

    Attributes:
        calendly: The organization.
        caller: The sender.
        ids: The identifiers in the path.
        parameters: The query's parameters.
        request: The request itself.
        page_token_life: How long page tokens are valid; ``None`` for ever.
        body: What was posted.
    """

    calendly: Calendly
    caller: Caller
    ids: Mapping[str, str]
    parameters: Parameters
    request: Request
    page_token_life: timedelta | None
    body: bytes = b""

    @property
    def members(self) -> set[str]:
        """The URIs of the organization's users."""
        return {one["user"]["uri"] for one in self.calendly.memberships.values()}

    @property
    def meetings(self) -> Meetings:
        """The meetings as the API shows them: as they were while it lags behind."""
        return self.calendly.shown_meetings()

    def found(self, records: Mapping[str, Record], collection: str, name: str = "uuid") -> Record:
        """Return the record in ``collection`` that the path names, or refuse with 404."""
        return found(records, f"{API}/{collection}/{self.ids[name]}")

    def page(self, rows: Iterable[Record], most: int = MAX_COUNT) -> Record:
        """Return the requested page of all ``rows``, in the envelope of a list.

        ``most`` is the highest number of rows per page.
        """
        tokens = PageTokens(
            self.request.scope["path"],
            self.parameters.pairs,
            self.calendly.clock.now(),
            self.page_token_life,
        )
        page = tokens.page(list(rows), self.parameters.count(most))
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


class Change(NamedTuple):
    """A request that changes something: the scope, who carries it out, and its status."""

    scope: str
    answer: Callable[[Query], Record | None]
    status: int


class Endpoint:
    """A path of the API.

    Attributes:
        template: The path with its identifiers in braces, as in Calendly's API reference.
        scope: The scope it requires.
        answer: Returns the answer's body.
        changes: What other methods than GET do, by method.
    """

    def __init__(
        self,
        template: str,
        scope: str,
        answer: Callable[[Query], Record],
        changes: Mapping[str, Change] | None = None,
    ) -> None:
        """Serve ``template``."""
        self.template = template
        self.scope = scope
        self.answer = answer
        self.changes = changes or {}
        self._pattern, _, _ = compile_path(template)

    def ids(self, path: str) -> dict[str, str] | None:
        """Return the identifiers in ``path``, or ``None`` if it does not match."""
        match = self._pattern.match(path)
        return None if match is None else match.groupdict()


def resource(record: Record) -> Record:
    """Return ``record`` in the envelope of a single record."""
    return {"resource": record}


def collection(rows: Iterable[Record]) -> Record:
    """Return ``rows`` in the envelope of a list without pages."""
    return {"collection": list(rows)}


def one_page(rows: Sequence[Record]) -> Record:
    """Return ``rows`` in the envelope of a list that always has one page."""
    nowhere = ("next_page", "previous_page", "next_page_token", "previous_page_token")
    return {**collection(rows), "pagination": {"count": len(rows), **dict.fromkeys(nowhere)}}


def found(records: Mapping[str, Record], uri: str) -> Record:
    """Return the record with this URI, or refuse with 404."""
    record = records.get(uri)
    if record is None:
        raise not_found()
    return record


def ordered(rows: Iterable[Record], order: str | None) -> list[Record]:
    """Return ``rows`` sorted by an order such as ``start_time:desc``, if given."""
    if order is None:
        return list(rows)
    field, _, way = order.partition(":")
    # Rows without a value come first (one-off event types have no name).
    return sorted(rows, key=lambda row: (row[field] is not None, row[field]), reverse=way == "desc")
