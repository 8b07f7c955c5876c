with source as (
  {{ raw('groups', {'uri': 'text', 'name': 'text', 'created_at': 'timestamp', 'updated_at': 'timestamp'}) }}
)
select
  uri as group_uri,
  nullif(name, '') as group_name,
  created_at,
  updated_at
from source
where not is_gone
