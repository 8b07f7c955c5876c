-- How many meetings were held in each week, by team?
select
  week,
  coalesce(team_name, '(none)') as team_name,
  count(*) as meetings
from calendly_analytics.calendly__meetings
where outcome = 'held'
group by 1, 2
order by week, team_name
