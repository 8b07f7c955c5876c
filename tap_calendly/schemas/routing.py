"""Routing forms and their submissions."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_calendly.schemas.fields import (
    ANSWER_CHOICES,
    CREATED_AT,
    NAME,
    ORGANIZATION_URI,
    TRACKING,
    UPDATED_AT,
    URI,
    either,
    flag,
    group,
    listing,
    text,
)

ROUTING_FORM = th.PropertiesList(
    URI,
    ORGANIZATION_URI,
    NAME,
    text("status", "draft or published."),
    listing(
        "questions",
        "What the form asks.",
        text("uuid", "Id of the question."),
        text("name", "The question."),
        text("type", "name, text, email, phone, textarea, select or radios."),
        flag("required", "Whether it must be answered."),
        ANSWER_CHOICES,
    ),
    CREATED_AT,
    UPDATED_AT,
)

ROUTING_FORM_SUBMISSION = th.PropertiesList(
    URI,
    text("routing_form", "URI of the routing form."),
    listing(
        "questions_and_answers",
        "The answers.",
        text("question_uuid", "Id of the question."),
        text("question", "The question."),
        text("answer", "The answer."),
    ),
    TRACKING,
    group(
        "result",
        "Where the answers led.",
        text("type", "event_type, external_url or custom_message."),
        either(
            "value",
            ["string", "object"],
            "URI of an event type, a URL, or the message as headline and body.",
        ),
    ),
    text("submitter", "URI of the invitee, once the visitor has booked."),
    text("submitter_type", "The word Invitee, once the visitor has booked."),
    CREATED_AT,
    UPDATED_AT,
)
