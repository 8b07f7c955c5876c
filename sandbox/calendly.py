"""One organisation at Calendly: what it holds, and everything that can happen to it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from sandbox.communications import Communications
from sandbox.contacts import Contacts
from sandbox.free_time import FreeTime
from sandbox.groups import Groups
from sandbox.recaps import Recaps
from sandbox.routing import Routing
from sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from sandbox.clock import Clock
    from sandbox.state import Record


class Calendly(Groups, FreeTime, Routing, Communications, Recaps, Contacts, Webhooks):
    """One organisation at Calendly, from the day its owner signs up.

    Records are dictionaries in the shape of Calendly's API, kept by URI in ``users``,
    ``memberships``, ``groups``, ``event_types``, ``events``, ``no_shows``, ``routing_forms`` and so
    on; ``invitees`` lists those of an event, ``submissions`` those of a form, in order of creation.

    The methods that change them are the events of its life, by room:

    * :mod:`sandbox.organization`: ``add_member``, ``remove_member``, ``delete_user``
    * :mod:`sandbox.invitations`: ``invite``, ``resend_invitation``, ``accept_invitation``,
      ``decline_invitation``, ``revoke_invitation``
    * :mod:`sandbox.groups`: ``add_group``, ``rename_group``, ``delete_group``, ``join_group``,
      ``change_group_role``, ``leave_group``
    * :mod:`sandbox.teams`: ``add_team``, ``rename_team``, ``change_team``, ``delete_team``
    * :mod:`sandbox.event_types`: ``add_event_type``, ``edit_event_type``, ``delete_event_type``,
      ``add_host``, ``remove_host``
    * :mod:`sandbox.schedules`: ``add_schedule``, ``edit_schedule``, ``make_default``,
      ``delete_schedule``, ``set_hours``
    * :mod:`sandbox.connections`: ``block_time``, ``unblock_time``, ``lose_calendar``,
      ``find_calendar``, ``connect_conference``, ``disconnect_conference``
    * :mod:`sandbox.scheduling`: ``book``, ``join``, ``leave``, ``cancel``, ``reschedule``
    * :mod:`sandbox.meetings`: ``mark_no_show``, ``unmark_no_show``, ``push_conference_link``,
      ``drop_conference_details``, ``edit_notes``, ``reconfirm``, ``pay``, ``scrub_invitee``
    * :mod:`sandbox.routing`: ``add_routing_form``, ``submit_form``, ``book_from_submission``
    * :mod:`sandbox.communications`: ``send_message``
    * :mod:`sandbox.recaps`: ``start_recap``, ``finish_recap``, ``change_recap``, ``share_recap``,
      ``delete_recap``
    * :mod:`sandbox.contacts`: ``add_contact``, ``edit_contact``, ``delete_contact``,
      ``add_contact_field``, ``rename_contact_field``, ``delete_contact_field``
    * :mod:`sandbox.webhooks`: ``subscribe``, ``fail_webhook``, ``unsubscribe``

    :mod:`sandbox.activity` writes the activity log beside them.

    Each takes keyword arguments only, holds ``lock``, returns the URIs it made, and raises
    :class:`ValueError` in one sentence when it cannot be done.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int = 0,
        plan: str = "teams",
        name: str = "Windmill Analytics",
    ) -> None:
        """Create the organisation and its owner.

        Args:
            clock: What tells the time; the computer's clock if left out.
            seed: What all identifiers follow from.
            plan: ``basic``, ``essentials``, ``standard``, ``professional``, ``teams`` or
                ``enterprise``.
            name: The organisation's name.

        Raises:
            ValueError: If Calendly has no such plan.
        """
        super().__init__(clock, seed)
        self.found(name=name, plan=plan)

    def truth(self) -> dict[str, list[Record]]:
        """Return copies of all that a complete sync would find, by stream.

        The keys are ``scheduled_events``, ``event_invitees``, ``event_types`` (without deleted
        ones), ``organization_memberships``, ``routing_forms`` and ``routing_form_submissions``.
        """
        with self.lock:
            return deepcopy(
                {
                    "scheduled_events": list(self.events.values()),
                    "event_invitees": [one for each in self.invitees.values() for one in each],
                    "event_types": [
                        one for one in self.event_types.values() if one["deleted_at"] is None
                    ],
                    "organization_memberships": list(self.memberships.values()),
                    "routing_forms": list(self.routing_forms.values()),
                    "routing_form_submissions": [
                        one for each in self.submissions.values() for one in each
                    ],
                },
            )

    def more_truth(self) -> dict[str, list[Record]]:
        """Return copies of what a complete sync of the further streams would find, by stream.

        As the owner's token opens it: of contacts and recaps only his own, and of recaps only the
        available ones; webhooks of the organisation, of its members and of its groups. Where the
        API's rows do not tell whose they are, ``user`` does. The time to come is not among them,
        for it depends on the window asked for: see :meth:`~sandbox.free_time.FreeTime.openings`
        and :meth:`~sandbox.free_time.FreeTime.busy`.
        """
        with self.lock:
            members = [one["user"]["uri"] for one in self.memberships.values()]
            recaps = self.recaps_of(self.owner)
            types = [uri for uri, one in self.event_types.items() if one["deleted_at"] is None]
            found: dict[str, list[Record]] = {
                "current_user": [self.users[self.owner]],
                "organizations": [self.organization],
                "organization_invitations": list(self.invitations.values()),
                "teams": list(self.teams.values()),
                "groups": list(self.groups.values()),
                "group_relationships": self.relationships(),
                "event_type_memberships": [row for one in types for row in self.hosts(one)],
                "event_type_availability_schedules": [
                    row for one in types for row in self.hours(one)
                ],
                "user_availability_schedules": [
                    row for one in members for row in self.schedules_of(one)
                ],
                "activity_log_entries": self.activity_log,
                "outgoing_communications": self.communications,
                "contacts": self.contacts_of(self.owner),
                "contact_custom_field_definitions": self.contact_fields_of(self.owner),
                "meeting_recaps": recaps,
                "meeting_recap_transcripts": [
                    self.transcripts[one["uri"]] for one in recaps if one["uri"] in self.transcripts
                ],
                "webhook_subscriptions": [
                    one
                    for one in self.webhooks.values()
                    if one["user"] in (None, *members) and one["group"] in (None, *self.groups)
                ],
                "user_locations": [
                    {"user": one, **row} for one in members for row in self.meeting_places(one)
                ],
            }
            # Row by row, for some embed records that are rows themselves.
            return {stream: [deepcopy(row) for row in rows] for stream, rows in found.items()}
