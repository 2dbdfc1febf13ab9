-- Percentiles of a window need a literal share, so each that can be configured has a branch; all but one read no row.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget_rhythms() }}"
) }}
{%- set percentiles = [75, 80, 85, 90, 95, 99] %}
{%- do changes('int_changed_days') %}
{%- set is_part = is_increment() and not has_changed_earlier_month() %}
with run as (
    select * from {{ ref('int_run_context') }}
),

-- Two orders of a day are one purchase.
purchases as (
    select
        day.customer_id,
        day.day,
        {{ month_start('day.day') }} as month_start,
        {{ days_between('lag(day.day) over by_day', 'day.day') }} as interval_days,
        lead(day.day) over by_day as next_day,
        min(day.day) over (partition by day.customer_id) as first_day,
        count(*) over (partition by day.customer_id) as purchases,
        run.rhythm_percentile,
        run.rhythm_min_intervals,
        run.inactivity_days
    from {{ ref('int_daily_activity') }} as day
    cross join run
    where day.orders > 0
        {%- if is_part %}
        and {{ is_among('day.customer_id', ['customer_id'], 'int_changed_days') }}
        {%- endif %}
    window by_day as (partition by day.customer_id order by day.day)
),

-- All customers' intervals that were over before a month: who has too few of their own is held against them.
histogram as (
    select month_start, interval_days, count(*) as intervals
    from (
        select month_start, interval_days from purchases
        {%- if is_part %}
        union all
        -- Those of everybody else are here.
        select {{ month_start('day') }}, interval_days from {{ this }}
        {%- endif %}
    )
    where interval_days is not null
    group by month_start, interval_days
),

months as (
    select month_start from purchases group by month_start
),

before_month as (
    select
        months.month_start,
        histogram.interval_days,
        sum(sum(histogram.intervals)) over (
            partition by months.month_start order by histogram.interval_days rows unbounded preceding
        ) as intervals_up_to,
        sum(sum(histogram.intervals)) over (partition by months.month_start) as intervals
    from months
    inner join histogram on histogram.month_start < months.month_start
    group by months.month_start, histogram.interval_days
),

pooled as (
    select before_month.month_start, min(before_month.interval_days) as limit_days
    from before_month
    cross join run
    where 100 * before_month.intervals_up_to >= run.rhythm_percentile * before_month.intervals
    group by before_month.month_start
),

own as (
    {%- for percentile in percentiles %}
    select
        customer_id,
        day,
        month_start,
        interval_days,
        next_day,
        first_day,
        rhythm_min_intervals,
        inactivity_days,
        count(interval_days) over (
            partition by customer_id order by day rows unbounded preceding
        ) as intervals,
        {{ running_percentile('interval_days', percentile / 100, 'customer_id', 'day') }} as limit_days
    from purchases
    where rhythm_percentile = {{ percentile }} and purchases > rhythm_min_intervals

    union all
    {% endfor %}
    -- Who never had enough intervals needs no percentile.
    select
        customer_id,
        day,
        month_start,
        interval_days,
        next_day,
        first_day,
        rhythm_min_intervals,
        inactivity_days,
        0 as intervals,
        null as limit_days
    from purchases
    where purchases <= rhythm_min_intervals
)

select
    own.customer_id,
    own.day,
    own.interval_days,
    own.next_day,
    own.first_day,
    own.intervals >= own.rhythm_min_intervals as has_own_limit,
    cast(
        case
            when own.intervals >= own.rhythm_min_intervals then own.limit_days
            else coalesce(pooled.limit_days, own.inactivity_days)
        end as integer
    ) as limit_days,
    pooled.limit_days as pooled_limit_days
from own
left join pooled on pooled.month_start = own.month_start
