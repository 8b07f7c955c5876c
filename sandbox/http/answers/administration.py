"""The activity log, and messages sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.http.access import ENTERPRISE, require_plan, require_whole_organization
from sandbox.http.answers.query import Endpoint
from sandbox.http.errors import invalid_argument
from sandbox.http.parameters import orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record

MOST_ENTRIES = 1000
MOST_COUNTED = 10_000
LONGEST_TERM = 300
WORD = re.compile(r'(-?)(?:"([^"]*)"|([^\s|+"]+))')


def activity_log_entries(query: Query) -> Record:
    """Return the activity log, latest first unless sorted; time filters are inclusive."""
    require_plan(query.calendly.organization["plan"], ENTERPRISE)
    asked = query.parameters
    organization = asked.required_uri("organization", "organizations")
    after, before = asked.time("min_occurred_at"), asked.time("max_occurred_at")
    actors = asked.several_uris("actor", "users")
    namespaces, actions = asked.several("namespace"), asked.several("action")
    fields = ("action", "actor.display_name", "actor.uri", "namespace", "occurred_at")
    wanted = asked.several("sort", orders(*fields))
    term = asked.sent.get("search_term", "")
    if len(term) > LONGEST_TERM:
        name, message = "search_term", f"must have {LONGEST_TERM} characters at most"
        raise invalid_argument(name, message)
    require_whole_organization(query.caller, organization)
    rows = [
        one
        for one in query.calendly.activity_log
        if (after is None or one["occurred_at"] >= after)
        and (before is None or one["occurred_at"] <= before)
        and (not actors or one["actor"].get("uri") in actors)
        and (not namespaces or one["namespace"] in namespaces)
        and (not actions or one["action"] in actions)
        and (not term or _matches(term, " ".join(_words(one)).lower()))
    ]
    # Sorting is stable: of entries with the same time, the last logged comes first.
    for order in reversed(wanted or ["occurred_at:desc"]):
        rows = _sorted(rows if wanted else rows[::-1], order)
    return {
        **query.page(rows, MOST_ENTRIES),
        "last_event_time": max((one["occurred_at"] for one in rows), default=None),
        "total_count": min(len(rows), MOST_COUNTED),
        "exceeds_max_total_count": len(rows) > MOST_COUNTED,
    }


def outgoing_communications(query: Query) -> Record:
    """Return the messages sent, in order; time filters are inclusive."""
    require_plan(query.calendly.organization["plan"], ENTERPRISE)
    organization = query.parameters.required_uri("organization", "organizations")
    after = query.parameters.time("min_created_at")
    before = query.parameters.time("max_created_at")
    require_whole_organization(query.caller, organization)
    rows = [
        one
        for one in query.calendly.communications
        if (after is None or one["created_at"] >= after)
        and (before is None or one["created_at"] <= before)
    ]
    return {**query.page(rows), "total_count": len(rows)}


def _sorted(rows: list[Record], order: str) -> list[Record]:
    """Return ``rows`` sorted, also by a field of the actor; not every actor has a URI."""
    field, _, way = order.partition(":")
    whole, _, part = field.partition(".")
    return sorted(
        rows,
        key=lambda one: str(one[whole].get(part, "") if part else one[whole]),
        reverse=way == "desc",
    )


def _words(value: object) -> Iterator[str]:
    """Yield all text in a record."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
    else:
        yield str(value)


def _matches(term: str, text: str) -> bool:
    """Tell whether ``text`` matches a search term.

    It must contain all words and ``"phrases"``, and none after a ``-``; ``|`` separates
    alternatives, ``+`` stands for a space, and ``*`` at the end of a word for any ending.
    """
    return any(
        all(
            _has(text, (phrase or word).lower()) is not bool(excluded)
            for excluded, phrase, word in WORD.findall(alternative)
        )
        for alternative in term.split("|")
        if alternative.strip()
    )


def _has(text: str, word: str) -> bool:
    end = r"\w*" if word.endswith("*") else ""
    return re.search(rf"(?<!\w){re.escape(word.rstrip('*'))}{end}(?!\w)", text) is not None


ENDPOINTS = (
    Endpoint("/activity_log_entries", "activity_log:read", activity_log_entries),
    Endpoint("/outgoing_communications", "outgoing_communications:read", outgoing_communications),
)
