with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

months as (
    select month_start, month_end, max(day) as last_day
    from "warehouse"."intermediate"."int_calendar"
    group by month_start, month_end
),

-- A customer in a month: in the opening set, in the closing set, and how the last end in the month was.
members as (
    select
        months.month_start,
        period.customer_id,
        bool_or(period.started_on < months.month_start) as is_opening,
        bool_or(period.ended_on is null or period.ended_on > months.last_day) as is_closing,
        max_by(period.is_churn, period.period_number) as is_churn
    from months
    inner join "warehouse"."intermediate"."int_active_periods" as period
        on period.started_on <= months.last_day
        and (period.ended_on is null or period.ended_on >= months.month_start)
    group by months.month_start, period.customer_id
),

sets as (
    select
        month_start,
        count(*) filter (where is_opening) as customers_opening,
        count(*) filter (where is_closing) as customers_closing,
        count(*) filter (where is_opening and is_closing) as customers_retained,
        count(*) filter (where is_opening and not is_closing and is_churn) as customers_churned_of_opening,
        count(*) filter (where is_opening and not is_closing and not is_churn) as customers_completed_of_opening
    from members
    group by month_start
),

starts as (
    select
        cast(date_trunc('month', started_on) as date) as month_start,
        count(*) filter (where period_number = 1) as customers_new,
        count(*) filter (where period_number > 1) as customers_reactivated
    from "warehouse"."intermediate"."int_active_periods"
    group by 1
),

ends as (
    select
        cast(date_trunc('month', ended_on) as date) as month_start,
        count(*) filter (where is_churn) as customers_lost,
        count(*) filter (where not is_churn) as customers_completed
    from "warehouse"."intermediate"."int_active_periods"
    where ended_on is not null
    group by 1
),

before_start as (
    select cast(date_trunc('month', ended_on) as date) as month_start, count(*) as cancellations_before_start
    from "warehouse"."intermediate"."int_subscription_periods"
    where end_kind = 'cancelled_before_start'
    group by 1
),

orders as (
    select
        cast(date_trunc('month', ordered_on) as date) as month_start,
        count(*) filter (where is_purchase) as orders,
        count(*) filter (where is_purchase and customer_id is null) as orders_without_customer,
        count(distinct customer_id) filter (where is_purchase) as active_purchasers,
        sum(purchase_value) filter (where is_purchase) as purchase_value,
        sum(net_revenue) as revenue,
        coalesce(sum(net_revenue) filter (where customer_id is null), 0) as revenue_without_customer
    from "warehouse"."intermediate"."int_orders"
    group by 1
),

monthly as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        coalesce(sets.customers_opening, 0) as customers_opening,
        coalesce(sets.customers_closing, 0) as customers_closing,
        coalesce(sets.customers_retained, 0) as customers_retained,
        coalesce(sets.customers_churned_of_opening, 0) as customers_churned_of_opening,
        coalesce(sets.customers_completed_of_opening, 0) as customers_completed_of_opening,
        coalesce(starts.customers_new, 0) as customers_new,
        coalesce(starts.customers_reactivated, 0) as customers_reactivated,
        coalesce(ends.customers_lost, 0) as customers_lost,
        coalesce(ends.customers_completed, 0) as customers_completed,
        coalesce(before_start.cancellations_before_start, 0) as cancellations_before_start,
        coalesce(orders.orders, 0) as orders,
        coalesce(orders.orders_without_customer, 0) as orders_without_customer,
        coalesce(orders.active_purchasers, 0) as active_purchasers,
        coalesce(orders.revenue, 0) as revenue,
        coalesce(orders.revenue_without_customer, 0) as revenue_without_customer,
        orders.purchase_value
    from months
    left join sets on sets.month_start = months.month_start
    left join starts on starts.month_start = months.month_start
    left join ends on ends.month_start = months.month_start
    left join before_start on before_start.month_start = months.month_start
    left join orders on orders.month_start = months.month_start
)

select
    month_start,
    is_complete,
    customers_opening,
    customers_new,
    customers_reactivated,
    customers_lost,
    customers_completed,
    customers_closing,
    customers_retained,
    customers_churned_of_opening,
    customers_completed_of_opening,
    round(cast(customers_churned_of_opening as double) / nullif(cast(customers_opening as double), 0), 6) as customer_churn_rate,
    customers_churned_of_opening as customer_churn_rate_numerator,
    customers_opening as customer_churn_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when customers_opening > 0 and customers_churned_of_opening is not null then round(
            least(greatest(
                (
                    cast(customers_churned_of_opening as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(customers_churned_of_opening as double) * (cast(customers_opening as double) - cast(customers_churned_of_opening as double)) / cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as customer_churn_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when customers_opening > 0 and customers_churned_of_opening is not null then round(
            least(greatest(
                (
                    cast(customers_churned_of_opening as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(customers_churned_of_opening as double) * (cast(customers_opening as double) - cast(customers_churned_of_opening as double)) / cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as customer_churn_rate_high,
    round(cast(customers_retained as double) / nullif(cast(customers_opening as double), 0), 6) as customer_retention_rate,
    customers_retained as customer_retention_rate_numerator,
    customers_opening as customer_retention_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when customers_opening > 0 and customers_retained is not null then round(
            least(greatest(
                (
                    cast(customers_retained as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(customers_retained as double) * (cast(customers_opening as double) - cast(customers_retained as double)) / cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as customer_retention_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when customers_opening > 0 and customers_retained is not null then round(
            least(greatest(
                (
                    cast(customers_retained as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(customers_retained as double) * (cast(customers_opening as double) - cast(customers_retained as double)) / cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(customers_opening as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as customer_retention_rate_high,
    round(cast(customers_completed_of_opening as double) / nullif(cast(customers_opening as double), 0), 6) as completion_rate,
    case when run.has_subscriptions then cancellations_before_start end as cancellations_before_start,
    case when run.has_order_lines then orders end as orders,
    case when run.has_order_lines then active_purchasers end as active_purchasers,
    case when run.has_order_lines then cast(revenue as decimal(18, 4)) end as revenue,
    case when run.has_order_lines then cast(revenue_without_customer as decimal(18, 4)) end as revenue_without_customer,
    case when run.has_order_lines then orders_without_customer end as orders_without_customer,
    round(cast(purchase_value as double) / nullif(cast(orders as double), 0), 6) as average_basket,
    round(cast(orders - orders_without_customer as double) / nullif(cast(active_purchasers as double), 0), 6) as purchase_frequency
from monthly
cross join run