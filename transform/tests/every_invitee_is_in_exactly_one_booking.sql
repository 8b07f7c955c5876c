select invitees.invitee_uri, count(bookings.booking_uri) as bookings
from {{ ref('stg_calendly__event_invitees') }} as invitees
left join {{ ref('int_calendly__booking_chains') }} as chains on chains.invitee_uri = invitees.invitee_uri
left join {{ ref('calendly__bookings') }} as bookings on bookings.booking_uri = chains.booking_uri
group by invitees.invitee_uri
having count(bookings.booking_uri) <> 1
