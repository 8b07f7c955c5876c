"""Groups: members, and those invited, who are administered together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from sandbox.invitations import Invitations
from sandbox.state import Record, known, life

if TYPE_CHECKING:
    from collections.abc import Iterable


class Groups(Invitations):
    """The groups of the organisation; a relationship is a place in one of them."""

    @life
    def add_group(self, *, name: str, members: Iterable[str], admins: Iterable[str] = ()) -> str:
        """Put members into a group.

        Args:
            name: The group's name.
            members: The URIs of the users in it.
            admins: The URIs of those who administer it; they need not be named twice.

        Returns:
            The group's URI.

        Raises:
            ValueError: If one of them is no member of the organisation.
        """
        roles = {**dict.fromkeys(members, "member"), **dict.fromkeys(admins, "admin")}
        owners = {user: self._membership(user)["uri"] for user in sorted(roles)}
        stamp = self.stamp()
        uri = self.identifiers.new_uri("groups", name)
        self.groups[uri] = {
            "uri": uri,
            "name": name,
            "organization": self.organization["uri"],
            "created_at": stamp,
            "updated_at": stamp,
            "member_count": len(roles),
        }
        self.group_members[uri] = set(roles)
        for user, owner in owners.items():
            self._relate(uri, owner, roles[user], stamp)
        self._log("Group.Create", at=stamp, about=uri, details={"name": name})
        return uri

    @life
    def rename_group(self, *, group: str, name: str) -> None:
        """Give a group another name; moves its ``updated_at``.

        Raises:
            ValueError: If there is no such group.
        """
        known(self.groups, group, "group").update(name=name, updated_at=self.stamp())

    @life
    def delete_group(self, *, group: str) -> None:
        """Delete a group: it vanishes with all places in it, its members stay.

        Raises:
            ValueError: If there is no such group.
        """
        known(self.groups, group, "group")
        del self.groups[group], self.group_members[group]
        self._unrelate(group=group)
        self._log("Group.Delete", about=group)

    @life
    def join_group(
        self, *, group: str, owner: str, role: Literal["member", "admin"] = "member"
    ) -> str:
        """Give somebody a place in a group; moves the group's ``updated_at``.

        Args:
            group: The group's URI.
            owner: The URI of a user, or of a pending invitation.
            role: Whether he is to administer it.

        Returns:
            The URI of the relationship.

        Raises:
            ValueError: If there is no such group, user or pending invitation, or he is in it
                already, or there is no such role.
        """
        record = known(self.groups, group, "group")
        _require_role(role)
        invited = owner in self.invitations
        who = self._pending_invitation(owner) if invited else self._membership(owner)
        if any(
            (one["group"], one["owner"]) == (group, who["uri"])
            for one in self.group_relationships.values()
        ):
            message = f"{owner} is in the group {group} already"
            raise ValueError(message)
        stamp = self.stamp()
        if not invited:
            self.group_members[group].add(owner)
            record["member_count"] = len(self.group_members[group])
        record["updated_at"] = stamp
        return self._relate(group, who["uri"], role, stamp)

    @life
    def change_group_role(self, *, relationship: str, role: Literal["member", "admin"]) -> None:
        """Let somebody administer a group, or no more; moves the relationship's ``updated_at``.

        Raises:
            ValueError: If there is no such relationship or role.
        """
        record = known(self.group_relationships, relationship, "group relationship")
        _require_role(role)
        record.update(role=role, updated_at=self.stamp())

    @life
    def leave_group(self, *, relationship: str) -> None:
        """Take somebody's place in a group away: it vanishes; moves the group's ``updated_at``.

        Raises:
            ValueError: If there is no such relationship.
        """
        record = known(self.group_relationships, relationship, "group relationship")
        del self.group_relationships[relationship]
        membership = self.memberships.get(record["owner"])
        if membership is not None:
            self.group_members[record["group"]].discard(membership["user"]["uri"])
        self._recount(record["group"])

    @life
    @override
    def accept_invitation(
        self, *, invitation: str, name: str, timezone: str = "America/New_York"
    ) -> str:
        user = super().accept_invitation(invitation=invitation, name=name, timezone=timezone)
        membership = self._membership(user)["uri"]
        for relationship in self.group_relationships.values():
            if relationship["owner"] == invitation:
                relationship.update(owner=membership, updated_at=self.stamp())
                self.group_members[relationship["group"]].add(user)
                self._recount(relationship["group"])
        return user

    @life
    @override
    def decline_invitation(self, *, invitation: str) -> None:
        super().decline_invitation(invitation=invitation)
        self._unrelate(owner=invitation)

    @life
    @override
    def revoke_invitation(self, *, invitation: str) -> None:
        super().revoke_invitation(invitation=invitation)
        self._unrelate(owner=invitation)

    def relationships(self) -> list[Record]:
        """Return the places in groups as the API tells them: with whoever has them, as he is."""
        return [self.relationship(one) for one in self.group_relationships.values()]

    def relationship(self, record: Record) -> Record:
        """Return a place in a group as the API tells it."""
        owner = record["owner"]
        if owner in self.memberships:
            return {
                **record,
                "owner": {**self.memberships[owner], "type": "OrganizationMembership"},
            }
        return {**record, "owner": {**self.invitations[owner], "type": "OrganizationInvitation"}}

    def administered_groups(self, user: str) -> frozenset[str]:
        """Return the URIs of the groups that the user administers."""
        return frozenset(
            one["group"]
            for one in self.group_relationships.values()
            if one["role"] == "admin"
            and self.memberships.get(one["owner"], {}).get("user", {}).get("uri") == user
        )

    @override
    def _depart(self, user: str) -> None:
        super()._depart(user)
        self._unrelate(owner=self._membership(user)["uri"])
        for group, members in self.group_members.items():
            if user in members:
                members.remove(user)
                self._recount(group)

    def _relate(self, group: str, owner: str, role: str, stamp: str) -> str:
        uri = self.identifiers.new_uri("group_relationships", group, owner)
        self.group_relationships[uri] = {
            "uri": uri,
            "role": role,
            "owner": owner,
            "organization": self.organization["uri"],
            "group": group,
            "created_at": stamp,
            "updated_at": stamp,
        }
        return uri

    def _unrelate(self, **of: str) -> None:
        """Let the places vanish whose fields are as given."""
        for uri, record in list(self.group_relationships.items()):
            if all(record[key] == value for key, value in of.items()):
                del self.group_relationships[uri]

    def _recount(self, group: str) -> None:
        count = len(self.group_members[group])
        self.groups[group].update(member_count=count, updated_at=self.stamp())


def _require_role(role: str) -> None:
    if role not in ("member", "admin"):
        message = f"a group has members and admins, no {role!r}"
        raise ValueError(message)
