with source as (
  {{ raw('event_types', {
    'uri': 'text',
    'name': 'text',
    'active': 'boolean',
    'kind': 'text',
    'pooling_type': 'text',
    'duration': 'numeric',
    'is_paid': 'boolean',
    'secret': 'boolean',
    'profile': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
    'deleted_at': 'timestamp',
  }) }}
)
select
  uri as event_type_uri,
  nullif(name, '') as event_type_name,
  active as is_active,
  kind,
  nullif(pooling_type, '') as pooling_type,
  cast(duration as integer) as duration_minutes,
  is_paid,
  secret as is_secret,
  {{ json_text('profile', 'type') }} as owner_type,
  {{ json_text('profile', 'owner') }} as owner_uri,
  {{ json_text('profile', 'name') }} as owner_name,
  created_at,
  updated_at,
  deleted_at
from source
