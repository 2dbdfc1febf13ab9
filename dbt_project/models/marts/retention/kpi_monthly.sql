with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

changes as (
    {{ changes_by_month(ref('int_active_periods')) }}
),

movements as (
    select
        month_start,
        {{ sums_of_changes() }}
    from changes
    group by month_start
),

-- Customers whose first `early_days` are over, on the day on which the last of their early losses is known.
newcomers as (
    select
        {{ add_days(
            'min(period.started_on)',
            "max(run.early_days + case when run.kind = 'subscription' then run.dunning_grace_days else run.inactivity_days end)"
        ) }} as day,
        max(run.as_of) as as_of,
        bool_or(period.is_early) as is_lost_early
    from {{ ref('int_active_periods') }} as period
    cross join run
    group by period.customer_id
),

early as (
    select
        {{ month_start('day') }} as month_start,
        count(*) as newcomers,
        count(*) filter (where is_lost_early) as newcomers_lost
    from newcomers
    where day <= as_of
    group by 1
),

-- Who was lost belongs to the lapsed until the next period begins.
lapses as (
    select
        {{ month_start('ended_on') }} as lost_in,
        {{ month_start('lead(started_on) over (partition by customer_id order by period_number)') }} as back_in,
        is_churn
    from {{ ref('int_active_periods') }}
),

lapsed as (
    select
        month_start,
        sum(joins) as lapsed_net,
        sum(comes_back) as customers_won_back
    from (
        select lost_in as month_start, 1 as joins, 0 as comes_back
        from lapses
        where is_churn

        union all

        select back_in as month_start, -1 as joins, case when lost_in < back_in then 1 else 0 end as comes_back
        from lapses
        where is_churn and back_in is not null
    )
    group by month_start
),

-- Of each day: what was lost of those who were active when it began.
days as (
    select
        day,
        customers_lost,
        customers_active - customers_new - customers_reactivated + customers_lost + customers_completed as at_start
    from {{ ref('kpi_daily') }}
),

daily as (
    select
        {{ month_start('day') }} as month_start,
        sum(cast(round(cast(customers_lost as double) / at_start, 12) as decimal(18, 12))) as daily_sum,
        sum(cast(round(cast(customers_lost as double) / at_start / at_start, 15) as decimal(18, 15))) as daily_variance
    from days
    where at_start > 0
    group by 1
),

before_start as (
    select {{ month_start('ended_on') }} as month_start, count(*) as cancellations_before_start
    from {{ ref('int_subscription_periods') }}
    where end_kind = 'cancelled_before_start'
    group by 1
),

orders as (
    select
        {{ month_start('ordered_on') }} as month_start,
        count(*) filter (where is_purchase) as orders,
        count(*) filter (where is_purchase and customer_id is null) as orders_without_customer,
        count(distinct customer_id) filter (where is_purchase) as active_purchasers,
        sum(purchase_value) filter (where is_purchase) as purchase_value,
        sum(net_revenue) as revenue,
        coalesce(sum(net_revenue) filter (where customer_id is null), 0) as revenue_without_customer
    from {{ ref('int_orders') }}
    group by 1
),

monthly as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        {%- for table, columns in {
            'movements': [
                'customers_new', 'customers_reactivated', 'customers_lost', 'customers_lost_early',
                'customers_completed', 'customers_joined', 'customers_joined_and_left', 'customers_churned_of_opening',
                'voluntary_of_opening', 'involuntary_of_opening', 'unknown_of_opening', 'customers_completed_of_opening'
            ],
            'lapsed': ['lapsed_net', 'customers_won_back'],
            'early': ['newcomers', 'newcomers_lost'],
            'before_start': ['cancellations_before_start'],
            'orders': ['orders', 'orders_without_customer', 'active_purchasers', 'revenue', 'revenue_without_customer']
        }.items() %}
        {%- for column in columns %}
        coalesce({{ table }}.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        {%- endfor %}
        daily.daily_sum,
        daily.daily_variance,
        orders.purchase_value
    from months
    left join movements on movements.month_start = months.month_start
    left join lapsed on lapsed.month_start = months.month_start
    left join early on early.month_start = months.month_start
    left join daily on daily.month_start = months.month_start
    left join before_start on before_start.month_start = months.month_start
    left join orders on orders.month_start = months.month_start
),

