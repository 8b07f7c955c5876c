with invitees as (
  select * from {{ ref('stg_calendly__event_invitees') }}
),

chains as (
  select * from {{ ref('int_calendly__booking_chains') }}
),

bookings as (
  select * from {{ ref('calendly__bookings') }}
)

select invitees.invitee_uri, count(bookings.booking_uri) as bookings
from invitees
left join chains on chains.invitee_uri = invitees.invitee_uri
left join bookings on bookings.booking_uri = chains.booking_uri
group by invitees.invitee_uri
having count(bookings.booking_uri) <> 1
