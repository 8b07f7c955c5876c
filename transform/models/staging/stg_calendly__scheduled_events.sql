with source as (
  {{ raw('scheduled_events', {
    'uri': 'text',
    'name': 'text',
    'status': 'text',
    'event_type': 'text',
    'start_time': 'timestamp',
    'end_time': 'timestamp',
    'event_memberships': 'json',
    'invitees_counter': 'json',
    'location': 'json',
    'cancellation': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as meeting_uri,
  nullif(name, '') as meeting_name,
  status,
  event_type as event_type_uri,
  start_time as starts_at,
  end_time as ends_at,
  event_memberships,
  cast({{ json_number('invitees_counter', 'active') }} as integer) as active_invitees,
  {{ json_text('location', 'type') }} as location_kind,
  {{ json_text('cancellation', 'canceler_type') }} as canceled_by,
  {{ json_timestamp('cancellation', 'created_at') }} as canceled_at,
  created_at,
  updated_at
from source