sets as (
    select
        *,
        coalesce(sum(
            customers_new + customers_reactivated - customers_lost - customers_completed
        ) over before_it, 0) as customers_opening,
        coalesce(sum(lapsed_net) over before_it, 0) as customers_lapsed_opening
    from monthly
    window before_it as (order by month_start rows between unbounded preceding and 1 preceding)
),

counted as (
    select
        month_start,
        is_complete,
        {%- for column in [
            'customers_opening', 'customers_new', 'customers_reactivated', 'customers_lost', 'customers_lost_early',
            'customers_completed', 'customers_joined', 'customers_joined_and_left', 'customers_churned_of_opening',
            'voluntary_of_opening', 'involuntary_of_opening', 'unknown_of_opening', 'customers_completed_of_opening',
            'customers_lapsed_opening', 'customers_won_back', 'newcomers', 'newcomers_lost'
        ] %}
        cast({{ column }} as bigint) as {{ column }},
        {%- endfor %}
        cast(
            customers_opening + customers_new + customers_reactivated - customers_lost - customers_completed as bigint
        ) as customers_closing,
        cast(
            customers_opening - customers_churned_of_opening - customers_completed_of_opening as bigint
        ) as customers_retained,
        cast(customers_opening + customers_new + customers_reactivated as bigint) as customers_opening_and_joined,
        daily_sum,
        daily_variance,
        cancellations_before_start,
        orders,
        orders_without_customer,
        active_purchasers,
        revenue,
        revenue_without_customer,
        purchase_value
    from sets
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
    customers_joined,
    customers_joined_and_left,
    customers_lost_early,
    {{ rate_columns('customer_churn_rate', 'customers_churned_of_opening', 'customers_opening') }},
    {{ rate_columns('customer_retention_rate', 'customers_retained', 'customers_opening') }},
    {{ rate_columns('completion_rate', 'customers_completed_of_opening', 'customers_opening') }},
    {{ rate_columns('voluntary_churn_rate', 'voluntary_of_opening', 'customers_opening') }},
    {{ rate_columns('involuntary_churn_rate', 'involuntary_of_opening', 'customers_opening') }},
    {{ rate_columns('unknown_churn_rate', 'unknown_of_opening', 'customers_opening') }},
    {{ rate_columns('contractual_churn_rate', 'voluntary_of_opening + involuntary_of_opening', 'customers_opening') }},
    {{ rate_columns('non_contractual_churn_rate', 'unknown_of_opening', 'customers_opening') }},
    {{ rate_columns('early_churn_rate', 'newcomers_lost', 'newcomers') }},
    {{ rate_columns('reactivation_rate', 'customers_won_back', 'customers_lapsed_opening') }},
    {{ rate_columns('logo_churn_rate_stripe', 'customers_lost', 'customers_opening_and_joined') }},
    round(cast(daily_sum as double), 6) as churn_rate_daily_sum,
    -- greatest() skips nulls, so a month without customers is told apart first.
    case
        when daily_sum is not null
            then round(greatest(cast(daily_sum as double) - 1.959964 * sqrt(cast(daily_variance as double)), 0), 6)
    end as churn_rate_daily_sum_low,
    round(cast(daily_sum as double) + 1.959964 * sqrt(cast(daily_variance as double)), 6) as churn_rate_daily_sum_high,
    {{ if_fed('subscriptions', 'cancellations_before_start') }} as cancellations_before_start,
    {{ if_fed('order_lines', 'orders') }} as orders,
    {{ if_fed('order_lines', 'active_purchasers') }} as active_purchasers,
    {{ if_fed('order_lines', 'cast(revenue as decimal(18, 4))') }} as revenue,
    {{ if_fed('order_lines', 'cast(revenue_without_customer as decimal(18, 4))') }} as revenue_without_customer,
    {{ if_fed('order_lines', 'orders_without_customer') }} as orders_without_customer,
    {{ ratio('purchase_value', 'orders') }} as average_basket,
    {{ ratio('orders - orders_without_customer', 'active_purchasers') }} as purchase_frequency
from counted
cross join run
