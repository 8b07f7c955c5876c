-- Event types that are loaded, and those that only meetings name.
with event_types as (
  select * from {{ ref('stg_calendly__event_types') }}
),

named_by_meetings as (
  select distinct on (event_type_uri) event_type_uri, meeting_name
  from {{ ref('stg_calendly__scheduled_events') }}
  where event_type_uri is not null
  order by event_type_uri, created_at desc nulls last, meeting_uri
)

select
  coalesce(event_types.event_type_uri, meetings.event_type_uri) as event_type_uri,
  coalesce(event_types.event_type_name, meetings.meeting_name) as event_type_name,
  case when event_types.owner_type = 'Team' then event_types.owner_name end as team_name,
  event_types.owner_type,
  event_types.owner_uri,
  event_types.owner_name,
  event_types.kind,
  event_types.pooling_type,
  event_types.duration_minutes,
  event_types.is_paid,
  event_types.is_active,
  event_types.is_secret,
  event_types.deleted_at is not null as is_deleted,
  event_types.event_type_uri is not null as is_loaded,
  event_types.created_at,
  event_types.updated_at
from event_types
full join named_by_meetings as meetings on meetings.event_type_uri = event_types.event_type_uri
