{#- Calendar periods of a unit: `day`, `week`, `month`. Weeks begin on the first weekday of the business. -#}

{#- The first day of the period in which a day lies. -#}
{% macro period_start(unit, day, weekday) -%}
    {%- if unit == 'day' -%}{{ day }}
    {%- elif unit == 'week' -%}{{ week_start(day, weekday) }}
    {%- else -%}{{ month_start(day) }}
    {%- endif -%}
{%- endmacro %}

{#- The same where the unit is a column. -#}
{% macro period_start_of(unit, day, weekday) -%}
    case {{ unit }}
        when 'day' then {{ day }}
        when 'week' then {{ week_start(day, weekday) }}
        else {{ month_start(day) }}
    end
{%- endmacro %}

{#- The first day of the period so many after that which begins on `start`. -#}
{% macro add_periods(unit, start, count) -%}
    {%- if unit == 'day' -%}{{ add_days(start, count) }}
    {%- elif unit == 'week' -%}{{ add_days(start, '7 * (' ~ count ~ ')') }}
    {%- else -%}{{ add_months(start, count) }}
    {%- endif -%}
{%- endmacro %}

{#- The same where the unit is a column. -#}
{% macro period_at(unit, start, count) -%}
    case {{ unit }}
        when 'day' then {{ add_days(start, count) }}
        when 'week' then {{ add_days(start, '7 * (' ~ count ~ ')') }}
        else {{ add_months(start, count) }}
    end
{%- endmacro %}

{#- Periods from that which begins on `first` to that which begins on `second`; the unit is a column. -#}
{% macro age_in_periods(unit, first, second) -%}
    case {{ unit }}
        when 'day' then {{ days_between(first, second) }}
        when 'week' then {{ int_div(days_between(first, second), 7) }}
        else {{ months_between_starts(first, second) }}
    end
{%- endmacro %}

{#-
  The units of cohorts: how many of the newest cohorts there are, up to which age, and within which age a customer
  of the unbounded kind has to come back. Months go back to the beginning.
-#}
{% macro cohort_units() -%}
    {{ return({
        'day': {'cohorts': 180, 'ages': 90, 'window': 90},
        'week': {'cohorts': 104, 'ages': 26, 'window': 26},
        'month': {'cohorts': 1200, 'ages': 1200, 'window': 12},
    }) }}
{%- endmacro %}
