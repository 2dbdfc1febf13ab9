with run as (
    select * from {{ ref('int_run_context') }}
),

starts as (
    select
        started_on as day,
        count(*) filter (where period_number = 1) as customers_new,
        count(*) filter (where period_number > 1) as customers_reactivated
    from {{ ref('int_active_periods') }}
    group by started_on
),

ends as (
    select
        ended_on as day,
        count(*) filter (where is_churn) as customers_lost,
        count(*) filter (where not is_churn) as customers_completed
    from {{ ref('int_active_periods') }}
    where ended_on is not null
    group by ended_on
),

orders as (
    select
        ordered_on as day,
        count(*) filter (where is_purchase) as orders,
        sum(net_revenue) as revenue
    from {{ ref('int_orders') }}
    group by ordered_on
),

usage as (
    select
        day,
        count(*) filter (where usage_events > 0) as customers_using,
        sum(usage_events) as usage_events,
        count(*) filter (where is_activity) as daily_active_customers
    from {{ ref('int_daily_activity') }}
    group by day
),

-- A customer is active in the 30 days that begin with each day of activity: one more from the first day of a run, one
-- less 30 days after its last, or where the next run begins.
monthly_steps as (
    select day, sum(step) as step
    from (
        select first_day as day, 1 as step
        from {{ ref('int_activity_runs') }}

        union all

        select
            least(
                {{ add_days('last_day', 30) }},
                lead(first_day) over (partition by customer_id order by run_number)
            ),
            -1
        from {{ ref('int_activity_runs') }}
    )
    group by day
),

paused_steps as (
    select day, sum(step) as step
    from (
        select valid_from as day, 1 as step from {{ ref('int_lifecycle_spans') }} where state = 'paused'
        union all
        select valid_to, -1 from {{ ref('int_lifecycle_spans') }} where state = 'paused' and valid_to is not null
    )
    group by day
),

days as (
    select
        calendar.day,
        coalesce(starts.customers_new, 0) as customers_new,
        coalesce(starts.customers_reactivated, 0) as customers_reactivated,
        coalesce(ends.customers_lost, 0) as customers_lost,
        coalesce(ends.customers_completed, 0) as customers_completed,
        coalesce(orders.orders, 0) as orders,
        coalesce(orders.revenue, 0) as revenue,
        coalesce(usage.customers_using, 0) as customers_using,
        coalesce(usage.usage_events, 0) as usage_events,
        coalesce(usage.daily_active_customers, 0) as daily_active_customers,
        cast(sum(coalesce(monthly_steps.step, 0)) over (
            order by calendar.day rows unbounded preceding
        ) as bigint) as monthly_active_customers,
        cast(sum(coalesce(paused_steps.step, 0)) over (
            order by calendar.day rows unbounded preceding
        ) as bigint) as customers_paused
    from {{ ref('int_calendar') }} as calendar
    left join starts on starts.day = calendar.day
    left join ends on ends.day = calendar.day
    left join orders on orders.day = calendar.day
    left join usage on usage.day = calendar.day
    left join monthly_steps on monthly_steps.day = calendar.day
    left join paused_steps on paused_steps.day = calendar.day
)

{%- set active = 'case when run.has_usage or run.has_events or run.has_order_lines then days.daily_active_customers end' %}
{%- set monthly = 'case when run.has_usage or run.has_events or run.has_order_lines then days.monthly_active_customers end' %}

select
    days.day,
    cast(sum(
        days.customers_new + days.customers_reactivated - days.customers_lost - days.customers_completed
    ) over (order by days.day rows unbounded preceding) as bigint) as customers_active,
    days.customers_new,
    days.customers_reactivated,
    days.customers_lost,
    days.customers_completed,
    {{ if_fed('order_lines', 'days.orders') }} as orders,
    {{ if_fed('order_lines', 'cast(days.revenue as decimal(18, 4))') }} as revenue,
    {{ if_fed('usage', 'days.customers_using') }} as customers_using,
    {{ if_fed('usage', 'cast(days.usage_events as bigint)') }} as usage_events,
    {{ active }} as daily_active_customers,
    {{ monthly }} as monthly_active_customers,
    {{ rate_columns('stickiness', active, monthly) }},
    {{ if_fed('subscriptions', 'days.customers_paused') }} as customers_paused
from days
cross join run
