select
  relationships.user_uri as host_uri,
  groups.group_uri,
  groups.group_name,
  relationships.role
from {{ ref('stg_calendly__group_relationships') }} as relationships
join {{ ref('stg_calendly__groups') }} as groups on groups.group_uri = relationships.group_uri
where relationships.owner_type = 'OrganizationMembership' and relationships.user_uri is not null
