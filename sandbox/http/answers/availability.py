"""When and where people can meet: schedules, available and busy times, locations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.http.access import require_people
from sandbox.http.answers.event_types import offered
from sandbox.http.answers.query import Endpoint, collection, one_page, resource
from sandbox.http.errors import failed_dependency, invalid_argument
from sandbox.organization.timestamps import from_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.http.answers.query import Query
    from sandbox.organization.state import Record

DAYS_OF_OPENINGS = 31
DAYS_OF_BUSY_TIMES = 7


def event_type_availability_schedules(query: Query) -> Record:
    """Return the hours of an event type, for each host: always one page."""
    record = offered(query)
    return one_page(query.calendly.hours(record["uri"]))


def event_type_available_times(query: Query) -> Record:
    """Return the times at which an event type can be booked."""
    uri = query.parameters.required_uri("event_type", "event_types")
    start, end = _window(query, DAYS_OF_OPENINGS)
    offered(query)
    return collection(query.calendly.openings(uri, start, end))


def user_availability_schedules(query: Query) -> Record:
    """Return the schedules of a user."""
    return collection(query.calendly.schedules_of(_user(query)))


def user_availability_schedule(query: Query) -> Record:
    """Return a schedule."""
    record = query.found(query.calendly.schedules, "user_availability_schedules")
    require_people(query.caller, None, record["user"], query.members)
    return resource(record)


def user_busy_times(query: Query) -> Record:
    """Return the busy times of a user."""
    query.parameters.required_uri("user", "users")
    start, end = _window(query, DAYS_OF_BUSY_TIMES)
    user = _user(query)
    if user in query.calendly.lost_calendars:
        raise failed_dependency()
    return collection(query.calendly.busy(user, start, end))


def locations(query: Query) -> Record:
    """Return where a user can meet."""
    return collection(query.calendly.meeting_places(_user(query)))


def _user(query: Query) -> str:
    """Return the requested user: the caller, or for an admin any member."""
    user = query.parameters.required_uri("user", "users")
    require_people(query.caller, None, user, query.members)
    return user


def _window(query: Query, days: int) -> tuple[datetime, datetime]:
    """Return the requested window: in the future, and at most ``days`` long."""
    start = from_timestamp(query.parameters.required_time("start_time"))
    end = from_timestamp(query.parameters.required_time("end_time"))
    if start < query.calendly.clock.now():
        name, message = "start_time", "must be in the future"
        raise invalid_argument(name, message)
    if not start < end <= start + timedelta(days=days):
        name, message = "end_time", f"must be within {days} days after start_time"
        raise invalid_argument(name, message)
    return start, end


ENDPOINTS = (
    Endpoint(
        "/event_type_availability_schedules", "availability:read", event_type_availability_schedules
    ),
    Endpoint("/event_type_available_times", "availability:read", event_type_available_times),
    Endpoint("/user_availability_schedules", "availability:read", user_availability_schedules),
    Endpoint(
        "/user_availability_schedules/{uuid}", "availability:read", user_availability_schedule
    ),
    Endpoint("/user_busy_times", "availability:read", user_busy_times),
    Endpoint("/locations", "locations:read", locations),
)
