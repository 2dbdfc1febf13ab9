{%- set movements = ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] -%}
{%- set sums = movements + ['opening', 'closing', 'retained', 'kept', 'fx', 'customers_opening', 'customers_closing'] %}
-- The opening and the closing of a customer's month, and what happened between; then added up, with intervals.
with run as (
    select * from {{ ref('int_run_context') }}
),

bounds as (
    select
        (select min(valid_from) from {{ ref('int_mrr_spans') }}) as first_day,
        run.as_of as last_day
    from run
),

days as (
    {{ day_spine('first_day', 'last_day', 'bounds') }}
),

months as (
    select
        {{ month_start('day') }} as month_start,
        {{ add_days(month_start('day'), -1) }} as day_before,
        max(day) as last_day,
        {{ add_days(month_end('day'), 1) }} as next_month
    from days
    group by {{ month_start('day') }}, {{ month_end('day') }}
),

-- What pays on the last day of a month, at its rate and at the one with which the month opened.
last_days as (
    select
        span.customer_id,
        months.month_start,
        months.next_month,
        span.subscription_id,
        span.plan,
        {{ mrr_of('span', rate_of('span', 'fx')) }} as closing,
        {{ mrr_of('span', rate_of('span', 'before')) }} as closing_at_opening_rate
    from {{ ref('int_mrr_spans') }} as span
    cross join run
    inner join months
        on months.last_day >= span.valid_from
        and (span.valid_to is null or months.last_day < span.valid_to)
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = span.currency and fx.day = months.last_day
    left join {{ ref('int_fx_rates') }} as before on before.currency = span.currency and before.day = months.day_before
    where span.state = 'paid' and span.interval_price > span.interval_discount
),

closings as (
    select
        customer_id,
        month_start,
        next_month,
        cast({{ known_sum('closing') }} as decimal(18, 4)) as closing,
        cast({{ known_sum('closing_at_opening_rate') }} as decimal(18, 4)) as closing_at_opening_rate,
        max_by(plan, (coalesce(closing, 0), subscription_id)) as plan
    from last_days
    group by customer_id, month_start, next_month
),

stocks as (
    select
        coalesce(closed.customer_id, opened.customer_id) as customer_id,
        coalesce(closed.month_start, opened.next_month) as month_start,
        coalesce(opened.plan, closed.plan) as plan,
        case when opened.customer_id is null then 0 else opened.closing end as opening,
        case when closed.customer_id is null then 0 else closed.closing end as closing,
        case when closed.customer_id is null then 0 else closed.closing_at_opening_rate end as closing_at_opening_rate,
        opened.customer_id is not null as is_opening,
        closed.customer_id is not null as is_closing
    from closings as closed
    full join closings as opened
        on opened.customer_id = closed.customer_id
        and opened.next_month = closed.month_start
),

flows as (
    select
        customer_id,
        {{ month_start('day') }} as month_start,
        min_by(plan, day) as plan
        {%- for movement in movements %},
        cast({{ known_sum(movement) }} as decimal(18, 4)) as {{ movement }}
        {%- endfor %}
    from {{ ref('int_mrr_changes') }}
    group by customer_id, {{ month_start('day') }}
),

customers as (
    select
        coalesce(stocks.customer_id, flows.customer_id) as customer_id,
        coalesce(stocks.month_start, flows.month_start) as month_start,
        -- Where the customer stood at the opening; who was not there, where the customer began.
        case
            when stocks.is_opening then stocks.plan
            else coalesce(flows.plan, stocks.plan)
        end as plan,
        case when stocks.customer_id is null then 0 else stocks.opening end as opening,
        case when stocks.customer_id is null then 0 else stocks.closing end as closing,
        case when stocks.customer_id is null then 0 else stocks.closing_at_opening_rate end as closing_at_opening_rate,
        case when stocks.is_opening then 1 else 0 end as customers_opening,
        case when stocks.is_closing then 1 else 0 end as customers_closing
        {%- for movement in movements %},
        case when flows.customer_id is null then 0 else flows.{{ movement }} end as {{ movement }}
        {%- endfor %}
    from stocks
    full join flows on flows.customer_id = stocks.customer_id and flows.month_start = stocks.month_start
),

