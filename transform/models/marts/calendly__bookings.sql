with chains as (
  select * from {{ ref('int_calendly__booking_chains') }}
),

invitees as (
  select * from {{ ref('stg_calendly__event_invitees') }}
),

meetings as (
  select * from {{ ref('calendly__meetings') }}
),

links as (
  select chains.booking_uri, chains.step, chains.is_last, invitees.*
  from chains
  join invitees on invitees.invitee_uri = chains.invitee_uri
),

-- An invitee may repeat the payment of the one before.
payments as (
  select distinct on (booking_uri, coalesce(payment_id, invitee_uri))
    booking_uri,
    payment_amount,
    payment_currency,
    first_value(payment_currency) over (
      partition by booking_uri
      order by step desc, created_at desc nulls last, invitee_uri desc
    ) as last_currency
  from links
  where is_paid and payment_amount is not null
  order by booking_uri, coalesce(payment_id, invitee_uri), step desc, created_at desc nulls last, invitee_uri desc
),

revenues as (
  select booking_uri, sum(payment_amount) as revenue, max(payment_currency) as currency
  from payments
  where payment_currency is not distinct from last_currency
  group by booking_uri
),

submissions as (
  select distinct on (booking_uri) booking_uri, form_submission_uri
  from links
  where form_submission_uri is not null
  order by booking_uri, step, created_at nulls last, invitee_uri
)

select
  first.booking_uri,
  last.invitee_uri,
  last.meeting_uri,
  last_meeting.event_type_uri,
  last_meeting.event_type_name,
  last_meeting.team_name,
  last.invitee_name,
  last.invitee_email,
  last.invitee_timezone,
  first.created_at as booked_at,
  first_meeting.starts_at as first_starts_at,
  last_meeting.starts_at,
  case
    when last.status = 'canceled' then 'canceled'
    when last.is_no_show then 'no-show'
    when last_meeting.starts_at <= {{ now() }} then 'held'
    when last_meeting.starts_at > {{ now() }} then 'upcoming'
  end as outcome,
  case when last.status = 'canceled' then last.canceled_by end as canceled_by,
  case when last.status = 'canceled' then last.canceled_at end as canceled_at,
  last.step - 1 as reschedules,
  {{ hours_between('first.created_at', 'first_meeting.starts_at') }} as lead_hours,
  {{ hours_between('first.created_at', 'last_meeting.starts_at') }} as lead_hours_final,
  first.utm_source,
  first.utm_medium,
  first.utm_campaign,
  first.utm_content,
  first.utm_term,
  revenues.revenue,
  revenues.currency,
  submissions.form_submission_uri
from links as first
join links as last on last.booking_uri = first.booking_uri and last.is_last
left join meetings as first_meeting on first_meeting.meeting_uri = first.meeting_uri
left join meetings as last_meeting on last_meeting.meeting_uri = last.meeting_uri
left join revenues on revenues.booking_uri = first.booking_uri
left join submissions on submissions.booking_uri = first.booking_uri
where first.step = 1
