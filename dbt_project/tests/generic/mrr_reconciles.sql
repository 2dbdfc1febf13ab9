{#- Days, months, customers and segments agree to the cent: one row per figure that does not. Unknown figures are left out. -#}
{% test mrr_reconciles(model) %}
with days as (
    select day, opening, closing, lag(closing) over (order by day) as previous_closing
    from {{ ref('mrr_daily') }}
),

facts as (
    select
        day
        {%- for movement in ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] %},
        sum(case when movement = '{{ movement }}' then amount else 0 end) as {{ movement }}
        {%- endfor %}
    from {{ ref('fct_mrr_movements') }}
    group by day
),

months as (
    select *, lag(closing) over (order by month_start) as previous_closing
    from {{ model }}
),

segments as (
    select
        month_start,
        dimension,
        sum(opening) as opening,
        sum(closing) as closing,
        sum(fx) as fx,
        sum(churned + contraction) as lost,
        sum(new + expansion + reactivation) as won,
        sum(customers_opening) as customers_opening,
        sum(customers_closing) as customers_closing,
        sum(net_revenue_retention_numerator) as retained,
        sum(gross_revenue_retention_numerator) as kept
    from {{ ref('mrr_monthly_segments') }}
    group by month_start, dimension
)

select 'a day opens as the day before closed' as figure
from days
where opening <> coalesce(previous_closing, 0)

union all

select 'a month opens as the month before closed' from months where opening <> coalesce(previous_closing, 0)

union all

select 'the movements of customers are those of the day'
from facts
full join {{ ref('mrr_daily') }} as day on day.day = facts.day
where {% for movement in ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] -%}
    {{ 'or ' if not loop.first }}coalesce(facts.{{ movement }}, 0) <> day.{{ movement }} {% endfor %}

union all

select 'plans and countries add up to the month'
from segments
inner join months on months.month_start = segments.month_start
where segments.opening <> months.opening
    or segments.closing <> months.closing
    or segments.fx <> months.fx
    or segments.lost <> months.churned + months.contraction
    or segments.won <> months.new + months.expansion + months.reactivation
    or segments.customers_opening <> months.customers_opening
    or segments.customers_closing <> months.customers_paying
    or segments.retained <> months.net_revenue_retention_numerator
    or segments.kept <> months.gross_revenue_retention_numerator
{% endtest %}
