{#- The text at a path of a JSON column; null if it is not there, null or empty. -#}
{% macro json_text(column, path) -%}
  nullif({{ adapter.dispatch('json_at', 'calendly')(column, path.split('.')) }}, '')
{%- endmacro %}
{% macro duckdb__json_at(column, path) -%} json_extract_string({{ column }}, '$.{{ path | join(".") }}') {%- endmacro %}
{% macro postgres__json_at(column, path) -%} ({{ column }} #>> '{{ "{" ~ path | join(",") ~ "}" }}') {%- endmacro %}

{#- The timestamp at a path of a JSON column, in UTC. -#}
{% macro json_timestamp(column, path) -%}
  (cast({{ json_text(column, path) }} as timestamp with time zone) at time zone 'UTC')
{%- endmacro %}

{#- The number at a path of a JSON column, where it may be a number or text; null if it is neither. -#}
{% macro json_number(column, path) -%}
  case
    when {{ adapter.dispatch('matches', 'calendly')(json_text(column, path), '^-?[0-9]+([.][0-9]+)?$') }}
      then cast({{ json_text(column, path) }} as numeric(18, 2))
  end
{%- endmacro %}
{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, '{{ pattern }}') {%- endmacro %}
{% macro postgres__matches(text, pattern) -%} {{ text }} ~ '{{ pattern }}' {%- endmacro %}

{#- Joins the elements of a column that holds a JSON list, as `element.item`, numbered from 1 by `element.index`. -#}
{% macro each_element(column) -%}
  cross join lateral {{ adapter.dispatch('elements', 'calendly')(column) }} with ordinality as element (item, index)
{%- endmacro %}
{% macro duckdb__elements(column) -%} unnest(cast({{ column }} as json[])) {%- endmacro %}
{% macro postgres__elements(column) -%}
  jsonb_array_elements(case when jsonb_typeof({{ column }}) = 'array' then {{ column }} end)
{%- endmacro %}
