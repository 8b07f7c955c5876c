"""An API that lags behind what has happened: it shows meetings as they were."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sandbox.organization.state import State, life_event

if TYPE_CHECKING:
    from sandbox.organization.state import Record


class Meetings(NamedTuple):
    """The meetings by URI, their invitees, and the no-show marks by URI."""

    events: dict[str, Record]
    invitees: dict[str, list[Record]]
    no_shows: dict[str, Record]


@life_event
def fall_behind(state: State, *, seconds: float | None = None) -> None:
    """Let the API show meetings as they are now, for some time or until it catches up."""
    state.lagging = deepcopy(_current(state))
    state.lags_until = None if seconds is None else state.clock.now() + timedelta(seconds=seconds)


@life_event
def catch_up(state: State) -> None:
    """Let the API show meetings as they are again."""
    state.lagging = None


def shown_meetings(state: State) -> Meetings:
    """Return the meetings as the API shows them."""
    over = state.lags_until is not None and state.clock.now() >= state.lags_until
    return _current(state) if state.lagging is None or over else state.lagging


def _current(state: State) -> Meetings:
    return Meetings(state.events, state.invitees, state.no_shows)
