"""What a meeting's row says to a sweep, and what a sweep asks for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tap_calendly import timestamps
from tap_calendly.api.page import Page, Record
from tap_calendly.reporting import errors, messages
from tap_calendly.state import Range
from tap_calendly.sweep import plan

INSTANT = timedelta(microseconds=1)
LATEST = datetime.max.replace(tzinfo=timezone.utc)


def start_of(event: Record) -> datetime:
    """Return the start of a meeting; raise CalendlyError if it is missing or cannot be parsed."""
    start = timestamps.of(event, "start_time")
    if start is None:  # nobody could say how far a sweep has come
        raise errors.CalendlyError(
            messages.NO_START_TIME, stream="scheduled_events", row=event["uri"]
        )
    return start


def last_start(page: Page) -> datetime | None:
    """Return the last start on a page; None if no page follows."""
    return start_of(page.rows[-1]) if page.rows and page.next_page else None


def meeting_of(event: Record) -> plan.Meeting:
    """Extract what decides whether the invitees are due; whatever is missing makes them due."""
    counter = event.get("invitees_counter")
    if not isinstance(counter, dict):
        counter = {}
    return plan.Meeting(
        start=start_of(event),
        updated=timestamps.of(event, "updated_at") or LATEST,
        active=event.get("status") != "canceled",
        booked=counter.get("active") != 0,
        shared=counter.get("limit") != 1,
    )


def bounds_of(part: Range) -> dict[str, str]:
    """Return a range as query parameters."""
    # Whether Calendly includes a bound is not documented: from just before to just after.
    bounds = {}
    if part.start is not None:
        bounds["min_start_time"] = timestamps.in_request(moved(part.start, -INSTANT))
    if part.end is not None:
        bounds["max_start_time"] = timestamps.in_request(moved(part.end, INSTANT))
    return bounds


def moved(timestamp: datetime, by: timedelta) -> datetime:
    """Move a timestamp, unless it is at the end of time already."""
    try:
        return timestamp + by
    except OverflowError:
        return timestamp
