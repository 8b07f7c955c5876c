"""Entity-relationship diagrams in Mermaid: of the tables that the tap loads, and of the models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tap_calendly.singer.stream import CalendlyStream
from tap_calendly.streams import STREAMS

EVENTS, INVITEES, TYPES = "scheduled_events", "event_invitees", "event_types"
MEMBERS, SCHEDULES = "organization_memberships", "user_availability_schedules"
USER = "user.uri"
"""The field of a member that names the user."""

READ_BY_MODELS = (
    *(EVENTS, INVITEES, TYPES, MEMBERS, "groups", "group_relationships"),
    *("routing_forms", "routing_form_submissions", "webhook_events"),
)

REF = re.compile(r"ref\('(\w+)'\)")


class Reference(NamedTuple):
    """A field that names a row of another table; dots lead into objects and lists."""

    table: str
    field: str
    target: str
    key: str = "uri"

    @property
    def column(self) -> str:
        """The column that holds the field."""
        return self.field.split(".")[0]


REFERENCES = (
    Reference(EVENTS, "event_type", TYPES),
    Reference(EVENTS, "event_memberships.user", MEMBERS, USER),
    Reference(INVITEES, "old_invitee", INVITEES),
    Reference(INVITEES, "new_invitee", INVITEES),
    Reference(INVITEES, "routing_form_submission", "routing_form_submissions"),
    Reference(INVITEES, "invitee_scheduled_by", MEMBERS, USER),
    Reference(TYPES, "profile.owner", MEMBERS, USER),
    Reference(TYPES, "profile.owner", "teams"),
    Reference("event_type_memberships", "member.uri", MEMBERS, USER),
    Reference("event_type_availability_schedules", "availability_rule.uri", SCHEDULES),
    Reference("organization_invitations", "user", MEMBERS, USER),
    Reference("group_relationships", "group", "groups"),
    Reference("group_relationships", "owner.user.uri", MEMBERS, USER),
    Reference("group_relationships", "owner.uri", MEMBERS),
    Reference("group_relationships", "owner.uri", "organization_invitations"),
    Reference(SCHEDULES, "user", MEMBERS, USER),
    Reference("current_user", "uri", MEMBERS, USER),
    Reference("routing_form_submissions", "routing_form", "routing_forms"),
    Reference("routing_form_submissions", "submitter", INVITEES),
    Reference("routing_form_submissions", "result.value", TYPES),
    Reference("contacts", "custom_fields.uri", "contact_custom_field_definitions"),
    Reference("contact_custom_field_definitions", "source.event_type_uri", TYPES),
    Reference("notes", "contact", "contacts"),
    Reference("meeting_recaps", "event", EVENTS),
    Reference("activity_log_entries", "actor.uri", MEMBERS, USER),
    Reference("outgoing_communications", "event_uri", EVENTS),
    Reference("outgoing_communications", "event_type_uri", TYPES),
    Reference("outgoing_communications", "sender_uri", MEMBERS, USER),
    Reference("webhook_subscriptions", "user", MEMBERS, USER),
    Reference("webhook_subscriptions", "creator", MEMBERS, USER),
    Reference("webhook_subscriptions", "group", "groups"),
)
"""What the API's own fields join, except where `organization` names the only one there is."""

COMPUTED = (
    Reference("event_type_availability_schedules", "user_uri", MEMBERS, USER),
    Reference("webhook_events", "scheduled_event_uri", EVENTS),
    Reference("webhook_events", "invitee_uri", INVITEES),
)
"""What those columns join that the tap works out of a row."""


def all_references() -> list[Reference]:
    """Return what joins the tables that the tap loads."""
    return [*REFERENCES, *_added(), *COMPUTED]


def _added() -> Iterable[Reference]:
    """Yield what the columns join that the tap adds for that."""
    for stream in STREAMS:
        if stream.parent:
            parent: type[CalendlyStream] = stream.parent.stream
            for column, key in stream.parent.columns.items():
                if key in {"uri", USER}:
                    yield Reference(stream.name, column, parent.name, key)


