"""Routing forms, their submissions, and the meetings booked from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.announcements import announce_submission
from sandbox.organization.bookings import book
from sandbox.organization.identifiers import last_segment
from sandbox.organization.meeting_records import UTM, find_submission
from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from sandbox.organization.meeting_records import InviteeDetails

RESULTS = ("event_type", "external_url", "custom_message")


@life_event
def add_routing_form(
    state: State,
    *,
    name: str,
    questions: Sequence[Mapping[str, object]],
    status: str = "published",
) -> str:
    """Create a routing form, ``published`` or a ``draft``.

    A question has a ``name`` and, optionally, ``type`` (``text``), ``required`` (``True``) and
    ``answer_choices`` (``None``).
    """
    stamp = state.stamp()
    uri = state.identifiers.new_uri("routing_forms", name)
    state.routing_forms[uri] = {
        "uri": uri,
        "organization": state.organization["uri"],
        "name": name,
        "status": status,
        "questions": [
            {
                "uuid": state.identifiers.new("question", uri),
                "name": question["name"],
                "type": question.get("type", "text"),
                "required": question.get("required", True),
                "answer_choices": question.get("answer_choices"),
            }
            for question in questions
        ],
        "created_at": stamp,
        "updated_at": stamp,
    }
    state.submissions[uri] = []
    return uri


@life_event
def submit_form(
    state: State,
    *,
    form: str,
    answers: Mapping[str, str | None],
    result: Mapping[str, object] | None,
    tracking: Mapping[str, str | None] | None = None,
) -> str:
    """Let a visitor submit a form, before it is known whether they will book.

    ``answers`` are keyed by the question's name; one that the form does not have stands for a
    question since removed, without ``question_uuid``. ``result`` is where the form sent them:
    ``{"type": ..., "value": ...}`` with an event type's URI, a URL, or ``{"headline": ...,
    "body": ...}``. Returned is the submission's URI.
    """
    questions = {
        one["name"]: one["uuid"]
        for one in find(state.routing_forms, form, "routing form")["questions"]
    }
    if result is not None and result.get("type") not in RESULTS:
        message = f"a form leads to one of {', '.join(RESULTS)}, not {result.get('type')!r}"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("routing_form_submissions", form, stamp)
    submission: Record = {
        "uri": uri,
        "routing_form": form,
        "questions_and_answers": [
            {"question_uuid": questions.get(name), "question": name, "answer": answer}
            for name, answer in answers.items()
        ],
        "tracking": {key: (tracking or {}).get(key) for key in UTM},
        "submitter": None,
        "submitter_type": None,
        "created_at": stamp,
        "updated_at": stamp,
    }
    if result is not None:
        submission["result"] = dict(result)
    state.submissions[form].append(submission)
    announce_submission(state, submission)
    return uri


@life_event
def book_from_submission(
    state: State,
    *,
    submission: str,
    start: datetime,
    name: str,
    email: str,
    event_type: str | None = None,
    **details: Unpack[InviteeDetails],
) -> tuple[str, str]:
    """Let the visitor who submitted a form book what it led to, or another event type.

    They become its ``submitter``, which moves its ``updated_at``.
    """
    result = find_submission(state, submission).get("result", {})
    if event_type is None:
        if result.get("type") != "event_type":
            message = f"the submission {last_segment(submission)} led to no event type"
            raise ValueError(message)
        event_type = str(result["value"])
    details["routing_form_submission"] = submission
    return book(state, event_type=event_type, start=start, name=name, email=email, **details)
