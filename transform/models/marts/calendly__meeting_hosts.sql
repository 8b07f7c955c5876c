select
  meeting_uri,
  host_uri,
  host_index,
  {{ minutes_between('starts_at', 'ends_at') }} as minutes,
  {{ minutes_between(
    'coalesce(buffered_starts_at, starts_at)', 'coalesce(buffered_ends_at, ends_at)'
  ) }} as minutes_with_buffers
from {{ ref('int_calendly__meeting_hosts') }}
