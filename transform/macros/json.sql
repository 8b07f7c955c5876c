{#- The text at a path of a JSON column; null if it is not there, null or empty. -#}
{% macro json_text(column, path) -%}
  nullif({{ adapter.dispatch('json_at', 'calendly')(column, path.split('.')) }}, '')
{%- endmacro %}
{% macro duckdb__json_at(column, path) -%} json_extract_string({{ column }}, '$.{{ path | join(".") }}') {%- endmacro %}
{% macro postgres__json_at(column, path) -%} ({{ column }} #>> '{{ "{" ~ path | join(",") ~ "}" }}') {%- endmacro %}

{#- The timestamp at a path of a JSON column, in UTC, also if it has no offset; null if it is none. -#}
{% macro json_timestamp(column, path) -%}
  {%- set text = json_text(column, path) -%}
  case
    when not {{ matches(text, '^' ~ iso_8601() ~ '$') }} then null
    when {{ matches(text, '(Z|[+-][0-9]{2}:[0-9]{2})$') }}
      then cast({{ text }} as timestamp with time zone) at time zone 'UTC'
    else cast({{ text }} as timestamp)
  end
{%- endmacro %}

{#- The number at a path of a JSON column, where it may be a number or text; null if it is neither. -#}
{% macro json_number(column, path) -%}
  case
    when {{ matches(json_text(column, path), '^-?[0-9]{1,15}([.][0-9]+)?$') }}
      then cast({{ json_text(column, path) }} as numeric(18, 2))
  end
{%- endmacro %}

{% macro matches(text, pattern) -%} {{ adapter.dispatch('matches', 'calendly')(text, pattern) }} {%- endmacro %}
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
