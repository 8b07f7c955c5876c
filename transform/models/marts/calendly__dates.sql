-- From the first day on which anything was booked or held, to a year from now or the last meeting.
with meetings as (
  select * from {{ ref('calendly__meetings') }}
),

today as (
  select {{ local_day(now()) }} as day
),

bounds as (
  select
    least(today.day, min({{ local_day('meetings.booked_at') }}), min(meetings.day)) as first_day,
    greatest(today.day + 366, max(meetings.day)) as last_day
  from today
  left join meetings on true
  group by today.day
),

days as (
  select cast({{ each_day('first_day', 'last_day') }} as date) as day
  from bounds
)

select
  days.day,
  {{ week_of('days.day') }} as week,
  cast(extract(year from days.day) as integer) as year,
  cast(extract(month from days.day) as integer) as month,
  cast(extract(isodow from days.day) as integer) as weekday,
  days.day - today.day as days_from_today
from days
cross join today
