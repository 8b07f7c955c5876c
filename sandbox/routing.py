"""Routing forms, what visitors submit to them, and the meetings that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.identifiers import last_segment
from sandbox.meetings import Meetings
from sandbox.scheduling import UTM
from sandbox.state import Record, known, life

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from sandbox.scheduling import InviteeDetails

RESULTS = ("event_type", "external_url", "custom_message")


class Routing(Meetings):
    """The routing forms of the organisation and their submissions."""

    @life
    def add_routing_form(
        self, *, name: str, questions: Sequence[Mapping[str, object]], status: str = "published"
    ) -> str:
        """Put up a routing form.

        Args:
            name: Its name.
            questions: Each with ``name`` and, if need be, ``type`` (``text``), ``required``
                (``True``) and ``answer_choices`` (``None``).
            status: ``published`` or ``draft``.

        Returns:
            The form's URI.
        """
        stamp = self.stamp()
        uri = self.identifiers.new_uri("routing_forms", name)
        self.routing_forms[uri] = {
            "uri": uri,
            "organization": self.organization["uri"],
            "name": name,
            "status": status,
            "questions": [
                {
                    "uuid": self.identifiers.new("question", uri),
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
        self.submissions[uri] = []
        return uri

    @life
    def submit_form(
        self,
        *,
        form: str,
        answers: Mapping[str, str | None],
        result: Mapping[str, object] | None,
        tracking: Mapping[str, str | None] | None = None,
    ) -> str:
        """Let a visitor fill in a form; nobody knows yet whether he will book.

        Args:
            form: The form's URI.
            answers: What he answers, by the question's name; a name that the form does not have
                is a question it once had, and comes without ``question_uuid``.
            result: Where the form sent him: ``{"type": ..., "value": ...}`` with an event type's
                URI, a URL, or ``{"headline": ..., "body": ...}``; ``None`` for nowhere.
            tracking: UTM parameters and ``salesforce_uuid``, those there are.

        Returns:
            The submission's URI.

        Raises:
            ValueError: If the form is unknown, or there is no such kind of result.
        """
        questions = {one["name"]: one["uuid"] for one in self._form(form)["questions"]}
        if result is not None and result.get("type") not in RESULTS:
            message = f"a form leads to one of {', '.join(RESULTS)}, not {result.get('type')!r}"
            raise ValueError(message)
        stamp = self.stamp()
        uri = self.identifiers.new_uri("routing_form_submissions", form, stamp)
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
        self.submissions[form].append(submission)
        return uri

    @life
    def book_from_submission(
        self,
        *,
        submission: str,
        start: datetime,
        name: str,
        email: str,
        event_type: str | None = None,
        **details: Unpack[InviteeDetails],
    ) -> tuple[str, str]:
        """Let the visitor who submitted a form book; he becomes its ``submitter``.

        Moves the submission's ``updated_at``.

        Args:
            submission: The URI of what he submitted.
            start: When the meeting begins; aware.
            name: The invitee's name.
            email: His address.
            event_type: What he books; what the form led to if left out.
            details: See :class:`sandbox.scheduling.InviteeDetails`.

        Returns:
            The URIs of the event and of the invitee.

        Raises:
            ValueError: If the submission is unknown, led to no event type and none is given, or
                the meeting cannot be booked.
        """
        result = self._submission(submission).get("result", {})
        if event_type is None:
            if result.get("type") != "event_type":
                message = f"the submission {last_segment(submission)} led to no event type"
                raise ValueError(message)
            event_type = str(result["value"])
        details["routing_form_submission"] = submission
        return self.book(event_type=event_type, start=start, name=name, email=email, **details)

    def _form(self, uri: str) -> Record:
        return known(self.routing_forms, uri, "routing form")
