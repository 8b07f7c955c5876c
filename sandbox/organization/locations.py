"""Meeting locations: the ten kinds, and the details of conferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.organization.state import Record

CONFERENCES = {
    "google_conference": "google_conference",
    "zoom_conference": "zoom",
    "gotomeeting_conference": "gotomeeting",
    "microsoft_teams_conference": "microsoft_teams_conference",
    "webex_conference": "webex_conference",
}
"""The type of a meeting's location, by the kind that the event type offers."""

PLACES = ("physical", "inbound_call", "outbound_call", "custom", "ask_invitee")

NEW_CONFERENCE = {"status": "initiated", "join_url": None, "data": None}

WITHOUT_DATA = "google_conference"


def location_of(choice: Mapping[str, str] | None) -> Record | None:
    """Return the location of a meeting booked just now.

    Args:
        choice: The location configuration chosen, ``{"kind": ..., "location": ...}``, with
            ``phone_number`` for a call and optional ``additional_info``.
    """
    if choice is None:
        return None
    kind = choice.get("kind", "")
    if kind in CONFERENCES:
        location: Record = {"type": CONFERENCES[kind], **NEW_CONFERENCE}
        if kind == WITHOUT_DATA:
            del location["data"]
        return location
    if kind not in PLACES:
        message = f"Calendly has no kind of location {kind!r}"
        raise ValueError(message)
    unknown = None if kind in ("outbound_call", "custom") else ""
    place = choice.get("location", choice.get("phone_number", unknown))
    location = {"type": kind, "location": place}
    if kind in ("physical", "inbound_call") and "additional_info" in choice:
        location["additional_info"] = choice["additional_info"]
    return location


def location_again(location: Record | None) -> Record | None:
    """Return the location of a replacement meeting: a conference has yet to be created."""
    if location is None or not is_conference(location):
        return location and dict(location)
    return {key: NEW_CONFERENCE.get(key, location[key]) for key in location}


def without_details(location: Record) -> Record:
    """Return a conference's location once its details are deleted, after about 6 months."""
    return {**dict.fromkeys(location), "type": location["type"]}


def is_conference(location: Record | None) -> bool:
    """Tell whether the location is a conference."""
    return location is not None and location["type"] in CONFERENCES.values()


def conference_details(kind: str, number: int) -> Record:
    """Return the ``join_url`` and ``data`` of a conference once its provider has created it.

    ``number`` tells conferences apart. Zoom's ``id`` is an integer for even ones and a string for
    odd ones, as Calendly passes on both.
    """
    code = f"{number % 10**10:010d}"
    if kind == "google_conference":
        return {"join_url": f"https://meet.google.example/{code}"}
    if kind == "zoom":
        return {
            "join_url": f"https://zoom.example/j/{code}?pwd=k{code[:4]}",
            "data": {
                "id": code if number % 2 else number % 10**10,
                "password": f"k{code[:4]}",
                "settings": {
                    "global_dial_in_numbers": [
                        {"number": "+1 555 0100", "country": "US", "type": "toll", "city": None},
                    ],
                },
                "extra": {"intl_numbers_url": f"https://zoom.example/u/{code[:5]}"},
            },
        }
    if kind == "gotomeeting":
        return {
            "join_url": f"https://gotomeeting.example/join/{code}",
            "data": {
                "uniqueMeetingId": number % 10**10,
                "conferenceCallInfo": "United States: +1 555 0101\nAccess Code: 123-456-789",
            },
        }
    if kind == "webex_conference":
        return {
            "join_url": f"https://webex.example/meet/{code}",
            "data": {
                "id": f"wbx{code}",
                "telephony": {"callInNumbers": [{"label": "US Toll", "callInNumber": "+15550102"}]},
                "password": f"w{code[:4]}",
            },
        }
    dial_in = {
        "conferenceId": code[:9],
        "dialinUrl": f"https://teams.example/dialin/{code}",
        "tollNumber": "+1 555 0103",
    }
    return {
        "join_url": f"https://teams.example/l/meetup-join/{code}",
        "data": {"id": f"19:meeting_{code}", "audioConferencing": dial_in if number % 2 else None},
    }
