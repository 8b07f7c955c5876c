-- What is coming in the next 14 days, today first?
select
  dates.day,
  count(meetings.meeting_uri) as meetings,
  coalesce(sum(meetings.active_invitees), 0) as invitees,
  round(cast(coalesce(sum(meetings.minutes), 0) / 60 as numeric(18, 6)), 1) as hours
from calendly_analytics.calendly__dates as dates
left join calendly_analytics.calendly__meetings as meetings
  on meetings.day = dates.day and meetings.outcome = 'upcoming'
where dates.days_from_today between 0 and 13
group by dates.day
order by dates.day
