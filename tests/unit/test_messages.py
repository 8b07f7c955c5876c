"""Every message of the tap is given exactly the facts it names."""

from __future__ import annotations

import ast
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from tap_calendly.reporting import messages
from tests.documents.generated import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

RESPONSE_FACTS = {"status", "method", "path", "said", "request_id"}


def _uses() -> Iterator[tuple[str, str, bool, set[str | None]]]:
    """Yield where a message is filled in, its name, whether from a response, and its facts."""
    for file in sorted((ROOT / "tap_calendly").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            facts = {keyword.arg for keyword in node.keywords}
            place = f"{file.name}:{node.lineno}"
            if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
                if (name := _message(node.func.value)) is not None:
                    yield place, name, False, facts
            elif node.args and (name := _message(node.args[0])) is not None:
                yield place, name, len(node.args) > 1, facts


def _message(node: ast.expr) -> str | None:
    """Return the name of a message that is taken from the table."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "messages" else None
    return None


USES = list(_uses())


@pytest.mark.parametrize(("place", "name", "from_response", "facts"), USES)
def test_a_message_gets_exactly_the_facts_it_names(
    place: str, name: str, *, from_response: bool, facts: set[str | None]
) -> None:
    message = vars(messages)[name]
    named = {field for _, field, _, _ in Formatter().parse(message) if field is not None}

    assert named - (RESPONSE_FACTS if from_response else set()) == facts, place


def test_every_message_is_used() -> None:
    code = "\n".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "tap_calendly").rglob("*.py")
    )
    names = [name for name in vars(messages) if name.isupper()]

    assert len(names) > 25
    assert [name for name in names if code.count(name) < 2] == []
    assert len(USES) > 20
