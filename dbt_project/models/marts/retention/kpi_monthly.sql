with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
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
    inner join {{ ref('int_active_periods') }} as period
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
        {{ month_start('started_on') }} as month_start,
        count(*) filter (where period_number = 1) as customers_new,
        count(*) filter (where period_number > 1) as customers_reactivated
    from {{ ref('int_active_periods') }}
    group by 1
),

ends as (
    select
        {{ month_start('ended_on') }} as month_start,
        count(*) filter (where is_churn) as customers_lost,
        count(*) filter (where not is_churn) as customers_completed
    from {{ ref('int_active_periods') }}
    where ended_on is not null
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
            'sets': [
                'customers_opening', 'customers_closing', 'customers_retained', 'customers_churned_of_opening',
                'customers_completed_of_opening'
            ],
            'starts': ['customers_new', 'customers_reactivated'],
            'ends': ['customers_lost', 'customers_completed'],
            'before_start': ['cancellations_before_start'],
            'orders': ['orders', 'orders_without_customer', 'active_purchasers', 'revenue', 'revenue_without_customer']
        }.items() %}
        {%- for column in columns %}
        coalesce({{ table }}.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        {%- endfor %}
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
    {{ rate_columns('customer_churn_rate', 'customers_churned_of_opening', 'customers_opening') }},
    {{ rate_columns('customer_retention_rate', 'customers_retained', 'customers_opening') }},
    {{ ratio('customers_completed_of_opening', 'customers_opening') }} as completion_rate,
    {{ if_fed('subscriptions', 'cancellations_before_start') }} as cancellations_before_start,
    {{ if_fed('order_lines', 'orders') }} as orders,
    {{ if_fed('order_lines', 'active_purchasers') }} as active_purchasers,
    {{ if_fed('order_lines', 'cast(revenue as decimal(18, 4))') }} as revenue,
    {{ if_fed('order_lines', 'cast(revenue_without_customer as decimal(18, 4))') }} as revenue_without_customer,
    {{ if_fed('order_lines', 'orders_without_customer') }} as orders_without_customer,
    {{ ratio('purchase_value', 'orders') }} as average_basket,
    {{ ratio('orders - orders_without_customer', 'active_purchasers') }} as purchase_frequency
from monthly
cross join run
