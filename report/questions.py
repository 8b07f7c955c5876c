"""The twelve questions, in the order in which the page answers them."""

from __future__ import annotations

from report import meetings, outcomes, sources
from report.answer import Question

GROUPS: dict[str, tuple[Question, ...]] = {
    "Meetings": (
        Question(
            "01_meetings_by_week_and_team",
            meetings.by_week_and_team,
            "No meetings have been held",
        ),
        Question("10_next_14_days", meetings.next_14_days, "The next 14 days are missing"),
        Question("05_host_load", meetings.host_load, "No host has held a meeting"),
        Question("04_lead_time", meetings.lead_time, "No bookings were loaded"),
    ),
    "What becomes of bookings": (
        Question(
            "02_no_show_rate_by_event_type", outcomes.no_shows, "No booking's meeting has started"
        ),
        Question(
            "03_cancellation_rate_without_reschedules",
            outcomes.cancellations,
            "No bookings were loaded",
        ),
        Question("06_reschedule_chains", outcomes.reschedules, "No bookings were loaded"),
        Question("12_revenue", outcomes.revenue, "No payments were loaded"),
    ),
    "Where bookings come from": (
        Question("07_sources", sources.sources, "No bookings were loaded"),
        Question("08_routing_conversion", sources.routing, "No routing forms were submitted"),
        Question("09_answers", sources.answers, "No answers of invitees were loaded"),
        Question("11_time_zones", sources.time_zones, "No bookings were loaded"),
    ),
}
