"""Teams: members who share a booking page. A team is not a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.activity_log import log
from sandbox.organization.identifiers import PAGES
from sandbox.organization.state import State, find, life_event, slug

if TYPE_CHECKING:
    from collections.abc import Iterable


@life_event
def add_team(state: State, *, name: str, members: Iterable[str]) -> str:
    """Create a team of these users (URIs)."""
    _require_no_team(state, name)
    return _new_team(state, name, _checked(state, members))


@life_event
def rename_team(state: State, *, team: str, name: str) -> None:
    """Rename a team, which moves its page; a team has no timestamp."""
    record = find(state.teams, team, "team")
    _require_no_team(state, name)
    record.update(name=name, scheduling_url=f"{PAGES}/{slug(name)}")


@life_event
def change_team(state: State, *, team: str, members: Iterable[str]) -> None:
    """Give a team exactly these members."""
    find(state.teams, team, "team")
    state.team_members[team] = _checked(state, members)


@life_event
def delete_team(state: State, *, team: str) -> None:
    """Delete a team; its members stay."""
    find(state.teams, team, "team")
    del state.teams[team], state.team_members[team]
    log(state, "Team.Delete", about=team)


def leave_all(state: State, user: str) -> None:
    """Take a user who leaves the organization out of all teams."""
    for members in state.team_members.values():
        members.discard(user)


def team_named(state: State, name: str, members: Iterable[str]) -> str:
    """Return the URI of the team of that name; if there is none, create it of ``members``."""
    for uri, team in state.teams.items():
        if team["name"] == name:
            return uri
    return _new_team(state, name, set(members))


def _new_team(state: State, name: str, members: set[str]) -> str:
    uri = state.identifiers.new_uri("teams", name)
    state.teams[uri] = {
        "uri": uri,
        "name": name,
        "organization": state.organization["uri"],
        "scheduling_url": f"{PAGES}/{slug(name)}",
    }
    state.team_members[uri] = members
    log(state, "Team.Create", about=uri, details={"name": name})
    return uri


def _checked(state: State, members: Iterable[str]) -> set[str]:
    users = set(members)
    for user in sorted(users):
        state.membership(user)
    return users


def _require_no_team(state: State, name: str) -> None:
    if any(team["name"] == name for team in state.teams.values()):
        message = f"there is a team {name!r} already"
        raise ValueError(message)
