{#- Select columns, given with their types, from a table that the tap loads. A column that was not loaded is
    null, and a table that was not loaded is empty, but it is an error if none was. `is_gone` marks the rows that target-postgres marks as deleted. -#}
{% macro raw(table, columns) -%}
  {%- set relation = source('calendly', table) -%}
  {%- set found = load_relation(relation) if execute else none -%}
  {%- if execute and not found -%}
    {%- do check_that_a_table_is_loaded(relation) -%}
  {%- endif -%}
  {%- set loaded = {} -%}
  {%- for column in (adapter.get_columns_in_relation(found) if found else []) -%}
    {%- do loaded.update({column.name: column.dtype | lower}) -%}
  {%- endfor %}
  select
  {%- for name, type in columns.items() %}
    {%- set column = adapter.quote(name) %}
    {%- if type == 'json' and name not in loaded and (',' ~ name ~ '__') in (',' ~ loaded | join(',')) %}
    {%- do exceptions.raise_compiler_error(
      relation ~ ' was loaded with flattening_enabled, and the models need ' ~ name ~ ' as one column.'
    ) -%}
    {%- elif name not in loaded %}
    cast(null as {{ column_type(type) }}) as {{ column }},
    {%- elif type == 'timestamp' and 'with time zone' in loaded[name] %}
    {{ column }} at time zone 'UTC' as {{ column }},
    {%- elif loaded[name] == 'array' %}
    to_jsonb({{ column }}) as {{ column }}, {#- as which target-postgres loads lists #}
    {%- else %}
    {{ column }},
    {%- endif %}
  {%- endfor %}
    {{ '_sdc_deleted_at is not null' if '_sdc_deleted_at' in loaded else 'false' }} as is_gone
  {{ 'from ' ~ relation if found else 'where false' }}
{%- endmacro %}

{% macro check_that_a_table_is_loaded(relation) -%}
  {%- set found = [] -%}
  {%- for source in graph.sources.values() if source.package_name == 'calendly' -%}
    {%- do found.append(adapter.get_relation(relation.database, relation.schema, source.identifier)) -%}
  {%- endfor -%}
  {%- if not found | select | list -%}
    {%- do exceptions.raise_compiler_error(
      'No table of tap-calendly is in ' ~ relation.without_identifier() ~ ': run the tap first, '
      ~ 'or set the variables calendly_database and calendly_schema.'
    ) -%}
  {%- endif -%}
{%- endmacro %}

{% macro column_type(type) -%}
  {{ adapter.dispatch('json_type', 'calendly')() if type == 'json' else type }}
{%- endmacro %}
{% macro duckdb__json_type() -%} json {%- endmacro %}
{% macro postgres__json_type() -%} jsonb {%- endmacro %}
