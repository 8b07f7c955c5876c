-- The hosts of each meeting, in the order in which Calendly lists them.
with meetings as (
  select * from {{ ref('stg_calendly__scheduled_events') }}
)

select
  meetings.meeting_uri,
  meetings.starts_at,
  meetings.ends_at,
  cast(element.index as integer) as host_index,
  {{ json_text('element.item', 'user') }} as host_uri,
  {{ json_text('element.item', 'user_name') }} as host_name,
  {{ json_text('element.item', 'user_email') }} as host_email,
  {{ json_timestamp('element.item', 'buffered_start_time') }} as buffered_starts_at,
  {{ json_timestamp('element.item', 'buffered_end_time') }} as buffered_ends_at
from meetings
{{ each_element('meetings.event_memberships') }}
where {{ json_text('element.item', 'user') }} is not null
