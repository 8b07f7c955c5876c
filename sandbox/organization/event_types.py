"""Event types: what can be booked, and who hosts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from sandbox.organization.activity_log import log
from sandbox.organization.announcements import announce_event_type
from sandbox.organization.identifiers import PAGES
from sandbox.organization.state import Record, State, find, life_event, slug
from sandbox.organization.teams import team_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

EDITABLE = frozenset(
    {
        "active",
        "admin_managed",
        "booking_method",
        "color",
        "custom_questions",
        "description_html",
        "description_plain",
        "duration",
        "duration_options",
        "internal_note",
        "is_paid",
        "locale",
        "locations",
        "name",
        "position",
        "secret",
        "slug",
        "start_time_increment",
        "before_buffer",
        "after_buffer",
    },
)


class EventTypeOptions(TypedDict, total=False):
    """The optional properties of an event type; those not listed are fields of the record.

    Attributes:
        hosts: URIs of the users who host it; only the owner if left out.
        limit: How many invitees a meeting of a group event type takes.
        team: The name of the team whose page it is on, created if there is none; the owner's
            own page if left out.
        pooling_type: ``round_robin``, ``collective`` or ``multi_pool``.
        locations: Location configurations, ``{"kind": ..., ...}``.
        listed: Whether lists include it until it is deleted; its id can be read in any case.
        before_buffer: Minutes kept free before a meeting.
        after_buffer: Minutes kept free after it.
    """

    hosts: Sequence[str]
    limit: int
    team: str
    pooling_type: str | None
    locations: Sequence[Mapping[str, str]] | None
    listed: bool
    before_buffer: int
    after_buffer: int
    active: bool
    admin_managed: bool
    color: str
    custom_questions: Sequence[Mapping[str, object]]
    description_plain: str | None
    duration_options: Sequence[int] | None
    internal_note: str | None
    is_paid: bool
    locale: str
    secret: bool
    type: str


@life_event
def add_event_type(
    state: State,
    *,
    owner: str,
    name: str | None,
    duration: int,
    kind: Literal["solo", "group"] = "solo",
    **options: Unpack[EventTypeOptions],
) -> str:
    """Create an event type of ``duration`` minutes; a one-off one may have no name."""
    unknown = sorted(options.keys() - EventTypeOptions.__annotations__.keys())
    if unknown:
        message = f"an event type has no option {unknown[0]!r}"
        raise ValueError(message)
    hosts = list(options.get("hosts", [owner]))
    for user in (owner, *hosts):
        find(state.users, user, "user")
    person = state.users[owner]
    stamp = state.stamp()
    uri = state.identifiers.new_uri("event_types", owner, str(name))
    team = options.get("team")
    page = slug(team) if team else person["slug"]
    locations = options.get("locations")
    plain = options.get("description_plain")
    record: Record = {
        "active": options.get("active", True),
        "admin_managed": options.get("admin_managed", False),
        "booking_method": "instant",
        "color": options.get("color", "#8247f5"),
        "created_at": stamp,
        "custom_questions": [dict(one) for one in options.get("custom_questions", ())],
        "deleted_at": None,
        "description_html": None if plain is None else f"<p>{plain}</p>",
        "description_plain": plain,
        "duration": duration,
        "duration_options": _listed(options.get("duration_options")),
        "internal_note": options.get("internal_note"),
        "is_paid": options.get("is_paid", False),
        "kind": kind,
        "locale": options.get("locale", "en"),
        "locations": None if locations is None else [dict(one) for one in locations],
        "name": name,
        "pooling_type": options.get("pooling_type"),
        "position": len(state.event_types),
        "profile": _profile(state, person, team, hosts),
        "scheduling_url": f"{PAGES}/{page}/{slug(name or 'one-off')}",
        "secret": options.get("secret", False),
        "slug": None if name is None else slug(name),
        "type": options.get("type", "StandardEventType"),
        "updated_at": stamp,
        "uri": uri,
        "start_time_increment": 30,
        "before_buffer": options.get("before_buffer", 0),
        "after_buffer": options.get("after_buffer", 0),
    }
    if record["type"] == "AdhocEventType":
        record["start_time_increment"] = None
    state.event_types[uri] = record
    state.event_type_hosts[uri] = hosts
    state.event_type_limits[uri] = 1 if kind == "solo" else options.get("limit", 10)
    if not options.get("listed", True):
        state.unlisted_event_types.add(uri)
    for host in dict.fromkeys(hosts):
        _host(state, uri, host, stamp)
    log(state, "EventType.Create", at=stamp, about=uri, actor=owner, details={"name": name})
    announce_event_type(state, "event_type.created", record)
    return uri


@life_event
def edit_event_type(state: State, /, *, uri: str, **changes: object) -> None:
    """Change fields of an event type; moves its ``updated_at``."""
    record = offered(state, uri)
    fixed = sorted(changes.keys() - EDITABLE)
    if fixed:
        message = f"the field {fixed[0]!r} of an event type cannot be edited"
        raise ValueError(message)
    stamp = state.stamp()
    record.update(changes, updated_at=stamp)
    details = {"changed": sorted(changes)}
    log(state, "EventType.Update", at=stamp, about=uri, details=details)
    announce_event_type(state, "event_type.updated", record)


@life_event
def delete_event_type(state: State, *, uri: str) -> None:
    """Delete an event type: it leaves the lists, but can still be read by its id."""
    record = offered(state, uri)
    stamp = state.stamp()
    record.update(deleted_at=stamp, updated_at=stamp, active=False)
    log(state, "EventType.Delete", at=stamp, about=uri)
    announce_event_type(state, "event_type.deleted", record)


@life_event
def add_host(state: State, *, event_type: str, user: str) -> str:
    """Add a host to an event type; return the URI of the event type membership."""
    offered(state, event_type)
    find(state.users, user, "user")
    if user in state.event_type_hosts[event_type]:
        message = f"{user} hosts the event type {event_type} already"
        raise ValueError(message)
    state.event_type_hosts[event_type].append(user)
    return _host(state, event_type, user, state.stamp())


@life_event
def remove_host(state: State, *, event_type: str, user: str) -> None:
    """Remove a host from an event type: the event type membership is deleted."""
    offered(state, event_type)
    require_host(state, event_type, user)
    state.event_type_hosts[event_type].remove(user)
    stop_hosting(state, user, event_type)


def listed(state: State) -> list[Record]:
    """Return the event types that lists include: no deleted ones."""
    return [
        one
        for uri, one in state.event_types.items()
        if one["deleted_at"] is None and uri not in state.unlisted_event_types
    ]


def hosts(state: State, event_type: str) -> list[Record]:
    """Return an event type's memberships as the API returns them: both records included."""
    return [
        {
            **one,
            "event_type": state.event_types[event_type],
            "member": state.users[one["member"]],
        }
        for one in state.event_type_memberships.values()
        if one["event_type"] == event_type
    ]


