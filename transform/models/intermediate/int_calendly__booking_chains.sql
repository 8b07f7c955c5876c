-- Each invitee with the booking it is part of. Whoever reschedules becomes a new invitee, who names the
-- old one: a booking is such a chain, or a tree if somebody rescheduled twice from one invitee.
with recursive loaded as (
  select * from {{ ref('stg_calendly__event_invitees') }}
),

invitees as (
  select newer.invitee_uri, newer.created_at, older.invitee_uri as old_invitee_uri
  from loaded as newer
  left join loaded as older
    on older.invitee_uri = newer.old_invitee_uri
    -- no circles; without the times, the old invitee is taken for older
    and (older.created_at < newer.created_at) is not false
),

reached as (
  select invitee_uri, created_at, invitee_uri as booking_uri, 1 as step
  from invitees
  where old_invitee_uri is null
  union all
  select invitees.invitee_uri, invitees.created_at, reached.booking_uri, reached.step + 1
  from reached
  join invitees on invitees.old_invitee_uri = reached.invitee_uri
),

chains as (
  select * from reached
  union all
  -- those in circles for which no times were loaded
  select invitee_uri, created_at, invitee_uri, 1
  from invitees
  where not exists (select 1 from reached where reached.invitee_uri = invitees.invitee_uri)
)

select
  invitee_uri,
  booking_uri,
  step,
  row_number() over (
    partition by booking_uri
    order by step desc, created_at desc nulls last, invitee_uri desc
  ) = 1 as is_last
from chains
