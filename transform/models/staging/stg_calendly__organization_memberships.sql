{%- set user = adapter.quote('user') -%}
with source as (
  {{ raw('organization_memberships', {
    'uri': 'text',
    'role': 'text',
    'user': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as membership_uri,
  {{ json_text(user, 'uri') }} as user_uri,
  {{ json_text(user, 'name') }} as user_name,
  {{ json_text(user, 'email') }} as user_email,
  {{ json_text(user, 'timezone') }} as user_timezone,
  role,
  not is_gone as is_member,
  created_at,
  updated_at
from source
