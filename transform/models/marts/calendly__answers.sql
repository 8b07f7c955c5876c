with invitees as (
  select * from {{ ref('stg_calendly__event_invitees') }}
),

chains as (
  select * from {{ ref('int_calendly__booking_chains') }}
)

select
  invitees.invitee_uri,
  chains.booking_uri,
  cast(element.index as integer) as answer_index,
  {{ json_text('element.item', 'question') }} as question,
  {{ json_text('element.item', 'answer') }} as answer
from invitees
join chains on chains.invitee_uri = invitees.invitee_uri
{{ each_element('invitees.questions_and_answers') }}
