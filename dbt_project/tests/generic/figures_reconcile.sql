{#- The figures of the months agree with those of the days and the orders. One row per figure that does not. -#}
{% test figures_reconcile(model) %}
with months as (
    select
        *,
        lag(customers_closing) over (order by month_start) as previous_closing,
        lead(month_start) over (order by month_start) as next_month
    from {{ model }}
),

last_days as (
    select
        {{ month_start('day') }} as month_start,
        max_by(customers_active, day) as customers_active,
        sum(customers_new) as customers_new,
        sum(customers_lost) as customers_lost
    from {{ ref('kpi_daily') }}
    group by 1
),

totals as (
    select
        (select coalesce(sum(revenue), 0) from {{ model }}) as monthly_revenue,
        (select coalesce(sum(net_revenue), 0) from {{ ref('fct_orders') }}) as order_revenue,
        (select coalesce(sum(customers_lost), 0) from {{ model }}) as lost,
        (select count(*) from {{ ref('fct_churn_events') }} where period_number is not null) as events
)

select 'the opening set is the closing set of the month before' as figure
from months
where customers_opening <> coalesce(previous_closing, 0)

union all

select 'months and days count the same customers'
from months
inner join last_days on last_days.month_start = months.month_start
where last_days.customers_active <> months.customers_closing
    or last_days.customers_new <> months.customers_new
    or last_days.customers_lost <> months.customers_lost

union all

select 'the months have the revenue of the orders' from totals where monthly_revenue <> order_revenue

union all

select 'every loss is an event' from totals where lost <> events
{% endtest %}
