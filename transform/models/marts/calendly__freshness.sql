{%- set timestamps = {
  'stg_calendly__scheduled_events': ['created_at', 'updated_at', 'canceled_at'],
  'stg_calendly__event_invitees': ['created_at', 'updated_at', 'canceled_at', 'no_show_marked_at'],
  'stg_calendly__event_types': ['created_at', 'updated_at'],
  'stg_calendly__organization_memberships': ['created_at', 'updated_at'],
  'stg_calendly__routing_form_submissions': ['submitted_at', 'updated_at'],
} -%}
with latest as (
  {%- for model, columns in timestamps.items() %}
  select max(greatest({{ columns | join(', ') }})) as changed_at from {{ ref(model) }}
  {%- if not loop.last %}
  union all
  {%- endif %}
  {%- endfor %}
)

select
  {{ now() }} as as_of,
  max(changed_at) as latest_change_at,
  '{{ var("calendly_timezone") }}' as timezone
from latest
