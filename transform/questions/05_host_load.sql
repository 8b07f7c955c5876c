-- How many meetings did each host hold, and how many hours did they take?
select
  hosts.host_name,
  count(*) as meetings,
  round(cast(sum(meeting_hosts.minutes) / 60 as numeric(18, 6)), 1) as hours,
  round(cast(sum(meeting_hosts.minutes_with_buffers) / 60 as numeric(18, 6)), 1) as hours_with_buffers
from calendly_analytics.calendly__meeting_hosts as meeting_hosts
join calendly_analytics.calendly__meetings as meetings
  on meetings.meeting_uri = meeting_hosts.meeting_uri and meetings.outcome = 'held'
join calendly_analytics.calendly__hosts as hosts on hosts.host_uri = meeting_hosts.host_uri
group by hosts.host_uri, hosts.host_name
order by hours desc, host_name, meetings desc, hosts.host_uri
