{#- The schema of a model: the variable `calendly_analytics_schema` as it stands, with `_staging` for what the
    tables are made from. In another dbt project, the default begins with the target's schema, so that
    developers do not write into each other's tables. That project's own `+schema` works as usual. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- set standard = 'calendly_analytics' if project_name == 'calendly' else target.schema ~ '_calendly_analytics' -%}
  {%- set analytics = var('calendly_analytics_schema', standard) -%}
  {%- if custom_schema_name is none -%}
    {{ analytics }}
  {%- elif custom_schema_name == 'staging' -%}
    {{ analytics }}_staging
  {%- else -%}
    {{ default__generate_schema_name(custom_schema_name, node) }}
  {%- endif -%}
{%- endmacro %}
