select
  deliveries.delivery_id,
  deliveries.event,
  case
    when deliveries.event = 'invitee.created' then case when deliveries.old_invitee_uri is null then 'booked' else 'moved' end
    when deliveries.event = 'invitee.canceled' then case when deliveries.is_rescheduled then 'moved away' else 'canceled' end
    when deliveries.event = 'invitee_no_show.created' then 'marked as no-show'
    when deliveries.event = 'invitee_no_show.deleted' then 'unmarked'
  end as change,
  case
    when deliveries.event = 'invitee.canceled' then deliveries.canceled_by
    when deliveries.event = 'invitee.created' and deliveries.old_invitee_uri is not null then older.canceled_by
    when deliveries.event = 'invitee.created' then case when deliveries.booked_by_user_uri is null then 'invitee' else 'host' end
    when deliveries.event like 'invitee_no_show.%' then 'host'
  end as changed_by,
  deliveries.happened_at,
  deliveries.received_at,
  deliveries.meeting_uri,
  deliveries.invitee_uri,
  chains.booking_uri
from {{ ref('stg_calendly__webhook_events') }} as deliveries
left join {{ ref('stg_calendly__event_invitees') }} as older on older.invitee_uri = deliveries.old_invitee_uri
left join {{ ref('int_calendly__booking_chains') }} as chains on chains.invitee_uri = deliveries.invitee_uri
