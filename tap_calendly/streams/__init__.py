"""The streams, in files by domain."""

from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams.activity import ActivityLogEntries, OutgoingCommunications
from tap_calendly.streams.contacts import (
    ContactCustomFieldDefinitions,
    ContactLists,
    Contacts,
    Notes,
)
from tap_calendly.streams.event_type_availability import (
    EventTypeAvailabilitySchedules,
    EventTypeAvailableTimes,
)
from tap_calendly.streams.event_types import EventTypeMemberships, EventTypes
from tap_calendly.streams.organization import (
    CurrentUser,
    GroupRelationships,
    Groups,
    OrganizationInvitations,
    OrganizationMemberships,
    Organizations,
    Teams,
)
from tap_calendly.streams.people import UserAvailabilitySchedules, UserBusyTimes, UserLocations
from tap_calendly.streams.recaps import MeetingRecaps, MeetingRecapTranscripts
from tap_calendly.streams.routing import RoutingForms, RoutingFormSubmissions
from tap_calendly.streams.scheduling import EventInvitees, ScheduledEvents
from tap_calendly.streams.webhooks import WebhookEvents, WebhookSubscriptions

STREAMS: tuple[type[CalendlyStream], ...] = (
    ScheduledEvents,
    EventInvitees,
    EventTypes,
    EventTypeMemberships,
    EventTypeAvailabilitySchedules,
    EventTypeAvailableTimes,
    OrganizationMemberships,
    UserAvailabilitySchedules,
    UserBusyTimes,
    UserLocations,
    Organizations,
    OrganizationInvitations,
    Teams,
    Groups,
    GroupRelationships,
    CurrentUser,
    RoutingForms,
    RoutingFormSubmissions,
    Contacts,
    ContactCustomFieldDefinitions,
    ContactLists,
    Notes,
    MeetingRecaps,
    MeetingRecapTranscripts,
    ActivityLogEntries,
    OutgoingCommunications,
    WebhookSubscriptions,
    WebhookEvents,
)
"""Every stream of the tap."""
