-- How many days ahead is each event type booked?
select
  event_type_name,
  count(*) as bookings,
  round(cast(percentile_cont(0.5) within group (order by lead_hours) / 24 as numeric(18, 6)), 1) as median_days,
  round(cast(percentile_cont(0.9) within group (order by lead_hours) / 24 as numeric(18, 6)), 1) as p90_days
from calendly_analytics.calendly__bookings
group by event_type_name
order by median_days, event_type_name
