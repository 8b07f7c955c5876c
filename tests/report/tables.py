"""The tables that the questions read, with a few rows, in the SQL of both databases."""

from __future__ import annotations

from report.__main__ import SCHEMA

STATEMENTS = """
create schema calendly_analytics;
create table calendly_analytics.calendly__freshness as
  select timestamp '2026-03-04 09:30:00' as as_of,
    timestamp '2026-03-04 06:15:00' as latest_change_at, 'America/New_York' as timezone;
create table calendly_analytics.calendly__dates (day date, days_from_today integer);
insert into calendly_analytics.calendly__dates values
  ('2026-03-03', -1), ('2026-03-04', 0), ('2026-03-05', 1);
create table calendly_analytics.calendly__meetings (meeting_uri text, team_name text, day date,
  week date, minutes numeric, outcome text, active_invitees bigint);
insert into calendly_analytics.calendly__meetings values
  ('past', 'Sales', '2026-03-03', '2026-03-02', 30, 'held', 1),
  ('next', null, '2026-03-05', '2026-03-02', 45, 'upcoming', 2);
create table calendly_analytics.calendly__bookings (booking_uri text, invitee_uri text,
  event_type_name text, outcome text, canceled_by text, lead_hours numeric,
  lead_hours_final numeric, reschedules integer, utm_source text, utm_campaign text,
  invitee_timezone text, revenue numeric, currency text);
insert into calendly_analytics.calendly__bookings values
  ('one', 'one', 'Intro <b>call</b>', 'held', null, 48, 96, 1, 'google', null, 'UTC', 10.5, 'EUR'),
  ('two', 'two', 'Intro <b>call</b>', 'no-show', null, 24, 24, 0, null, null, null, null, null),
  ('three', 'three', 'Demo', 'canceled', 'host', 12, 12, 0, null, 'spring', 'UTC', 20, 'EUR');
create table calendly_analytics.calendly__hosts (host_uri text, host_name text);
insert into calendly_analytics.calendly__hosts values ('ana', 'Ana Lima');
create table calendly_analytics.calendly__meeting_hosts (meeting_uri text, host_uri text,
  minutes numeric, minutes_with_buffers numeric);
insert into calendly_analytics.calendly__meeting_hosts values ('past', 'ana', 30, 45);
create table calendly_analytics.calendly__answers (invitee_uri text, question text, answer text);
insert into calendly_analytics.calendly__answers values
  ('one', 'How did you hear about us?', 'A friend'),
  ('two', 'How did you hear about us?', 'A friend');
create table calendly_analytics.calendly__routing_submissions (form_name text, result_type text,
  booking_uri text, minutes_to_booking numeric);
insert into calendly_analytics.calendly__routing_submissions values
  ('Talk to us', 'event_type', 'one', 12.5), ('Talk to us', 'event_type', null, null);
"""


def statements(schema: str = SCHEMA) -> list[str]:
    """Return what creates the tables in a schema, one by one."""
    return STATEMENTS.replace(SCHEMA, schema).strip().removesuffix(";").split(";\n")
