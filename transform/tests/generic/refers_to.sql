{#- Rows whose value is in no row of another model, unless nothing of that was loaded. -#}
{% test refers_to(model, column_name, to, field) %}
select referring.{{ column_name }}
from {{ model }} as referring
left join {{ to }} as referred_to on referred_to.{{ field }} = referring.{{ column_name }}
where referring.{{ column_name }} is not null
  and referred_to.{{ field }} is null
  and exists (select 1 from {{ to }})
{% endtest %}
