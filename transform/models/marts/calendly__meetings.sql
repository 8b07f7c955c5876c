with meetings as (
  select * from {{ ref('stg_calendly__scheduled_events') }}
),

event_types as (
  select * from {{ ref('stg_calendly__event_types') }}
),

invitees as (
  select
    meeting_uri,
    count(*) filter (where status = 'active') as active_invitees,
    count(*) filter (where is_no_show) as no_shows,
    bool_and(is_rescheduled) as have_all_moved
  from {{ ref('stg_calendly__event_invitees') }}
  group by meeting_uri
),

first_hosts as (
  select distinct on (meeting_uri) meeting_uri, host_uri
  from {{ ref('int_calendly__meeting_hosts') }}
  order by meeting_uri, host_index
),

host_groups as (
  select host_uri, min({{ in_byte_order('group_name') }}) as group_name
  from {{ ref('calendly__host_groups') }}
  group by host_uri
)

select
  meetings.meeting_uri,
  meetings.meeting_name,
  meetings.event_type_uri,
  coalesce(event_types.event_type_name, meetings.meeting_name) as event_type_name,
  coalesce(case when event_types.owner_type = 'Team' then event_types.owner_name end, host_groups.group_name) as team_name,
  first_hosts.host_uri as first_host_uri,
  meetings.created_at as booked_at,
  meetings.starts_at,
  meetings.ends_at,
  {{ local_day('meetings.starts_at') }} as day,
  {{ week_of(local_day('meetings.starts_at')) }} as week,
  {{ minutes_between('meetings.starts_at', 'meetings.ends_at') }} as minutes,
  case
    when meetings.status = 'canceled' and invitees.have_all_moved then 'rescheduled'
    when meetings.status = 'canceled' then 'canceled'
    when meetings.starts_at <= {{ now() }} then 'held'
    when meetings.starts_at > {{ now() }} then 'upcoming'
  end as outcome,
  meetings.canceled_by,
  meetings.canceled_at,
  coalesce(meetings.active_invitees, invitees.active_invitees, 0) as active_invitees,
  coalesce(invitees.no_shows, 0) as no_shows,
  meetings.location_kind
from meetings
left join invitees on invitees.meeting_uri = meetings.meeting_uri
left join first_hosts on first_hosts.meeting_uri = meetings.meeting_uri
left join host_groups on host_groups.host_uri = first_hosts.host_uri
left join event_types
  on event_types.event_type_uri = meetings.event_type_uri
