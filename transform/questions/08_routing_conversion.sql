-- How many submissions of a routing form led to a booking, and after how many minutes?
select
  form_name,
  result_type,
  count(*) as submissions,
  count(booking_uri) as booked,
  round(100.0 * count(booking_uri) / count(*), 1) as percent,
  round(cast(avg(minutes_to_booking) as numeric(18, 6)), 1) as minutes
from calendly_analytics.calendly__routing_submissions
group by form_name, result_type
order by form_name, submissions desc, result_type
