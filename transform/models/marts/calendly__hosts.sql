-- Members, and hosts of meetings who are not, or no longer.
with seen as (
  select distinct on (host_uri) host_uri, host_name, host_email
  from {{ ref('int_calendly__meeting_hosts') }}
  order by host_uri, starts_at desc nulls last, meeting_uri
),

members as (
  select distinct on (user_uri) *
  from {{ ref('stg_calendly__organization_memberships') }}
  where user_uri is not null
  order by user_uri, is_member desc, created_at desc nulls last, membership_uri
)

select
  coalesce(members.user_uri, seen.host_uri) as host_uri,
  coalesce(case when members.is_member then members.user_name end, seen.host_name, members.user_name) as host_name,
  coalesce(case when members.is_member then members.user_email end, seen.host_email, members.user_email) as host_email,
  coalesce(members.is_member, false) as is_member,
  members.role,
  members.user_timezone as host_timezone,
  members.created_at as joined_at
from members
full join seen on seen.host_uri = members.user_uri
