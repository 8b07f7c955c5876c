"""The paths of the API, and what each needs to be requested."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sandbox.http.api import ENDPOINTS
from sandbox.organization.identifiers import API
from sandbox.organization.timestamps import to_timestamp
from tests.sandbox.asking import path_of

if TYPE_CHECKING:
    from sandbox.organization.calendly import Calendly

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
TEMPLATES = [endpoint.template for endpoint in ENDPOINTS]
LISTS = [one for one in TEMPLATES if not one.endswith(("}", "/me", "/transcript"))]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def rows(calendly: Calendly) -> dict[str, list[dict[str, Any]]]:
    """Every record there is, by the template of the path that answers with it alone."""
    one_list = [row for each in calendly.invitees.values() for row in each]
    owner = calendly.owner
    recaps = calendly.recaps_of(owner)
    submissions = [row for each in calendly.submissions.values() for row in each]
    return {
        "/users/me": [{"uri": f"{API}/users/me"}],
        "/users/{uuid}": [one["user"] for one in calendly.memberships.values()],
        "/organizations/{uuid}": [calendly.organization],
        "/organization_memberships/{uuid}": [*calendly.memberships.values()],
        "/organizations/{org_uuid}/invitations/{uuid}": [*calendly.invitations.values()],
        "/teams/{team_uuid}": [*calendly.teams.values()],
        "/groups/{uuid}": [*calendly.groups.values()],
        "/group_relationships/{uuid}": [*calendly.group_relationships.values()],
        "/contacts/{uuid}": calendly.contacts_of(owner),
        "/contacts/custom_field_definitions/{uuid}": calendly.contact_fields_of(owner),
        "/meeting_recaps/{uuid}": recaps,
        "/meeting_recaps/{uuid}/transcript": [calendly.transcripts[one["uri"]] for one in recaps],
        "/webhook_subscriptions/{webhook_uuid}": [*calendly.webhooks.values()],
        "/user_availability_schedules/{uuid}": [
            *calendly.more_truth()["user_availability_schedules"]
        ],
        "/event_types/{uuid}": [*calendly.event_types.values()],
        "/scheduled_events/{uuid}": [*calendly.events.values()],
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}": one_list,
        "/invitee_no_shows/{uuid}": [*calendly.no_shows.values()],
        "/routing_forms/{uuid}": [*calendly.routing_forms.values()],
        "/routing_form_submissions/{uuid}": submissions,
    }


def requirements(calendly: Calendly, template: str) -> dict[str, str]:
    """The parameters without which a list is refused."""
    if template == "/routing_form_submissions":
        return {"form": next(iter(calendly.routing_forms))}
    required: dict[str, str] = {}
    everything = {"organization": calendly.organization["uri"]}
    if template.startswith("/event_type_"):
        required["event_type"] = next(iter(calendly.event_types))
    elif template in ("/user_availability_schedules", "/user_busy_times", "/locations"):
        required["user"] = calendly.owner
    elif template == "/notes":
        required["contact"] = next(iter(calendly.notes.values()))["contact"]
    elif template == "/webhook_subscriptions":
        required = {"scope": "organization", "user": calendly.owner}
        required |= {"group": next(iter(calendly.groups)), **everything}
    elif template in LISTS and not re.search("{|/teams|/contact|/meeting_recaps", template):
        required = everything
    if template.endswith("_times"):
        required |= {"start_time": to_timestamp(NOW + DAY), "end_time": to_timestamp(NOW + 3 * DAY)}
    return required


def path(calendly: Calendly, template: str, uuid: str | None = None) -> str:
    """A path of the template: of something there is, or else with the identifier given."""
    records = rows(calendly).get(template)
    if uuid is not None:
        return re.sub(r"{\w+}", uuid, template)
    if records is not None:
        return path_of(records[0]["uri"])
    event, organization = next(iter(calendly.events)), calendly.organization["uri"]
    return template.replace("/scheduled_events/{uuid}", path_of(event)).replace(
        "/organizations/{uuid}", path_of(organization)
    )
