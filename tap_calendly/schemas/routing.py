"""Routing forms and their submissions."""

from __future__ import annotations

from tap_calendly.singer.schema import (
    ANSWER_CHOICES,
    CREATED_AT,
    NAME,
    ORGANIZATION_URI,
    TRACKING,
    UPDATED_AT,
    URI,
    Schema,
    boolean,
    nested,
    nested_list,
    one_of,
    string,
)

ROUTING_FORM = Schema(
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

ROUTING_FORM_SUBMISSION = Schema(
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
