{%- set dimensions = ['lifecycle_stage', 'rfm_segment', 'value_tier', 'loyalty_tier', 'health_band'] -%}
with customers as (
    select * from {{ ref('customer_360') }}
),

memberships as (
    select 'all' as dimension, 'all' as segment, * from customers
    {%- for dimension in dimensions %}

    union all

    select '{{ dimension }}', {{ dimension }}, * from customers where {{ dimension }} is not null
    {%- endfor %}
),

-- Of the last twelve full months: who was lost of those who were there at the start.
churn as (
    select
        cast(sum(customer_churn_rate_numerator) as double) / nullif(sum(customer_churn_rate_denominator), 0) as monthly_rate
    from (
        select * from {{ ref('kpi_monthly') }}
        where is_complete
        qualify row_number() over (order by month_start desc) <= 12
    )
),

-- What is paid now: a subscription on pause is running and pays nothing.
revenue as (
    select max_by(mrr_closing, day) as mrr
    from {{ ref('mrr_daily') }}
),

sums as (
    select
        dimension,
        segment,
        as_of,
        count(*) as customers,
        count(*) filter (where is_active) as customers_active,
        sum(revenue_365d) as revenue_365d,
        sum(margin_365d) as margin_365d,
        sum(monthly_price) as mrr,
        count(health_score) as customers_with_health_score,
        sum(health_score) as health_score,
        count(period_number) as customers_ever_active,
        sum(clv_historic) filter (where period_number is not null) as clv_historic,
        count(clv_historic) filter (where period_number is not null) as with_clv_historic,
        sum(orders_365d) filter (where is_active) as orders_of_active,
        sum(revenue_365d) filter (where is_active) as revenue_of_active
    from memberships
    group by dimension, segment, as_of
)

select
    sums.dimension,
    sums.segment,
    sums.as_of,
    sums.customers,
    sums.customers_active,
    sums.revenue_365d,
    sums.margin_365d,
    sums.mrr,
    sums.customers_with_health_score,
    {{ ratio('sums.health_score', 'sums.customers_with_health_score', 2) }} as average_health_score,
    sums.customers_ever_active,
    {{ ratio('sums.clv_historic', 'sums.with_clv_historic', 2) }} as average_clv_historic,
    {{ ratio('sums.revenue_of_active', 'sums.orders_of_active', 2) }} as average_basket_365d,
    {{ ratio('sums.orders_of_active', 'sums.customers_active', 4) }} as purchase_frequency_365d,
    case when sums.dimension = 'all' then round(1 / nullif(churn.monthly_rate, 0), 2) end as expected_lifetime_months,
    case
        when sums.dimension = 'all'
            then round(
                cast(run.gross_margin as double)
                * (coalesce(cast(sums.revenue_of_active as double), 0) / 12 + coalesce(cast(revenue.mrr as double), 0))
                / nullif(sums.customers_active, 0)
                / nullif(churn.monthly_rate, 0), 2
            )
    end as clv_textbook
from sums
cross join churn
cross join revenue
cross join {{ ref('int_run_context') }} as run
