-- How much was paid, by event type and currency, and how much of that for bookings that were canceled?
select
  event_type_name,
  currency,
  count(*) as paid_bookings,
  sum(revenue) as revenue,
  coalesce(sum(revenue) filter (where outcome = 'canceled'), 0) as of_canceled
from calendly_analytics.calendly__bookings
where revenue is not null
group by event_type_name, currency
order by currency, revenue desc, event_type_name
