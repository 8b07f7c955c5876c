"""What was done and sent in the organization: for auditors, on the Enterprise plan."""

from __future__ import annotations

from tap_calendly.reporting.errors import Requires
from tap_calendly.schemas.activity import ACTIVITY_LOG_ENTRY, OUTGOING_COMMUNICATION
from tap_calendly.singer.stream import CalendlyStream


class ActivityLogEntries(CalendlyStream):
    """Who did what, the newest first; entries never change."""

    name = "activity_log_entries"
    path = "/activity_log_entries"
    whose = "organization"
    page_size = 1000
    properties = ACTIVITY_LOG_ENTRY
    requires = Requires("activity_log:read", plan="Enterprise")
    replication_key = "occurred_at"
    append_only = True
    since_parameter = "min_occurred_at"
    starts_at = "occurred_at"


class OutgoingCommunications(CalendlyStream):
    """E-mails and text messages that Calendly sent; the API gives no id."""

    name = "outgoing_communications"
    path = "/outgoing_communications"
    whose = "organization"
    properties = OUTGOING_COMMUNICATION
    primary_keys = ("id",)
    requires = Requires("outgoing_communications:read", plan="Enterprise")
    replication_key = "created_at"
    append_only = True
    since_parameter = "min_created_at"
    starts_at = "created_at"
