"""The rows that a complete sync must find, by stream."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from sandbox.organization.connections import meeting_places
from sandbox.organization.contact_lists import contact_lists_of
from sandbox.organization.contacts import contact_fields_of, contacts_of
from sandbox.organization.event_types import hosts, listed
from sandbox.organization.groups import relationships
from sandbox.organization.notes import notes_about
from sandbox.organization.recaps import STATUSES, in_list, recaps_of
from sandbox.organization.schedules import hours, schedules_of

if TYPE_CHECKING:
    from sandbox.organization.state import Record, State


def truth(state: State) -> dict[str, list[Record]]:
    """Return copies of the rows of the six core streams.

    These are ``scheduled_events``, ``event_invitees``, ``event_types`` (those that the list has or
    a meeting names), ``organization_memberships``, ``routing_forms`` and
    ``routing_form_submissions``.
    """
    with state.lock:
        types = {one["uri"] for one in listed(state)}
        types |= {one["event_type"] for one in state.events.values()}
        return deepcopy(
            {
                "scheduled_events": list(state.events.values()),
                "event_invitees": [one for each in state.invitees.values() for one in each],
                "event_types": [one for uri, one in state.event_types.items() if uri in types],
                "organization_memberships": list(state.memberships.values()),
                "routing_forms": list(state.routing_forms.values()),
                "routing_form_submissions": [
                    one for each in state.submissions.values() for one in each
                ],
            },
        )


def more_truth(state: State) -> dict[str, list[Record]]:
    """Return copies of the rows of the other streams, as the owner's token can read them.

    That is only the owner's contacts and recaps (with texts if available), but the webhooks of the
    organization, its members and its groups. ``user`` is added where the API's rows do not tell
    whose they are. Not included are busy and available times, which depend on the window asked for.
    """
    with state.lock:
        members = [one["user"]["uri"] for one in state.memberships.values()]
        recaps = [one for status in STATUSES for one in recaps_of(state, state.owner, status)]
        contacts = contacts_of(state, state.owner)
        types = [one["uri"] for one in listed(state)]
        found: dict[str, list[Record]] = {
            "current_user": [state.users[state.owner]],
            "organizations": [state.organization],
            "organization_invitations": list(state.invitations.values()),
            "teams": list(state.teams.values()),
            "groups": list(state.groups.values()),
            "group_relationships": relationships(state),
            "event_type_memberships": [row for one in types for row in hosts(state, one)],
            "event_type_availability_schedules": [
                row for one in types for row in hours(state, one)
            ],
            "user_availability_schedules": [
                row for one in members for row in schedules_of(state, one)
            ],
            "activity_log_entries": state.activity_log,
            "outgoing_communications": state.communications,
            "contacts": contacts,
            "contact_custom_field_definitions": contact_fields_of(state, state.owner),
            "contact_lists": contact_lists_of(state, state.owner),
            "notes": notes_about(state, [one["uri"] for one in contacts]),
            "meeting_recaps": [
                one if one["status"] == "available" else in_list(one) for one in recaps
            ],
            "meeting_recap_transcripts": [
                state.transcripts[one["uri"]] for one in recaps if one["status"] == "available"
            ],
            "webhook_subscriptions": [
                one
                for one in state.webhooks.values()
                if one["user"] in (None, *members) and one["group"] in (None, *state.groups)
            ],
            "user_locations": [
                {"user": one, **row} for one in members for row in meeting_places(state, one)
            ],
        }
        # Row by row, as some embed records that are rows themselves.
        return {stream: [deepcopy(row) for row in rows] for stream, rows in found.items()}
