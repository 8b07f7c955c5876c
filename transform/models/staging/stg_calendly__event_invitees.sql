with source as (
  {{ raw('event_invitees', {
    'uri': 'text',
    'event_uri': 'text',
    'status': 'text',
    'name': 'text',
    'email': 'text',
    'timezone': 'text',
    'rescheduled': 'boolean',
    'old_invitee': 'text',
    'routing_form_submission': 'text',
    'tracking': 'json',
    'questions_and_answers': 'json',
    'cancellation': 'json',
    'no_show': 'json',
    'payment': 'json',
    'created_at': 'timestamp',
    'updated_at': 'timestamp',
  }) }}
)
select
  uri as invitee_uri,
  event_uri as meeting_uri,
  status,
  nullif(name, '') as invitee_name,
  nullif(email, '') as invitee_email,
  nullif(timezone, '') as invitee_timezone,
  coalesce(rescheduled, false) as is_rescheduled,
  old_invitee as old_invitee_uri,
  routing_form_submission as form_submission_uri,
  {% for tag in ['source', 'medium', 'campaign', 'content', 'term'] -%}
  {{ json_text('tracking', 'utm_' ~ tag) }} as utm_{{ tag }},
  {% endfor -%}
  questions_and_answers,
  {{ json_text('cancellation', 'canceler_type') }} as canceled_by,
  {{ json_timestamp('cancellation', 'created_at') }} as canceled_at,
  {{ json_text('no_show', 'uri') }} is not null as is_no_show,
  {{ json_timestamp('no_show', 'created_at') }} as no_show_marked_at,
  {{ json_text('payment', 'external_id') }} as payment_id,
  {{ json_text('payment', 'currency') }} as payment_currency,
  {{ json_number('payment', 'amount') }} as payment_amount,
  {{ json_text('payment', 'successful') }} = 'true' as is_paid,
  created_at,
  updated_at
from source
