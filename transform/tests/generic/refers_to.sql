{#- Rows whose value is in no row of another model, unless nothing of that was loaded. -#}
{% test refers_to(model, column_name, to, field) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
  and {{ column_name }} not in (select {{ field }} from {{ to }} where {{ field }} is not null)
  and exists (select 1 from {{ to }})
{% endtest %}
