with source as (
  {{ raw('webhook_events', {
    'id': 'text',
    'event': 'text',
    'created_at': 'timestamp',
    'received_at': 'timestamp',
    'scheduled_event_uri': 'text',
    'invitee_uri': 'text',
    'payload': 'json',
  }) }}
)
select
  id as delivery_id,
  event,
  created_at as happened_at,
  received_at,
  scheduled_event_uri as meeting_uri,
  invitee_uri,
  {{ json_text('payload', 'old_invitee') }} as old_invitee_uri,
  coalesce({{ json_text('payload', 'rescheduled') }} = 'true', false) as is_rescheduled,
  {{ json_text('payload', 'cancellation.canceler_type') }} as canceled_by,
  {{ json_text('payload', 'invitee_scheduled_by') }} as booked_by_user_uri
from source
