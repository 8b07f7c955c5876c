"""The streams, in files by domain."""

from tap_calendly.streams.event_types import EventTypes
from tap_calendly.streams.organization import OrganizationMemberships
from tap_calendly.streams.routing import RoutingForms, RoutingFormSubmissions
from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents

STREAMS = (
    ScheduledEvents,
    EventInvitees,
    EventTypes,
    OrganizationMemberships,
    RoutingForms,
    RoutingFormSubmissions,
)
"""Every stream of the tap."""
