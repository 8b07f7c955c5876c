{#- The moment that decides what is upcoming, as a timestamp in UTC: the variable `calendly_now`, or the
    start of this run. One moment for all models. -#}
{% macro now() -%}
  {%- set given = var('calendly_now', none) -%}
  {%- if given is not none and not modules.re.fullmatch(iso_8601(), given | string) -%}
    {%- do exceptions.raise_compiler_error(
      'The variable calendly_now is ' ~ given ~ ': write it like 2026-03-04T09:30:00Z.'
    ) -%}
  {%- endif -%}
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

{% macro minutes_between(earlier, later) -%} {{ time_between(earlier, later, 60) }} {%- endmacro %}
{% macro hours_between(earlier, later) -%} {{ time_between(earlier, later, 3600) }} {%- endmacro %}

{#- Rounded from whole microseconds, so that a database without exact division rounds as one that has it. -#}
{% macro time_between(earlier, later, seconds) -%}
  cast(
    floor(round(extract(epoch from ({{ later }} - {{ earlier }})) * 1000000) / {{ seconds * 100 }} + 0.5) / 10000
    as numeric(18, 4)
  )
{%- endmacro %}

{#- Days from one to the other, both included, one in each row. -#}
{% macro each_day(first, last) -%} {{ adapter.dispatch('each_day', 'calendly')(first, last) }} {%- endmacro %}
{% macro duckdb__each_day(first, last) -%} unnest(generate_series({{ first }}, {{ last }}, interval '1 day')) {%- endmacro %}
{#- not of dates, which would count in the time zone of the session, where a midnight may be missing -#}
{% macro postgres__each_day(first, last) -%}
  generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '1 day')
{%- endmacro %}

{#- What a date or a timestamp looks like, for Python and for both databases. -#}
{% macro iso_8601() -%}
  [0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?)?
{%- endmacro %}