figures as (
    select
        customer.month_start,
        {{ bootstrap_bucket('person.customer_key') }} as bucket,
        coalesce(customer.plan, 'unknown') as plan,
        coalesce(person.country, 'unknown') as country,
        {{ movements | join(', ') }},
        opening,
        closing,
        case when customers_opening > 0 then closing_at_opening_rate else 0 end as retained,
        case
            when customers_opening = 0 then 0
            when closing_at_opening_rate < opening then closing_at_opening_rate
            when opening <= closing_at_opening_rate then opening
        end as kept,
        cast(
            closing - opening - new - expansion - reactivation - resumed + contraction + churned + paused
            as decimal(18, 4)
        ) as fx,
        customers_opening,
        customers_closing
    from customers as customer
    inner join months on months.month_start = customer.month_start
    inner join {{ ref('int_customers') }} as person on person.customer_id = customer.customer_id
),

cells as (
    select
        month_start,
        bucket,
        plan,
        country,
        {%- for figure in sums %}
        cast({{ known_sum(figure) }} as decimal(18, 4)) as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from figures
    group by month_start, bucket, plan, country
),

buckets as (
    select
        month_start,
        case when grouping(plan) = 0 then 'plan' when grouping(country) = 0 then 'country' else 'all' end as dimension,
        case when grouping(plan) = 0 then plan when grouping(country) = 0 then country else 'all' end as segment,
        bucket,
        {%- for figure in sums %}
        {{ known_sum(figure) }} as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from cells
    group by grouping sets ((month_start, bucket), (month_start, bucket, plan), (month_start, bucket, country))
),

{%- set ratios = {
    'gross_revenue_churn_rate': ('churned + contraction', 'opening'),
    'net_mrr_churn_rate': ('churned + contraction - expansion - reactivation', 'opening'),
    'net_revenue_retention': ('retained', 'opening'),
    'gross_revenue_retention': ('kept', 'opening'),
    'quick_ratio': ('new + expansion + reactivation', 'churned + contraction'),
    'arpa': ('closing', '10000 * customers_closing')
} %}

totals as (
    select
        row_number() over (order by month_start, dimension, segment) as total_id,
        month_start,
        dimension,
        segment,
        {%- for figure in sums %}
        {{ known_sum(figure) }} as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from buckets
    group by month_start, dimension, segment
),

-- In ten-thousandths, as whole numbers.
parts_of_totals as (
    select
        totals.total_id,
        buckets.bucket,
        {%- for figure in sums if figure not in ('paused', 'resumed', 'fx', 'customers_opening', 'customers_closing') %}
        cast(10000 * buckets.{{ figure }} as bigint) as {{ figure }},
        {%- endfor %}
        cast(buckets.customers_closing as bigint) as customers_closing
    from buckets
    inner join totals
        on totals.month_start = buckets.month_start
        and totals.dimension = buckets.dimension
        and totals.segment = buckets.segment
),

weights as (
    {{ bootstrap_weights() }}
),

samples as (
    select
        parts.total_id,
        weights.sample,
        {%- for figure in sums if figure not in ('paused', 'resumed', 'fx', 'customers_opening') %}
        sum(parts.{{ figure }} * weights.weight) as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts_of_totals as parts
    inner join weights on weights.bucket = parts.bucket
    group by parts.total_id, weights.sample
),

intervals as (
    select
        total_id,
        {%- for name, (numerator, denominator) in ratios.items() %}
        {{ percentile(ratio(numerator, denominator), '0.025') }} as {{ name }}_low,
        {{ percentile(ratio(numerator, denominator), '0.975') }} as {{ name }}_high{{ ',' if not loop.last }}
        {%- endfor %}
    from samples
    group by total_id
)

select
    totals.month_start,
    totals.dimension,
    totals.segment,
    {%- for figure in sums if not figure.startswith('customers') %}
    cast(totals.{{ figure }} as decimal(18, 4)) as {{ figure }},
    {%- endfor %}
    cast(totals.customers_opening as bigint) as customers_opening,
    cast(totals.customers_closing as bigint) as customers_closing,
    {%- for name in ratios %}
    intervals.{{ name }}_low,
    intervals.{{ name }}_high{{ ',' if not loop.last }}
    {%- endfor %}
from totals
left join intervals on intervals.total_id = totals.total_id