def of_raw_tables(
    catalog: Mapping[str, Mapping[str, Any]], names: Collection[str], direction: str = "TB"
) -> str:
    """Return the diagram of some of the tables that the tap loads, with the columns that join them.

    Args:
        catalog: The catalog's entries, by stream.
        names: The tables; others that they name are shown without columns.
        direction: Where lines lead: to the bottom (TB), or to the right (LR).
    """
    references = all_references()
    naming = {(one.table, one.column) for one in references}
    named = {(one.target, one.key.split(".")[0]) for one in references}
    lines, labels = [], defaultdict(list)
    for name in names:
        keys, columns = catalog[name]["key_properties"], catalog[name]["schema"]["properties"]
        marks = {
            column: _marks(
                primary=column in keys,
                unique=(name, column) in named,
                foreign=(name, column) in naming,
            )
            for column in columns
        }
        shown = [f"{_type(columns[one])} {one} {mark}" for one, mark in marks.items() if mark]
        lines += _entity(name, shown)
        for one in references:
            if one.table == name:
                end = "{" if "array" in columns[one.column]["type"] else "|"
                label = one.field if one.key == "uri" else f"{one.field} = {one.key}"
                labels[f"{name} }}o--o{end} {one.target}"].append(label)
    return _diagram([f"direction {direction}", *lines, *_edges(labels)])


def _type(schema: Mapping[str, Any]) -> str:
    """Return what a target makes of a column, as all call it."""
    kind: str = next(one for one in schema["type"] if one != "null")
    if schema.get("format") == "date-time":
        return "timestamp"
    return {"object": "json", "array": "json"}.get(kind, kind)


def _marks(*, primary: bool, unique: bool, foreign: bool) -> str:
    key = "PK" if primary else "UK" if unique else ""
    return ", ".join(filter(None, [key, "FK" * foreign]))


def _entity(name: str, columns: Sequence[str]) -> list[str]:
    return [f"{name} {{", *(f"    {column}".rstrip() for column in columns), "}"]


def of_models(manifest: Mapping[str, Any], types: Mapping[tuple[str, str], str]) -> str:
    """Return the diagram of the models, with all their columns and what dbt tests of these.

    Args:
        manifest: dbt's description of the project.
        types: The type of each column, by table and column.
    """
    lines, labels = [], defaultdict(list)
    for key, model in marts(manifest).items():
        tested = [one for one in manifest["nodes"].values() if one.get("attached_node") == key]
        unique = _columns(tested, "unique")
        keys = unique[:1] or _columns(tested, "unique_together")
        filled, references = _columns(tested, "not_null"), _references(tested)
        marks = {
            column: _marks(
                primary=column in keys, unique=column in unique, foreign=column in references
            )
            for column in model["columns"]
        }
        shown = [f"{types[model['name'], one]} {one} {mark}" for one, mark in marks.items()]
        lines += _entity(model["name"], shown)
        for column, target in references.items():
            ends = ("|o" if column in unique else "}o", "||" if column in filled else "o|")
            labels[f"{model['name']} {'--'.join(ends)} {target}"].append(column)
    return _diagram([*lines, *_edges(labels)])


def marts(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the models for those who ask questions, by id and in the order of their names."""
    nodes = sorted(manifest["nodes"].items())
    return {
        key: one for key, one in nodes if one["resource_type"] == "model" and "marts" in one["fqn"]
    }


def _columns(tests: Iterable[Mapping[str, Any]], name: str) -> list[str]:
    """Return the columns with a test of that name."""
    found: list[str] = []
    for test in tests:
        if (about := test["test_metadata"])["name"] == name:
            found += about["kwargs"].get("columns") or [test["column_name"]]
    return found


def _references(tests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the model that a column names, by column."""
    named = {test["column_name"]: test["test_metadata"]["kwargs"].get("to", "") for test in tests}
    return {column: found[1] for column, to in named.items() if (found := REF.search(to))}


def _edges(labels: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Yield a line for each pair of tables: Mermaid draws several over each other."""
    return (f'{edge} : "{", ".join(fields)}"' for edge, fields in labels.items())


def _diagram(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "erDiagram", *(f"    {line}" for line in lines), "```"])
