-- The one pass over all days of activity that what asks for silence shares: days closer than the shortest silence that
-- anything asks for (30 days for monthly active customers, half of `inactivity_days` for the lifecycle) are one run.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['customer_id'], 'int_changed_days') }}"
) }}
{%- do changes('int_changed_days') %}
with signs as (
    select
        day.customer_id,
        day.day,
        case
            when {{ days_between('lag(day.day) over by_day', 'day.day') }}
                < least(30, {{ int_div('run.inactivity_days', 2) }} + 1) then 0
            else 1
        end as begins
    from {{ ref('int_daily_activity') }} as day
    cross join {{ ref('int_run_context') }} as run
    where day.is_activity
        {%- if is_increment() %}
        and {{ is_among('day.customer_id', ['customer_id'], 'int_changed_days') }}
        {%- endif %}
    window by_day as (partition by day.customer_id order by day.day)
),

numbered as (
    select
        customer_id,
        day,
        sum(begins) over (partition by customer_id order by day rows unbounded preceding) as run_number
    from signs
)

select
    customer_id,
    cast(run_number as integer) as run_number,
    min(day) as first_day,
    max(day) as last_day
from numbered
group by customer_id, run_number
