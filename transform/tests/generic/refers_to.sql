{#- Rows whose value is in no row of another model, unless nothing of that was loaded. -#}
{% test refers_to(model, column_name, to, field) %}
with referring as (
  select {{ column_name }} from {{ model }} where {{ column_name }} is not null
),

referred_to as (
  select {{ field }} as found from {{ to }}
)

select referring.{{ column_name }}
from referring
left join referred_to on referred_to.found = referring.{{ column_name }}
where referred_to.found is null and exists (select 1 from referred_to)
{% endtest %}
