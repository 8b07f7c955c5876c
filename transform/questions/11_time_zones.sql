-- In which time zones are invitees?
select
  coalesce(invitee_timezone, '(unknown)') as timezone,
  count(*) as bookings,
  round(100.0 * count(*) / sum(count(*)) over (), 1) as percent
from calendly_analytics.calendly__bookings
group by 1
order by bookings desc, timezone