def stop_hosting(state: State, user: str, event_type: str | None = None) -> None:
    """Delete a user's membership in one event type, or in all."""
    for uri, record in list(state.event_type_memberships.items()):
        if record["member"] == user and event_type in (None, record["event_type"]):
            del state.event_type_memberships[uri]


def offered(state: State, uri: str) -> Record:
    """Return an event type, or raise ValueError if it is unknown or deleted."""
    record = find(state.event_types, uri, "event type")
    if record["deleted_at"] is not None:
        message = f"the event type {uri} is deleted"
        raise ValueError(message)
    return record


def require_host(state: State, event_type: str, user: str) -> None:
    """Raise ValueError unless the user hosts the event type."""
    if user not in state.event_type_hosts[event_type]:
        message = f"{user} does not host the event type {event_type}"
        raise ValueError(message)


def _host(state: State, event_type: str, user: str, stamp: str) -> str:
    uri = state.identifiers.new_uri("event_type_memberships", event_type, user)
    state.event_type_memberships[uri] = {
        "uri": uri,
        "event_type": event_type,
        "member": user,
        "updated_at": stamp,
        "created_at": stamp,
    }
    return uri


def _profile(state: State, owner: Record, team: str | None, hosts: Sequence[str]) -> Record:
    if team is None:
        return {"type": "User", "name": owner["name"], "owner": owner["uri"]}
    return {"type": "Team", "name": team, "owner": team_named(state, team, hosts)}


def _listed(values: Sequence[int] | None) -> list[int] | None:
    return None if values is None else list(values)
