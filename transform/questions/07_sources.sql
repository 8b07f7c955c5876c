-- Which sources and campaigns bring bookings, and how many of those that are past were held?
select
  coalesce(utm_source, '(none)') as source,
  coalesce(utm_campaign, '(none)') as campaign,
  count(*) as bookings,
  round(
    100.0 * count(*) filter (where outcome = 'held')
    / nullif(count(*) filter (where outcome in ('held', 'no-show')), 0),
    1
  ) as percent_held
from calendly_analytics.calendly__bookings
group by 1, 2
order by bookings desc, source, campaign
