-- How many invitees did not come, by event type?
select
  event_type_name,
  count(*) as past_bookings,
  count(*) filter (where outcome = 'no-show') as no_shows,
  round(100.0 * count(*) filter (where outcome = 'no-show') / count(*), 1) as percent
from calendly_analytics.calendly__bookings
where outcome in ('held', 'no-show')
group by event_type_name
order by percent desc, event_type_name
