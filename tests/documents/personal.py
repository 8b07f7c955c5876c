"""Which fields hold personal data; `tests/pipelines/test_privacy.py` checks that none is missing.

A field within JSON is named by its path, without the lists on the way; a name covers all its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Fields = dict[str, tuple[str, ...]]
"""Paths of fields, by stream."""

VISITORS: Fields = {
    "scheduled_events": (
        "location.location",
        "location.additional_info",
        "event_guests.email",
        "cancellation.canceled_by",
        "cancellation.reason",
        "meeting_notes_plain",
        "meeting_notes_html",
    ),
    "event_invitees": (
        "email",
        "name",
        "first_name",
        "last_name",
        "timezone",
        "text_reminder_number",
        "questions_and_answers.answer",
        "cancellation.canceled_by",
        "cancellation.reason",
        "tracking.salesforce_uuid",
        "payment.external_id",
    ),
    "routing_form_submissions": (
        "questions_and_answers.answer",
        "tracking.salesforce_uuid",
        "result.value",
    ),
    "contacts": (
        "emails.email",
        "name",
        "phone_numbers.phone_number",
        "timezone",
        "job_title",
        "company",
        "country",
        "state",
        "city",
        "linkedin",
        "custom_fields",
    ),
    "notes": ("title", "body"),
    "meeting_recaps": (
        "name",
        "location.location",
        "location.additional_info",
        "attendees.user_email",
        "attendees.user_name",
        "summary_md",
        "action_items_md",
        "discussion_md",
    ),
    "meeting_recap_transcripts": ("text",),
    "activity_log_entries": ("details",),
    "outgoing_communications": ("to", "subject", "body"),
    "webhook_events": ("payload",),
}
"""People who book, come along, fill in a form, or get a message."""

MEMBERS: Fields = {
    "scheduled_events": (
        "event_memberships.user_email",
        "event_memberships.user_name",
        "calendar_event.external_id",
    ),
    "event_types": (
        "profile.name",
        "locations.location",
        "locations.additional_info",
        "locations.phone_number",
        "scheduling_url",
    ),
    "event_type_memberships": (
        "event_type.profile.name",
        "event_type.locations.location",
        "event_type.locations.additional_info",
        "event_type.locations.phone_number",
        "event_type.scheduling_url",
        "member.name",
        "member.slug",
        "member.email",
        "member.scheduling_url",
        "member.timezone",
        "member.avatar_url",
    ),
    "event_type_availability_schedules": ("availability_rule.timezone",),
    "event_type_available_times": ("scheduling_url",),
    "organization_memberships": (
        "user.name",
        "user.slug",
        "user.email",
        "user.scheduling_url",
        "user.timezone",
        "user.avatar_url",
    ),
    "user_availability_schedules": ("timezone",),
    "organization_invitations": ("email",),
    "group_relationships": ("owner.user", "owner.email"),
    "current_user": ("name", "slug", "email", "scheduling_url", "timezone", "avatar_url"),
    "activity_log_entries": ("actor.display_name", "actor.alternative_identifier"),
    "outgoing_communications": ("from", "sender_email", "scheduling_url"),
    "webhook_events": ("payload",),
}
"""People who have a seat in the Calendly account."""

ACCESS: Fields = {
    "scheduled_events": ("location.join_url", "location.data"),
    "event_invitees": ("cancel_url", "reschedule_url"),
    "meeting_recaps": ("location.join_url", "location.data", "share_link"),
    "outgoing_communications": ("body",),
    "webhook_events": ("payload",),
    "webhook_subscriptions": ("callback_url",),
}
"""Fields that let whoever has them cancel, join, dial in, read or post."""

_PLAIN = """
action active admin_managed after_buffer amount answer_choices app_url availability_setting
before_buffer booking_method buffered_end_time buffered_start_time canceler_type color confirmed_at
connected contact contact_count created_at creator currency current_organization date default
deleted_at description_html description_plain duration duration_options enabled end_time event
event_type event_type_uri event_uri events field_type first_email_date fully_qualified_name group
host id include_other internal_note invitee_scheduled_by invitee_uri invitees_remaining is_active
is_paid is_primary kind kind_description label last_email_date last_interaction_date
last_meeting_date last_sent_at limit locale member_count namespace new_invitee next_meeting_date
occurred_at old_invitee organization owner plan pooling_type position provider question
question_uuid recap_updated_at recap_uri received_at remind_at required rescheduled resource_type
retry_started_at role routing_form routing_form_submission scheduled_event_uri scheduling_method
scope secret sender_uri sent_at stage start_time start_time_increment status submitter
submitter_type successful terms time_notation total transcript type updated_at uri user user_uri
utm_campaign utm_content utm_medium utm_source utm_term uuid wday

activity_log_entries.actor.group.name
contact_lists.name
event_type_availability_schedules.availability_rule.name
event_type_availability_schedules.availability_rule.rules.intervals.from
event_type_availability_schedules.availability_rule.rules.intervals.to
event_type_memberships.event_type.custom_questions.name
event_type_memberships.event_type.name
event_type_memberships.event_type.slug
event_types.custom_questions.name
event_types.name
event_types.slug
groups.name
organizations.name
routing_forms.name
routing_forms.questions.name
scheduled_events.name
teams.name
teams.scheduling_url
user_availability_schedules.name
user_availability_schedules.rules.intervals.from
user_availability_schedules.rules.intervals.to
webhook_subscriptions.state
"""
NOT_PERSONAL = frozenset(_PLAIN.split())
"""Times, counts, choices, URIs and the account's own wording: by name, or by path where a field of
that name is personal elsewhere."""


def fields(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the paths of all fields that have no parts.

    Args:
        schema: The JSON schema of a row, or of an object in it.
        above: The path of that object, followed by a dot.
    """
    for name, field in schema["properties"].items():
        inner = field.get("items", field)
        if "properties" in inner:
            yield from fields(inner, f"{above}{name}.")
        else:
            yield above + name


def is_among(path: str, known: Iterable[str]) -> bool:
    """Return whether a field is one of these, or a part of one."""
    return any(f"{path}.".startswith(f"{one}.") for one in known)


def values(row: object, path: str) -> list[Any]:
    """Return the values of a row at a path; several if there are lists on the way."""
    if isinstance(row, list):
        return [value for item in row for value in values(item, path)]
    if not path:
        return [row]
    name, _, rest = path.partition(".")
    return values(row[name], rest) if isinstance(row, dict) and name in row else []


def table() -> str:
    """Return the table in docs/personal-data.md."""
    rows = [
        "| table | about visitors | about members | grants access to whoever has it |",
        "| --- | --- | --- | --- |",
    ]
    for stream in dict.fromkeys((*VISITORS, *MEMBERS, *ACCESS)):
        cells = [
            ", ".join(f"`{path}`" for path in kind.get(stream, ()))
            for kind in (VISITORS, MEMBERS, ACCESS)
        ]
        rows.append(f"| `{stream}` | {' | '.join(cells)} |")
    return "\n".join(rows)
