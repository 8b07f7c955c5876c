"""Invitations, teams and groups, as people come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.asking import ask, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.http.server import Sandbox
    from sandbox.organization.calendly import Calendly

KIM = "kim@windmill.example"


@pytest.fixture
def colleague(calendly: Calendly) -> str:
    return calendly.add_member(name="Kim", email=KIM)


def relationship_of(calendly: Calendly, user: str) -> str:
    (uri,) = (
        one["uri"]
        for one in calendly.relationships()
        if one["owner"].get("user", {}).get("uri") == user
    )
    return str(uri)


def test_an_invitation_is_resent_and_accepted(calendly: Calendly) -> None:
    uri = calendly.invite(email=KIM, send=False)
    invitation = calendly.invitations[uri]
    assert (invitation["status"], invitation["last_sent_at"]) == ("pending", None)
    assert "user" not in invitation

    calendly.resend_invitation(invitation=uri)
    sent = invitation["updated_at"]
    assert invitation["last_sent_at"] == sent > invitation["created_at"]

    user = calendly.accept_invitation(invitation=uri, name="Kim")
    assert (invitation["status"], invitation["user"]) == ("accepted", user)
    assert invitation["updated_at"] > sent
    assert calendly.users[user]["email"] == KIM


def test_an_invitation_is_declined_or_revoked(calendly: Calendly) -> None:
    declined, revoked = (calendly.invite(email=one) for one in (KIM, "lee@guest.example"))

    calendly.decline_invitation(invitation=declined)
    calendly.revoke_invitation(invitation=revoked)

    assert [one["status"] for one in calendly.invitations.values()] == ["declined"]


def test_an_invited_person_keeps_their_place_in_a_group_when_they_join(calendly: Calendly) -> None:
    group = calendly.add_group(name="Sales", members=[])
    invitation = calendly.invite(email=KIM)
    uri = calendly.join_group(group=group, owner=invitation)
    (invited,) = calendly.relationships()
    user = calendly.accept_invitation(invitation=invitation, name="Kim")
    (joined,) = calendly.relationships()

    assert (invited["uri"], invited["owner"]["type"]) == (uri, "OrganizationInvitation")
    assert (joined["uri"], joined["owner"]["type"]) == (uri, "OrganizationMembership")
    assert joined["owner"]["user"]["uri"] == user
    assert joined["updated_at"] > invited["updated_at"]
    assert calendly.group_members[group] == {user}


def test_a_group_relationship_is_added_changed_and_deleted(
    calendly: Calendly, colleague: str
) -> None:
    group = calendly.add_group(name="Sales", members=[colleague], admins=[calendly.owner])
    roles = {one["owner"]["user"]["uri"]: one["role"] for one in calendly.relationships()}
    assert roles == {colleague: "member", calendly.owner: "admin"}
    uri = relationship_of(calendly, colleague)

    calendly.change_group_role(relationship=uri, role="admin")
    assert calendly.administered_groups(colleague) == {group}
    calendly.leave_group(relationship=uri)
    assert calendly.group_members[group] == {calendly.owner}
    assert calendly.groups[group]["member_count"] == 1
    calendly.rename_group(group=group, name="Trade")
    assert calendly.groups[group]["name"] == "Trade"
    calendly.delete_group(group=group)
    assert calendly.groups == calendly.group_relationships == {}


def test_a_member_who_leaves_the_organization_leaves_its_groups_and_teams(
    calendly: Calendly, colleague: str
) -> None:
    group = calendly.add_group(name="Sales", members=[colleague])
    team = calendly.add_team(name="Sales", members=[colleague])

    calendly.remove_member(user=colleague)

    assert calendly.relationships() == []
    assert (calendly.group_members[group], calendly.team_members[team]) == (set(), set())


def test_a_team_is_created_with_the_first_event_type_on_its_page(calendly: Calendly) -> None:
    types = [
        calendly.add_event_type(owner=calendly.owner, name=name, duration=30, team="Sales")
        for name in ("Intro", "Outro")
    ]

    (team,) = calendly.teams.values()
    assert {calendly.event_types[one]["profile"]["owner"] for one in types} == {team["uri"]}


def test_a_team_is_renamed_changed_and_deleted(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    team = calendly.add_team(name="Sales", members=[calendly.owner])
    calendly.rename_team(team=team, name="Trade")
    calendly.change_team(team=team, members=[colleague])

    assert whole(sandbox, "/teams", {"user": calendly.owner}) == []
    (found,) = whole(sandbox, "/teams", {"user": colleague})
    assert found["name"] == "Trade"
    assert found["scheduling_url"].endswith("/trade")
    calendly.delete_team(team=team)
    assert ask(sandbox, team).status_code == 404


def test_a_group_admin_reads_only_that_group(
    sandbox: Sandbox, calendly: Calendly, colleague: str
) -> None:
    his = calendly.add_group(name="Sales", members=[], admins=[colleague])
    other = calendly.add_group(name="Support", members=[calendly.owner])
    token = sandbox.access.issue(colleague)
    everything = {"organization": calendly.organization["uri"]}

    def status(path: str, **params: str) -> int:
        return ask(sandbox, path, params, token).status_code

    listed = ask(sandbox, "/groups", everything, token).json()["collection"]
    assert [one["uri"] for one in listed] == [his]
    assert (status(his), status(other)) == (200, 403)
    assert status("/group_relationships", group=his) == 200
    assert status("/group_relationships", group=other) == 403
    assert status("/group_relationships", **everything) == 403
    assert status("/scheduled_events", group=his, **everything) == 200
    assert status("/scheduled_events", group=other, **everything) == 403


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (lambda one: one.invite(email="ada@windmill.example"), "is a member already"),
        (lambda one: one.invite(email="pending@guest.example"), "is invited already"),
        (lambda one: one.revoke_invitation(invitation="nothing"), "there is no invitation"),
        (lambda one: one.add_team(name="Sales", members=[]), "there is a team"),
        (lambda one: one.delete_team(team="nothing"), "there is no team"),
        (lambda one: one.leave_group(relationship="nothing"), "there is no group relationship"),
        (lambda one: one.join_group(group=next(iter(one.groups)), owner=one.owner), "in the group"),
        (
            lambda one: one.join_group(group=next(iter(one.groups)), owner=one.owner, role="boss"),
            "has members and admins",
        ),
    ],
)
def test_an_impossible_life_event_is_refused_with_a_reason_and_changes_nothing(
    calendly: Calendly, deed: Callable[[Calendly], object], sentence: str
) -> None:
    calendly.invite(email="pending@guest.example")
    calendly.add_team(name="Sales", members=[])
    calendly.add_group(name="Sales", members=[calendly.owner])
    before = calendly.more_truth()

    with pytest.raises(ValueError, match=sentence):
        deed(calendly)
    assert calendly.more_truth() == before
