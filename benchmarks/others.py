"""What a run over all other streams takes: those that are selected by default, without meetings.

Computed from what the streams declare: a request for each part of a list, and for a child stream
one for each row of its parent. Each list is taken to fit on a page, and there are no recaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_calendly.streams import STREAMS
from tap_calendly.streams.event_types import EventTypes
from tap_calendly.streams.organization import OrganizationMemberships
from tap_calendly.streams.routing import RoutingForms
from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_calendly.singer.stream import CalendlyStream

ORGANIZATION = {EventTypes: 50, OrganizationMemberships: 20, RoutingForms: 5}
"""The rows that other streams are read for."""


def requests_of_a_run(rows: Mapping[type[CalendlyStream], int]) -> int:
    """Return how many requests a run makes, given how many rows the parents have."""
    others = (one for one in STREAMS if one not in {ScheduledEvents, EventInvitees})
    return sum(_requests(one, rows) for one in others if one.selected_by_default)


def _requests(stream: type[CalendlyStream], rows: Mapping[type[CalendlyStream], int]) -> int:
    if stream.parent is None:
        return len(stream.endpoint.parts)
    return rows.get(stream.parent.stream, 0)
