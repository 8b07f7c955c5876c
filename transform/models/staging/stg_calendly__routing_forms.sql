with source as (
  {{ raw('routing_forms', {
    'uri': 'text',
    'name': 'text',
    'status': 'text',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as form_uri,
  nullif(name, '') as form_name,
  status,
  created_at,
  updated_at
from source
