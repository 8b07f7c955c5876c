with source as (
  {{ raw('routing_form_submissions', {
    'uri': 'text',
    'routing_form': 'text',
    'submitter': 'text',
    'result': 'json',
    'tracking': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as submission_uri,
  routing_form as form_uri,
  submitter as invitee_uri,
  {{ json_text('result', 'type') }} as result_type,
  case
    when {{ json_text('result', 'type') }} = 'event_type' then {{ json_text('result', 'value') }}
  end as event_type_uri,
  {{ json_text('tracking', 'utm_source') }} as utm_source,
  {{ json_text('tracking', 'utm_campaign') }} as utm_campaign,
  created_at as submitted_at,
  updated_at
from source
