{#- Days since a customer's own first day, both ends included. Configured nowhere: the same for every business. -#}
{%- set brackets = [(1, 7), (8, 30), (31, 90), (91, 180), (181, 365)] %}
{%- set units = cohort_units() %}
with run as (
    select
        *,
        as_of as last_day,
        {{ week_start('as_of', 'week_starts_on') }} as last_week,
        {{ month_start('as_of') }} as last_month
    from {{ ref('int_run_context') }}
    where has_order_lines or has_usage or has_events
),

people as (
    select 'first_active' as cohort_kind, customer_id, first_active_on as first_on
    from {{ ref('int_cohort_members') }}
    where first_active_on is not null

    union all

    select 'first_purchase', customer_id, first_purchase_on
    from {{ ref('int_cohort_members') }}
    where first_purchase_on is not null
),

brackets as (
    {% for from_day, to_day in brackets -%}
    select {{ from_day }} as from_day, {{ to_day }} as to_day
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

days as (
    select
        people.cohort_kind,
        people.customer_id,
        people.first_on,
        {{ days_between('people.first_on', 'day.day') }} as age
    from {{ ref('int_daily_activity') }} as day
    inner join people on people.customer_id = day.customer_id
    where day.day > people.first_on
        and case people.cohort_kind when 'first_purchase' then day.orders > 0 else day.is_activity end
),

-- One row per customer and bracket with any activity in it.
active as (
    select cohort_kind, customer_id, first_on, brackets.from_day
    from days
    inner join brackets on days.age between brackets.from_day and brackets.to_day
    group by all
),

-- By the customer's first day, from which every unit is added up.
daily as (
    select cohort_kind, first_on, cast(null as integer) as from_day, count(*) as customers
    from people
    group by cohort_kind, first_on

    union all

    select cohort_kind, first_on, from_day, count(*)
    from active
    group by cohort_kind, first_on, from_day
),

counted as (
    {% for unit, limits in units.items() -%}
    select
        daily.cohort_kind,
        '{{ unit }}' as cohort_unit,
        {{ period_start(unit, 'daily.first_on', 'run.week_starts_on') }} as cohort_start,
        daily.from_day,
        sum(daily.customers) as customers
    from daily
    cross join run
    where {{ period_start(unit, 'daily.first_on', 'run.week_starts_on') }} > {{ add_periods(unit, 'run.last_' ~ unit, -limits.cohorts) }}
    group by 1, 2, 3, 4
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

cells as (
    select
        cohorts.cohort_kind,
        cohorts.cohort_unit,
        cohorts.cohort_start,
        brackets.from_day,
        brackets.to_day,
        cast(cohorts.customers as bigint) as cohort_size,
        -- Of the last customer of the cohort the last day of the bracket has to be over.
        case
            when {{ add_days(period_at('cohorts.cohort_unit', 'cohorts.cohort_start', 1), 'brackets.to_day') }}
                <= {{ add_days('run.as_of', 1) }}
                then cast(coalesce(counted.customers, 0) as bigint)
        end as active
    from counted as cohorts
    cross join brackets
    cross join run
    left join counted
        on counted.cohort_kind = cohorts.cohort_kind
        and counted.cohort_unit = cohorts.cohort_unit
        and counted.cohort_start = cohorts.cohort_start
        and counted.from_day = brackets.from_day
    where cohorts.from_day is null
)

select
    cohort_kind,
    cohort_unit,
    cohort_start,
    cast(from_day as varchar) || '-' || cast(to_day as varchar) as bracket,
    from_day,
    to_day,
    cohort_size,
    {{ rate_columns('bracket_retention_rate', 'active', 'cohort_size') }}
from cells
