{#- Dates and times that engines spell differently. A day is a DATE, a number of days an integer. -#}

{#- The business day of a UTC timestamp. -#}
{% macro day_of(timestamp, timezone) -%}
    {{ return(adapter.dispatch('day_of')(timestamp, timezone)) }}
{%- endmacro %}
{% macro default__day_of(timestamp, timezone) -%}
    cast({{ timestamp }} at time zone 'UTC' at time zone {{ timezone }} as date)
{%- endmacro %}

{#- The UTC timestamp at which a business day begins. -#}
{% macro begin_of_day(day, timezone) -%}
    {{ return(adapter.dispatch('begin_of_day')(day, timezone)) }}
{%- endmacro %}
{% macro default__begin_of_day(day, timezone) -%}
    cast({{ day }} as timestamp) at time zone {{ timezone }} at time zone 'UTC'
{%- endmacro %}

{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days')(day, days)) }}
{%- endmacro %}
{% macro default__add_days(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}

{#- Whole days from the first day to the second. -#}
{% macro days_between(first, second) -%}
    {{ return(adapter.dispatch('days_between')(first, second)) }}
{%- endmacro %}
{% macro default__days_between(first, second) -%}
    cast({{ second }} - {{ first }} as integer)
{%- endmacro %}

{% macro month_start(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}

{% macro month_end(day) -%}
    {{ return(adapter.dispatch('month_end')(day)) }}
{%- endmacro %}
{% macro default__month_end(day) -%}
    last_day({{ day }})
{%- endmacro %}

{#- Calendar months from the month of the first day to that of the second. -#}
{% macro months_between_starts(first, second) -%}
    cast(
        (extract(year from {{ second }}) - extract(year from {{ first }})) * 12
        + extract(month from {{ second }}) - extract(month from {{ first }}) as integer
    )
{%- endmacro %}

{#- One row per day, both ends included; the bounds are scalar expressions over `source`, a relation of one row. -#}
{% macro day_spine(first, last, source) -%}
    {{ return(adapter.dispatch('day_spine')(first, last, source)) }}
{%- endmacro %}
{% macro default__day_spine(first, last, source) -%}
    select cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date) as day from {{ source }}
{%- endmacro %}

{#- The first day of the month so many months after the month that begins on `day`. -#}
{% macro add_months(day, months) -%}
    {{ return(adapter.dispatch('add_months')(day, months)) }}
{%- endmacro %}
{% macro default__add_months(day, months) -%}
    cast({{ day }} + to_months({{ months }}) as date)
{%- endmacro %}

{#- One row per day from `first` to `last`, both included, for each row of the relation that is selected from. -#}
{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch('each_day')(first, last)) }}
{%- endmacro %}
{% macro default__each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

{#- The first day of the week of a day; a week begins on `weekday`, 1 for Monday to 7 for Sunday. -#}
{% macro week_start(day, weekday) -%}
    {{ return(adapter.dispatch('week_start')(day, weekday)) }}
{%- endmacro %}
{% macro default__week_start(day, weekday) -%}
    ({{ day }} - cast((isodow({{ day }}) - {{ weekday }} + 7) % 7 as integer))
{%- endmacro %}

{#- So many seconds after a timestamp. -#}
{% macro add_seconds(timestamp, seconds) -%}
    {{ return(adapter.dispatch('add_seconds')(timestamp, seconds)) }}
{%- endmacro %}
{% macro default__add_seconds(timestamp, seconds) -%}
    ({{ timestamp }} + to_seconds({{ seconds }}))
{%- endmacro %}
