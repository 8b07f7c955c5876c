-- What did invitees answer?
select
  answers.question,
  answers.answer,
  count(distinct bookings.booking_uri) as bookings
from calendly_analytics.calendly__answers as answers
join calendly_analytics.calendly__bookings as bookings on bookings.invitee_uri = answers.invitee_uri
where answers.answer is not null
group by answers.question, answers.answer
order by question, bookings desc, answer
