with source as (
  {{ raw('group_relationships', {
    'uri': 'text',
    'role': 'text',
    'group': 'text',
    'owner': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as relationship_uri,
  {{ adapter.quote('group') }} as group_uri,
  {{ json_text('owner', 'type') }} as owner_type,
  {{ json_text('owner', 'uri') }} as owner_uri,
  {{ json_text('owner', 'user.uri') }} as user_uri,
  role,
  created_at,
  updated_at
from source
where not is_gone
