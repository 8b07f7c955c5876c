{#- The moment that decides what is upcoming, as a timestamp in UTC: the variable `calendly_now`, or the
    start of this run. One moment for all models. -#}
{% macro now() -%}
  {%- set given = var('calendly_now', none) -%}
  {%- set parse = modules.datetime.datetime.fromisoformat -%} {#- which reads no Z before Python 3.11 #}
  {%- set moment = run_started_at if given is none else parse((given | string).replace('Z', '+00:00')) -%}
  {%- set moment = moment if moment.tzinfo is none else moment.astimezone(modules.pytz.utc) -%}
  cast('{{ moment.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp)
{%- endmacro %}

{#- A timestamp in UTC as it is on the clock in `calendly_timezone`. -#}
{% macro local(timestamp) -%}
  ({{ timestamp }} at time zone 'UTC' at time zone '{{ var("calendly_timezone") }}')
{%- endmacro %}

{% macro local_day(timestamp) -%} cast({{ local(timestamp) }} as date) {%- endmacro %}

{#- The Monday of a day's week. -#}
{% macro week_of(day) -%} cast(date_trunc('week', {{ day }}) as date) {%- endmacro %}

{% macro minutes_between(earlier, later) -%}
  cast(extract(epoch from ({{ later }} - {{ earlier }})) / 60 as numeric(18, 4))
{%- endmacro %}

{% macro hours_between(earlier, later) -%}
  cast(extract(epoch from ({{ later }} - {{ earlier }})) / 3600 as numeric(18, 4))
{%- endmacro %}

{#- Days from one to the other, both included, one in each row. -#}
{% macro each_day(first, last) -%} {{ adapter.dispatch('each_day', 'calendly')(first, last) }} {%- endmacro %}
{% macro duckdb__each_day(first, last) -%} unnest(generate_series({{ first }}, {{ last }}, interval '1 day')) {%- endmacro %}
{% macro postgres__each_day(first, last) -%} generate_series({{ first }}, {{ last }}, interval '1 day') {%- endmacro %}
