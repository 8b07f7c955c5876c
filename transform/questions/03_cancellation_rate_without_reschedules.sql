-- How many bookings were canceled for good, and not just moved, by event type?
select
  event_type_name,
  count(*) as bookings,
  count(*) filter (where outcome = 'canceled') as canceled,
  round(100.0 * count(*) filter (where outcome = 'canceled') / count(*), 1) as percent,
  count(*) filter (where outcome = 'canceled' and canceled_by = 'host') as by_host
from calendly_analytics.calendly__bookings
group by event_type_name
order by percent desc, event_type_name
