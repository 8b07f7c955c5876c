-- How often are bookings rescheduled, what becomes of them, and how much later do they take place?
select
  reschedules,
  count(*) as bookings,
  count(*) filter (where outcome = 'held') as held,
  count(*) filter (where outcome = 'canceled') as canceled,
  round(cast(avg(lead_hours_final - lead_hours) / 24 as numeric(18, 6)), 1) as days_later
from calendly_analytics.calendly__bookings
group by reschedules
order by reschedules
