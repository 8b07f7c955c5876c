"""Routing forms and the answers given to them."""

from __future__ import annotations

from tap_calendly.reading.endpoint import Paged
from tap_calendly.reading.parent import Parent
from tap_calendly.reading.replication import NewestFirst
from tap_calendly.reporting.errors import Requires
from tap_calendly.singer.schema import (
    ANSWER_CHOICES,
    CREATED_AT,
    NAME,
    ORGANIZATION_URI,
    TRACKING,
    UPDATED_AT,
    URI,
    boolean,
    columns,
    nested,
    nested_list,
    one_of,
    string,
)
from tap_calendly.singer.stream import CalendlyStream


class RoutingForms(CalendlyStream):
    """Routing forms, published or drafts."""

    name = "routing_forms"
    endpoint = Paged("/routing_forms", whose="organization", sort="created_at:asc")
    requires = Requires("routing_forms:read", plan="Teams")
    schema = columns(
        URI,
        ORGANIZATION_URI,
        NAME,
        string("status", "draft or published."),
        nested_list(
            "questions",
            "What the form asks.",
            string("uuid", "Id of the question."),
            string("name", "The question."),
            string("type", "name, text, email, phone, textarea, select or radios."),
            boolean("required", "Whether it must be answered."),
            ANSWER_CHOICES,
        ),
        CREATED_AT,
        UPDATED_AT,
    )


class RoutingFormSubmissions(CalendlyStream):
    """Answers that visitors gave to a routing form, newest first."""

    name = "routing_form_submissions"
    endpoint = Paged("/routing_form_submissions", sort="created_at:desc", append_only=True)
    parent = Parent(RoutingForms, "form")
    replication = NewestFirst("created_at", lookback=True, from_start_date=True)
    requires = Requires("routing_forms:read", plan="Teams")
    schema = columns(
        URI,
        string("routing_form", "URI of the routing form."),
        nested_list(
            "questions_and_answers",
            "The answers.",
            string("question_uuid", "Id of the question."),
            string("question", "The question."),
            string("answer", "The answer."),
        ),
        TRACKING,
        nested(
            "result",
            "Where the answers led.",
            string("type", "event_type, external_url or custom_message."),
            one_of(
                "value",
                ["string", "object"],
                "URI of an event type, a URL, or the message as headline and body.",
            ),
        ),
        string("submitter", "URI of the invitee, once the visitor has booked."),
        string("submitter_type", "The word Invitee, once the visitor has booked."),
        CREATED_AT,
        UPDATED_AT,
    )
