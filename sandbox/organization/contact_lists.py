"""Lists and views of contacts that a user saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.state import Record, State, find, life_event

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_LISTS = 25
"""How many lists and views a user can have."""

TYPES = ("static_list", "dynamic_view")


@life_event
def add_contact_list(
    state: State, *, user: str, name: str, contacts: Collection[str] | None = None
) -> str:
    """Save a list of these contacts (their URIs), or a view if they are left out."""
    find(state.users, user, "user")
    for contact in contacts or ():
        find(state.contacts, contact, "contact")
    if len(contact_lists_of(state, user)) == MOST_LISTS:
        message = f"{user} has {MOST_LISTS} lists already"
        raise ValueError(message)
    stamp = state.stamp()
    uri = state.identifiers.new_uri("contact_lists", user, name)
    state.contact_lists[uri] = {
        "uri": uri,
        "name": name,
        "type": "dynamic_view" if contacts is None else "static_list",
        "created_at": stamp,
        "updated_at": stamp,
    }
    if contacts is not None:
        state.contact_list_members[uri] = set(contacts)
    state.contact_owners[uri] = user
    return uri


@life_event
def delete_contact_list(state: State, *, contact_list: str) -> None:
    """Delete a list or view; its contacts stay."""
    find(state.contact_lists, contact_list, "contact list")
    del state.contact_lists[contact_list], state.contact_owners[contact_list]
    state.contact_list_members.pop(contact_list, None)


def contact_lists_of(state: State, user: str) -> list[Record]:
    """Return the user's lists and views; only the contacts of lists are counted."""
    return [
        {**one, "contact_count": _contact_count(state, uri)}
        for uri, one in state.contact_lists.items()
        if state.contact_owners[uri] == user
    ]


def _contact_count(state: State, contact_list: str) -> int | None:
    members = state.contact_list_members.get(contact_list)
    return None if members is None else len(members & state.contacts.keys())
