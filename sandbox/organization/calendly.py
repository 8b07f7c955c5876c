"""One organization at Calendly: its records, and everything that can happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization import (
    bookings,
    communications,
    connections,
    contact_lists,
    contacts,
    event_types,
    expected_rows,
    free_time,
    groups,
    invitations,
    lag,
    meetings,
    members,
    notes,
    recaps,
    routing_forms,
    schedules,
    teams,
    webhooks,
)
from sandbox.organization.state import State

if TYPE_CHECKING:
    from sandbox.organization.clock import Clock


class Calendly(State):
    """One organization at Calendly, from the day its owner signs up.

    Records are dictionaries in the shape of Calendly's API, kept by URI in ``users``,
    ``memberships``, ``groups``, ``event_types``, ``events``, ``no_shows``, ``routing_forms`` and
    so on; ``invitees`` has a list for each event and ``submissions`` one for each form, in order
    of creation.

    Its methods are functions, each in the module of its subject. Most are life events: they take
    keyword arguments only, hold ``lock``, return the URIs they create, and raise
    :class:`ValueError` with a sentence if it cannot happen. The others read.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int = 0,
        plan: str = "teams",
        name: str = "Windmill Analytics",
    ) -> None:
        """Create the organization and its owner.

        Args:
            clock: Gives the time of every change; the computer's clock if left out.
            seed: What all identifiers depend on.
            plan: One of :data:`sandbox.organization.members.PLANS`.
            name: The organization's name.

        Raises:
            ValueError: If Calendly has no such plan.
        """
        super().__init__(clock, seed)
        members.found(self, name=name, plan=plan)

    add_member = members.add_member
    remove_member = members.remove_member
    delete_user = members.delete_user

    invite = invitations.invite
    resend_invitation = invitations.resend_invitation
    accept_invitation = invitations.accept_invitation
    decline_invitation = invitations.decline_invitation
    revoke_invitation = invitations.revoke_invitation

    add_group = groups.add_group
    rename_group = groups.rename_group
    delete_group = groups.delete_group
    join_group = groups.join_group
    change_group_role = groups.change_group_role
    leave_group = groups.leave_group
    relationships = groups.relationships
    relationship = groups.relationship
    administered_groups = groups.administered_groups

    add_team = teams.add_team
    rename_team = teams.rename_team
    change_team = teams.change_team
    delete_team = teams.delete_team

    add_event_type = event_types.add_event_type
    edit_event_type = event_types.edit_event_type
    delete_event_type = event_types.delete_event_type
    add_host = event_types.add_host
    remove_host = event_types.remove_host
    hosts = event_types.hosts
    listed_event_types = event_types.listed

    add_schedule = schedules.add_schedule
    edit_schedule = schedules.edit_schedule
    make_default = schedules.make_default
    delete_schedule = schedules.delete_schedule
    set_hours = schedules.set_hours
    schedules_of = schedules.schedules_of
    hours = schedules.hours
    followers = schedules.followers

    block_time = connections.block_time
    unblock_time = connections.unblock_time
    lose_calendar = connections.lose_calendar
    find_calendar = connections.find_calendar
    connect_conference = connections.connect_conference
    disconnect_conference = connections.disconnect_conference
    meeting_places = connections.meeting_places

    busy = free_time.busy
    openings = free_time.openings

    book = bookings.book
    join = bookings.join
    leave = bookings.leave
    cancel = bookings.cancel
    reschedule = bookings.reschedule

    mark_no_show = meetings.mark_no_show
    unmark_no_show = meetings.unmark_no_show
    push_conference_link = meetings.push_conference_link
    drop_conference_details = meetings.drop_conference_details
    edit_notes = meetings.edit_notes
    reconfirm = meetings.reconfirm
    pay = meetings.pay
    delete_event_data = meetings.delete_event_data
    scrub_invitee = meetings.scrub_invitee

    add_routing_form = routing_forms.add_routing_form
    submit_form = routing_forms.submit_form
    book_from_submission = routing_forms.book_from_submission

    send_message = communications.send_message

    start_recap = recaps.start_recap
    finish_recap = recaps.finish_recap
    change_recap = recaps.change_recap
    share_recap = recaps.share_recap
    delete_recap = recaps.delete_recap
    recaps_of = recaps.recaps_of

    add_contact = contacts.add_contact
    edit_contact = contacts.edit_contact
    delete_contact = contacts.delete_contact
    add_contact_field = contacts.add_contact_field
    rename_contact_field = contacts.rename_contact_field
    delete_contact_field = contacts.delete_contact_field
    contacts_of = contacts.contacts_of
    contact_fields_of = contacts.contact_fields_of

    add_contact_list = contact_lists.add_contact_list
    delete_contact_list = contact_lists.delete_contact_list
    contact_lists_of = contact_lists.contact_lists_of

    add_note = notes.add_note
    edit_note = notes.edit_note
    delete_note = notes.delete_note
    notes_about = notes.notes_about

    subscribe = webhooks.subscribe
    fail_webhook = webhooks.fail_webhook
    unsubscribe = webhooks.unsubscribe

    fall_behind = lag.fall_behind
    catch_up = lag.catch_up
    shown_meetings = lag.shown_meetings

    truth = expected_rows.truth
    more_truth = expected_rows.more_truth


LIFE_EVENTS = frozenset(
    name for name, method in vars(Calendly).items() if hasattr(method, "__wrapped__")
)
"""The methods decorated with :func:`~sandbox.organization.state.life_event`."""
