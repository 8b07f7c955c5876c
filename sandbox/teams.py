"""Teams: members who share a booking page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from sandbox.identifiers import PAGES
from sandbox.organization import Organization
from sandbox.state import known, life, slug

if TYPE_CHECKING:
    from collections.abc import Iterable


class Teams(Organization):
    """The teams of the organisation; a team is no group, though both may have the same members."""

    @life
    def add_team(self, *, name: str, members: Iterable[str]) -> str:
        """Let members share a booking page.

        Args:
            name: The team's name.
            members: The URIs of the users in it.

        Returns:
            The team's URI.

        Raises:
            ValueError: If there is a team of that name, or one of them is no member of the
                organisation.
        """
        self._require_no_team(name)
        users = set(members)
        for user in sorted(users):
            self._membership(user)
        return self._new_team(name, users)

    @life
    def rename_team(self, *, team: str, name: str) -> None:
        """Give a team another name, and its page another address; there is no timestamp to move.

        Raises:
            ValueError: If there is no such team, or another one has that name.
        """
        record = known(self.teams, team, "team")
        self._require_no_team(name)
        record.update(name=name, scheduling_url=f"{PAGES}/{slug(name)}")

    @life
    def change_team(self, *, team: str, members: Iterable[str]) -> None:
        """Let a team have exactly these members.

        Raises:
            ValueError: If there is no such team, or one of them is no member of the organisation.
        """
        known(self.teams, team, "team")
        users = set(members)
        for user in sorted(users):
            self._membership(user)
        self.team_members[team] = users

    @life
    def delete_team(self, *, team: str) -> None:
        """Delete a team: it vanishes, its members stay.

        Raises:
            ValueError: If there is no such team.
        """
        known(self.teams, team, "team")
        del self.teams[team], self.team_members[team]
        self._log("Team.Delete", about=team)

    @override
    def _depart(self, user: str) -> None:
        super()._depart(user)
        for members in self.team_members.values():
            members.discard(user)

    def _team(self, name: str, members: Iterable[str]) -> str:
        """Return the URI of the team of that name, made of ``members`` if there is none yet."""
        for uri, team in self.teams.items():
            if team["name"] == name:
                return uri
        return self._new_team(name, set(members))

    def _new_team(self, name: str, members: set[str]) -> str:
        uri = self.identifiers.new_uri("teams", name)
        self.teams[uri] = {
            "uri": uri,
            "name": name,
            "organization": self.organization["uri"],
            "scheduling_url": f"{PAGES}/{slug(name)}",
        }
        self.team_members[uri] = members
        self._log("Team.Create", about=uri, details={"name": name})
        return uri

    def _require_no_team(self, name: str) -> None:
        if any(team["name"] == name for team in self.teams.values()):
            message = f"there is a team {name!r} already"
            raise ValueError(message)
