with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

starts as (
    select
        started_on as day,
        count(*) filter (where period_number = 1) as customers_new,
        count(*) filter (where period_number > 1) as customers_reactivated
    from "warehouse"."intermediate"."int_active_periods"
    group by started_on
),

ends as (
    select
        ended_on as day,
        count(*) filter (where is_churn) as customers_lost,
        count(*) filter (where not is_churn) as customers_completed
    from "warehouse"."intermediate"."int_active_periods"
    where ended_on is not null
    group by ended_on
),

orders as (
    select
        ordered_on as day,
        count(*) filter (where is_purchase) as orders,
        sum(net_revenue) as revenue
    from "warehouse"."intermediate"."int_orders"
    group by ordered_on
),

usage as (
    select
        day,
        count(*) filter (where usage_events > 0) as customers_using,
        sum(usage_events) as usage_events
    from "warehouse"."intermediate"."int_daily_activity"
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
        coalesce(usage.usage_events, 0) as usage_events
    from "warehouse"."intermediate"."int_calendar" as calendar
    left join starts on starts.day = calendar.day
    left join ends on ends.day = calendar.day
    left join orders on orders.day = calendar.day
    left join usage on usage.day = calendar.day
)

select
    days.day,
    cast(sum(
        days.customers_new + days.customers_reactivated - days.customers_lost - days.customers_completed
    ) over (order by days.day rows unbounded preceding) as bigint) as customers_active,
    days.customers_new,
    days.customers_reactivated,
    days.customers_lost,
    days.customers_completed,
    case when run.has_order_lines then days.orders end as orders,
    case when run.has_order_lines then cast(days.revenue as decimal(18, 4)) end as revenue,
    case when run.has_usage then days.customers_using end as customers_using,
    case when run.has_usage then cast(days.usage_events as bigint) end as usage_events
from days
cross join run