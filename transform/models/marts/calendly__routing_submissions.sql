-- A submission names its invitee once there is one, and an invitee names the submission. The tap reads
-- a submission again for some days only, an invitee whenever the meeting is.
with submissions as (
  select * from {{ ref('stg_calendly__routing_form_submissions') }}
),

forms as (
  select * from {{ ref('stg_calendly__routing_forms') }}
),

chains as (
  select * from {{ ref('int_calendly__booking_chains') }}
),

bookings as (
  select * from {{ ref('calendly__bookings') }}
),

from_invitees as (
  select distinct on (form_submission_uri) form_submission_uri, booking_uri
  from {{ ref('calendly__bookings') }}
  where form_submission_uri is not null
  order by form_submission_uri, booked_at nulls last, booking_uri
)

select
  submissions.submission_uri,
  submissions.form_uri,
  forms.form_name,
  submissions.result_type,
  submissions.event_type_uri,
  submissions.submitted_at,
  submissions.utm_source,
  submissions.utm_campaign,
  bookings.booking_uri,
  {{ minutes_between('submissions.submitted_at', 'bookings.booked_at') }} as minutes_to_booking
from submissions
left join forms on forms.form_uri = submissions.form_uri
left join chains on chains.invitee_uri = submissions.invitee_uri
left join from_invitees on from_invitees.form_submission_uri = submissions.submission_uri
left join bookings
  on bookings.booking_uri = coalesce(chains.booking_uri, from_invitees.booking_uri)
