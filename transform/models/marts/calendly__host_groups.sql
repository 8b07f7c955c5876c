with relationships as (
  select * from {{ ref('stg_calendly__group_relationships') }}
),

groups as (
  select * from {{ ref('stg_calendly__groups') }}
),

memberships as (
  select * from {{ ref('stg_calendly__organization_memberships') }}
),

in_groups as (
  -- pseudonyms leave the membership's URI of a relationship's owner, not the user's
  select
    coalesce(relationships.user_uri, memberships.user_uri) as host_uri,
    groups.group_uri,
    groups.group_name,
    relationships.role,
    relationships.relationship_uri,
    relationships.created_at
  from relationships
  join groups on groups.group_uri = relationships.group_uri
  left join memberships on memberships.membership_uri = relationships.owner_uri
  where relationships.owner_type = 'OrganizationMembership'
)

-- Whoever left a group and came back has two relationships where rows that vanished are kept.
select distinct on (host_uri, group_uri)
  host_uri,
  group_uri,
  group_name,
  role
from in_groups
where host_uri is not null
order by host_uri, group_uri, created_at desc nulls last, relationship_uri
