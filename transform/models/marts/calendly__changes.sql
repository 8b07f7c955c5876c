with deliveries as (
  select * from {{ ref('stg_calendly__webhook_events') }}
),

older as (
  select * from {{ ref('stg_calendly__event_invitees') }}
),

chains as (
  select * from {{ ref('int_calendly__booking_chains') }}
)

select
  deliveries.delivery_id,
  deliveries.event,
  case
    when deliveries.event = 'invitee.created' and deliveries.old_invitee_uri is null then 'booked'
    when deliveries.event = 'invitee.created' then 'moved'
    when deliveries.event = 'invitee.canceled' and deliveries.is_rescheduled then 'moved away'
    when deliveries.event = 'invitee.canceled' then 'canceled'
    when deliveries.event = 'invitee_no_show.created' then 'marked as no-show'
    when deliveries.event = 'invitee_no_show.deleted' then 'unmarked'
  end as change,
  case
    when deliveries.event = 'invitee.canceled' then deliveries.canceled_by
    when deliveries.event = 'invitee.created' and deliveries.old_invitee_uri is not null then older.canceled_by
    when deliveries.event = 'invitee.created' and deliveries.booked_by_user_uri is not null then 'host'
    when deliveries.event = 'invitee.created' then 'invitee'
    when deliveries.event like 'invitee_no_show.%' then 'host'
  end as changed_by,
  deliveries.happened_at,
  deliveries.received_at,
  deliveries.meeting_uri,
  deliveries.invitee_uri,
  chains.booking_uri
from deliveries
left join older on older.invitee_uri = deliveries.old_invitee_uri
left join chains on chains.invitee_uri = deliveries.invitee_uri
