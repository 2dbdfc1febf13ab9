with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

purchases as (
    select rhythm.*, run.inactivity_days, run.as_of
    from {{ ref('int_purchase_rhythm') }} as rhythm
    cross join run
    where run.has_order_lines
),
{% for name, allowed in [('rhythm', 'limit_days'), ('window', 'inactivity_days')] %}
-- The last purchases before a silence longer than allowed; the next one begins the next period.
{{ name }}_periods as (
    select
        customer_id,
        row_number() over by_day as period_number,
        coalesce(lag(next_day) over by_day, first_day) as started_on,
        case when {{ add_days('day', allowed) }} <= as_of then {{ add_days('day', allowed) }} end as ended_on,
        'inactivity' as end_kind,
        true as is_churn,
        false as is_early
    from purchases
    where next_day is null or {{ days_between('day', 'next_day') }} > {{ allowed }}
    window by_day as (partition by customer_id order by day)
),

{{ name }}_changes as (
    {{ changes_by_month(name ~ '_periods') }}
),

{{ name }}_months as (
    select
        month_start,
        {{ sums_of_changes() }}
    from {{ name }}_changes
    group by month_start
),
{% endfor %}
intervals as (
    select
        {{ month_start('day') }} as month_start,
        count(*) as purchases,
        count(*) filter (where has_own_limit) as purchases_with_own_limit,
        max(pooled_limit_days) as pooled_limit_days,
        count(interval_days) as purchase_intervals,
        sum(interval_days) as interval_days,
        median(interval_days) as median_interval_days
    from purchases
    group by 1
),

counted as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        {%- for name in ['rhythm', 'window'] %}
        cast(coalesce(sum(
            {{ name }}_months.customers_new + {{ name }}_months.customers_reactivated - {{ name }}_months.customers_lost
        ) over before_it, 0) as bigint) as opening_by_{{ name }},
        cast(
            coalesce({{ name }}_months.customers_new + {{ name }}_months.customers_reactivated, 0) as bigint
        ) as joined_by_{{ name }},
        cast(coalesce({{ name }}_months.customers_lost, 0) as bigint) as lost_by_{{ name }},
        cast(coalesce({{ name }}_months.customers_churned_of_opening, 0) as bigint) as churned_by_{{ name }},
        {%- endfor %}
        intervals.pooled_limit_days,
        coalesce(intervals.purchases, 0) as purchases,
        coalesce(intervals.purchases_with_own_limit, 0) as purchases_with_own_limit,
        coalesce(intervals.purchase_intervals, 0) as purchase_intervals,
        intervals.interval_days,
        intervals.median_interval_days
    from months
    cross join run
    left join rhythm_months on rhythm_months.month_start = months.month_start
    left join window_months on window_months.month_start = months.month_start
    left join intervals on intervals.month_start = months.month_start
    where run.has_order_lines
    window before_it as (order by months.month_start rows between unbounded preceding and 1 preceding)
)

select
    month_start,
    is_complete,
    {%- for name in ['rhythm', 'window'] %}
    opening_by_{{ name }} as customers_opening_by_{{ name }},
    joined_by_{{ name }} as customers_joining_by_{{ name }},
    lost_by_{{ name }} as customers_lost_by_{{ name }},
    opening_by_{{ name }} + joined_by_{{ name }} - lost_by_{{ name }} as customers_closing_by_{{ name }},
    {{ rate_columns('churn_rate_by_' ~ name, 'churned_by_' ~ name, 'opening_by_' ~ name) }},
    {%- endfor %}
    {{ rate_columns('own_rhythm_share', 'purchases_with_own_limit', 'purchases') }},
    cast(pooled_limit_days as integer) as pooled_limit_days,
    purchase_intervals,
    cast(median_interval_days as double) as median_purchase_interval_days,
    {{ ratio('interval_days', 'purchase_intervals', 4) }} as mean_purchase_interval_days
from counted
