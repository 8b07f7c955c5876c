"""What can be booked: event types, as their owners make, change and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from typing_extensions import override

from sandbox.identifiers import PAGES
from sandbox.state import Record, known, life, slug
from sandbox.teams import Teams

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
    """What an event type may be given beyond its essentials.

    Attributes:
        hosts: URIs of the users who host it; the owner alone if left out.
        limit: How many invitees one meeting of a group event type takes.
        team: The name of the team whose page it stands on, which comes about if there is none;
            the owner's own page if left out.
        pooling_type: ``round_robin``, ``collective`` or ``multi_pool``.
        locations: Location configurations, ``{"kind": ..., ...}``; ``None`` for none at all.
        before_buffer: Minutes kept free before a meeting.
        after_buffer: Minutes kept free after it.

    The others are fields of the record, as the API gives them.
    """

    hosts: Sequence[str]
    limit: int
    team: str
    pooling_type: str | None
    locations: Sequence[Mapping[str, str]] | None
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


class EventTypes(Teams):
    """The event types of the organisation."""

    @life
    def add_event_type(
        self,
        *,
        owner: str,
        name: str | None,
        duration: int,
        kind: Literal["solo", "group"] = "solo",
        **options: Unpack[EventTypeOptions],
    ) -> str:
        """Offer something that can be booked.

        Args:
            owner: The URI of the user it belongs to.
            name: Its name; one-off types may have none.
            duration: How long a meeting takes, in minutes.
            kind: ``solo`` for one invitee, ``group`` for several.
            options: See :class:`EventTypeOptions`.

        Returns:
            The event type's URI.

        Raises:
            ValueError: If the owner or a host is unknown, or an option is.
        """
        unknown = sorted(options.keys() - EventTypeOptions.__annotations__.keys())
        if unknown:
            message = f"an event type has no option {unknown[0]!r}"
            raise ValueError(message)
        hosts = list(options.get("hosts", [owner]))
        for user in (owner, *hosts):
            known(self.users, user, "user")
        person = self.users[owner]
        stamp = self.stamp()
        uri = self.identifiers.new_uri("event_types", owner, str(name))
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
            "position": len(self.event_types),
            "profile": self._profile(person, team, hosts),
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
        self.event_types[uri] = record
        self.event_type_hosts[uri] = hosts
        self.event_type_limits[uri] = 1 if kind == "solo" else options.get("limit", 10)
        for host in dict.fromkeys(hosts):
            self._host(uri, host, stamp)
        self._log("EventType.Create", at=stamp, about=uri, actor=owner, details={"name": name})
        return uri

    @life
    def edit_event_type(self, /, *, uri: str, **changes: object) -> None:
        """Change fields of an event type; moves its ``updated_at``.

        Args:
            uri: The event type.
            changes: New values, by field of the record.

        Raises:
            ValueError: If there is no such event type, it is deleted, or a field cannot be edited.
        """
        record = self._offered(uri)
        fixed = sorted(changes.keys() - EDITABLE)
        if fixed:
            message = f"the field {fixed[0]!r} of an event type cannot be edited"
            raise ValueError(message)
        stamp = self.stamp()
        record.update(changes, updated_at=stamp)
        details = {"changed": sorted(changes)}
        self._log("EventType.Update", at=stamp, about=uri, details=details)

    @life
    def delete_event_type(self, *, uri: str) -> None:
        """Delete an event type: it leaves the lists, and by its id answers with ``deleted_at``.

        Raises:
            ValueError: If there is no such event type, or it is deleted already.
        """
        record = self._offered(uri)
        stamp = self.stamp()
        record.update(deleted_at=stamp, updated_at=stamp, active=False)
        self._log("EventType.Delete", at=stamp, about=uri)

    @life
    def add_host(self, *, event_type: str, user: str) -> str:
        """Let one more user host an event type.

        Returns:
            The URI of the event type membership.

        Raises:
            ValueError: If there is no such event type or user, or he hosts it already.
        """
        self._offered(event_type)
        known(self.users, user, "user")
        if user in self.event_type_hosts[event_type]:
            message = f"{user} hosts the event type {event_type} already"
            raise ValueError(message)
        self.event_type_hosts[event_type].append(user)
        return self._host(event_type, user, self.stamp())

    @life
    def remove_host(self, *, event_type: str, user: str) -> None:
        """Let a user host an event type no more: the membership vanishes.

        Raises:
            ValueError: If there is no such event type, or he does not host it.
        """
        self._offered(event_type)
        if user not in self.event_type_hosts[event_type]:
            message = f"{user} does not host the event type {event_type}"
            raise ValueError(message)
        self.event_type_hosts[event_type].remove(user)
        self._unhost(user, event_type)

    def hosts(self, event_type: str) -> list[Record]:
        """Return the hosts of an event type as the API tells them: both records embedded."""
        return [
            {
                **one,
                "event_type": self.event_types[event_type],
                "member": self.users[one["member"]],
            }
            for one in self.event_type_memberships.values()
            if one["event_type"] == event_type
        ]

    @override
    def _depart(self, user: str) -> None:
        super()._depart(user)
        self._unhost(user)

    def _host(self, event_type: str, user: str, stamp: str) -> str:
        uri = self.identifiers.new_uri("event_type_memberships", event_type, user)
        self.event_type_memberships[uri] = {
            "uri": uri,
            "event_type": event_type,
            "member": user,
            "updated_at": stamp,
            "created_at": stamp,
        }
        return uri

    def _unhost(self, user: str, event_type: str | None = None) -> None:
        for uri, record in list(self.event_type_memberships.items()):
            if record["member"] == user and event_type in (None, record["event_type"]):
                del self.event_type_memberships[uri]

    def _offered(self, uri: str) -> Record:
        record = known(self.event_types, uri, "event type")
        if record["deleted_at"] is not None:
            message = f"the event type {uri} is deleted"
            raise ValueError(message)
        return record

    def _profile(self, owner: Record, team: str | None, hosts: Sequence[str]) -> Record:
        if team is None:
            return {"type": "User", "name": owner["name"], "owner": owner["uri"]}
        return {"type": "Team", "name": team, "owner": self._team(team, hosts)}


def _listed(values: Sequence[int] | None) -> list[int] | None:
    return None if values is None else list(values)
