"""Routing forms and their submissions."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sandbox.http.access import TEAMS, require_plan, require_whole_organization
from sandbox.http.answers.query import Endpoint, found, ordered, resource

if TYPE_CHECKING:
    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record


def routing_forms(query: Query) -> Record:
    """Return the organization's routing forms."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    organization = query.parameters.required_uri("organization", "organizations")
    order = query.parameters.sort("created_at")
    require_whole_organization(query.caller, organization)
    return query.page(ordered(query.calendly.routing_forms.values(), order))


def routing_form(query: Query) -> Record:
    """Return a routing form."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    record = query.found(query.calendly.routing_forms, "routing_forms")
    require_whole_organization(query.caller)
    return resource(record)


def routing_form_submissions(query: Query) -> Record:
    """Return the submissions of a routing form."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    form = query.parameters.required_uri("form", "routing_forms")
    order = query.parameters.sort("created_at")
    require_whole_organization(query.caller)
    found(query.calendly.routing_forms, form)
    return query.page(ordered(query.calendly.submissions.get(form, ()), order))


def routing_form_submission(query: Query) -> Record:
    """Return a submission."""
    require_plan(query.calendly.organization["plan"], TEAMS)
    submissions = itertools.chain.from_iterable(query.calendly.submissions.values())
    record = query.found({one["uri"]: one for one in submissions}, "routing_form_submissions")
    require_whole_organization(query.caller)
    return resource(record)


ENDPOINTS = (
    Endpoint("/routing_forms", "routing_forms:read", routing_forms),
    Endpoint("/routing_forms/{uuid}", "routing_forms:read", routing_form),
    Endpoint("/routing_form_submissions", "routing_forms:read", routing_form_submissions),
    Endpoint("/routing_form_submissions/{uuid}", "routing_forms:read", routing_form_submission),
)
